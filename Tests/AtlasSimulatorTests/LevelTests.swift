import NIOCore
import Testing

@testable import AtlasSimulator

@Suite(.timeLimit(.minutes(1)))
struct LevelTests {
    /// Every meter of `steps` steps, dB.
    private func levels(
        steps: Int, seed: UInt64 = 1, silence: Silence = .half, closedFrom: Int = .max
    ) -> [[String: Int]] {
        let model = UnitModel.azm8
        var table = ParameterTable(model: model, silence: silence, scale: LevelScale(decimals: 1))
        let mixer = Mixer(model: model, silence: silence)
        var programme = Programme(sources: model.sources, silence: silence, stepsPerSecond: 10, seed: seed)
        return (0..<steps).map { step in
            programme.advance(closed: step >= closedFrom)
            mixer.update(&table, from: programme)
            let meters = table.parameters.indices.filter { table[$0].kind == .meter }
            return Dictionary(uniqueKeysWithValues: meters.map { (table[$0].name, table.level($0)) })
        }
    }

    @Test("levels stay within -80...0 dB, are the same for the same seed and others for another")
    func deterministic() {
        let run = levels(steps: 2000)
        #expect(run.allSatisfy { $0.values.allSatisfy { (-800...0).contains($0) } })
        #expect(run == levels(steps: 2000))
        #expect(run != levels(steps: 2000, seed: 2))
    }

    @Test("half of all meters are silent, or none", arguments: Silence.allCases)
    func silence(_ silence: Silence) {
        let run = levels(steps: 500, silence: silence)
        let silent = run[0].keys.filter { name in run.allSatisfy { $0[name] == -800 } }
        #expect(silent.count == (silence == .half ? 17 : 0))
        let live = run[0].keys.filter { name in run.allSatisfy { $0[name]! > -800 } }
        #expect(live.count == 34 - silent.count)
    }

    @Test("a live source rises and falls")
    func envelope() {
        let run = levels(steps: 600).map { $0["SourceMeter_0"]! }
        #expect(run.max()! > -150 && run.min()! < -300)
        #expect(Set(run).count > 100)
    }

    @Test("at closing time all fall to -80 dB")
    func closing() {
        let run = levels(steps: 60, silence: .none, closedFrom: 20)
        #expect(run[19].values.allSatisfy { $0 > -800 })
        #expect(run[50].values.allSatisfy { $0 == -800 })
    }

    @Test("closing time over the socket, by window and by flag")
    func closingOverSocket() async throws {
        try await Bench.run {
            $0.updatesPerSecond = 200
            $0.closingTimes = [Duration.zero..<Duration.seconds(3600)]
        } body: { bench in
            let client = try await bench.connect()
            try await client.send(subscribe(["ZoneMeter_0"]))
            _ = await bench.meters.next { values($0)["ZoneMeter_0"] == "-80.0" }
        }
        try await Bench.run {
            $0.updatesPerSecond = 200
            $0.closed = true
        } body: { bench in
            let client = try await bench.connect()
            try await client.send(subscribe(["ZoneMeter_0"]))
            _ = await bench.meters.next { values($0)["ZoneMeter_0"] == "-80.0" }
            try await bench.simulator.setClosed(false)
            _ = await bench.meters.next { values($0)["ZoneMeter_0"] != "-80.0" }
        }
    }

    @Test("a zone follows its source, its gain and its mute, a grouped zone its group")
    func routing() throws {
        let model = UnitModel.azm8
        var table = ParameterTable(model: model, silence: .half, scale: LevelScale(decimals: 1))
        var mixer = Mixer(model: model, silence: .half)
        let programme = Programme(sources: model.sources, silence: .half, stepsPerSecond: 10, seed: 1)
        func level(_ name: String) -> Int { table.level(table.indexes[name]!) }
        func set(_ name: String, _ value: ParameterValue) {
            let index = table.indexes[name]!
            _ = table.store(table.suited(value, for: index)!, at: index)
            mixer.update(&table, from: programme)
        }
        mixer.pinned[table.indexes["SourceMeter_4"]!] = -105
        set("ZoneSource_1", 4)
        #expect(level("ZoneMeter_1") == -135)  // its gain is -3 dB
        set("ZoneGain_1", -50)
        #expect(level("ZoneMeter_1") == -605)
        set("ZoneGain_1", -75)
        #expect(level("ZoneMeter_1") == -800)
        set("ZoneGain_1", 0)
        set("ZoneMute_1", 1)
        #expect(level("ZoneMeter_1") == -800)
        set("ZoneMute_1", 0)
        set("GroupActive_1", 1)
        set("GroupSource_1", 4)
        set("GroupGain_1", -10)
        set("ZoneSource_1", -1)
        #expect(level("ZoneMeter_1") == -800)
        set("ZoneGrouped_1", 1)
        #expect(level("GroupMeter_1") == -205 && level("ZoneMeter_1") == -205)
        set("ZoneGrouped_1", 0)
        set("ZoneSource_1", 14)  // the first mix
        #expect(level("ZoneMeter_1") == level("MixMeter_14"))
    }

    @Test(
        "shapes: all in one datagram, so many in each, or single ones",
        arguments: [
            (MeterShape.tick, [5]), (.datagram(2), [2, 2, 1]), (.single(perSecond: 100), [1, 1, 1, 1, 1]),
        ])
    func shapes(shape: MeterShape, counts: [Int]) async throws {
        try await Bench.run {
            $0.shape = shape
        } body: { bench in
            let client = try await bench.connect()
            try await client.send(subscribe((0..<5).map { "SourceMeter_\($0)" }))
            for count in counts { #expect(values(await bench.meters.next().text).count == count) }
            let next = values(await bench.meters.next().text)
            #expect(next.count == counts[0])
            let unit = try await bench.simulator.statistics().units[0]
            #expect(unit.samples >= 5 + counts[0] && unit.meterDatagrams >= counts.count + 1)
        }
    }

    @Test(
        "single values are sent when they have changed, so silent meters send only their first",
        arguments: [
            MeterShape.single(perSecond: 200), .tick,
        ])
    func onlyChanges(shape: MeterShape) async throws {
        try await Bench.run {
            $0.shape = shape
            $0.sending = .onChange
            $0.decimals = 3
        } body: { bench in
            let client = try await bench.connect()
            try await client.send(subscribe(["SourceMeter_0", "SourceMeter_1"]))
            var seen: [String: [String]] = [:]
            while seen["SourceMeter_0", default: []].count < 20 {
                for (name, value) in values(await bench.meters.next().text) { seen[name, default: []].append(value) }
            }
            #expect(seen["SourceMeter_1"] == ["-80.000"])
            let live = seen["SourceMeter_0", default: []]
            #expect(zip(live, live.dropFirst()).allSatisfy { $0 != $1 })
        }
    }

    @Test("a meter that was set stays until it is released")
    func pinned() async throws {
        try await Bench.run { bench in
            let client = try await bench.connect()
            try await bench.simulator.set(parameter: "SourceMeter_0", value: -12.34)
            try await client.send(subscribe(["SourceMeter_0"]))
            for _ in 0..<5 { #expect(values(await bench.meters.next().text) == ["SourceMeter_0": "-12.3"]) }
            try await bench.simulator.release(parameter: "SourceMeter_0")
            _ = await bench.meters.next { values($0) != ["SourceMeter_0": "-12.3"] }
        }
    }

    @Test(
        "numbers are written with their decimals",
        arguments: [
            (-201, 1, "-20.1", "-20.1"), (-800, 1, "-80.0", "-80"), (0, 1, "0.0", "0"), (-5, 1, "-0.5", "-0.5"),
            (-5, 3, "-0.005", "-0.005"), (74875, 3, "74.875", "74.875"), (12, 0, "12", "12"),
            (-1050, 2, "-10.50", "-10.5"),
        ])
    func decimals(scaled: Int, decimals: Int, long: String, short: String) {
        var (one, other) = (ByteBuffer(), ByteBuffer())
        one.writeDecimal(scaled, decimals: decimals)
        other.writeShortDecimal(scaled, decimals: decimals)
        #expect(String(buffer: one) == long && String(buffer: other) == short)
    }
}
