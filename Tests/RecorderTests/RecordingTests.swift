import AtlasProtocol
import AtlasSimulator
import RecorderStore
import Testing

@testable import Recorder

@Suite(.timeLimit(.minutes(1)))
struct RecordingTests {
    @Test("every value that a unit sends becomes one sample, and the recorder asks for no change")
    func everyValueIsStored() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port) { $0.updatesPerSecond = 50 }
        let rig = Rig(specs, meterPort: port)
        await rig.line("subscribed")
        try await eventually { try await simulator.statistics().samples > 2_000 }
        try await simulator.inject(.freeze)
        let sent = try await simulator.statistics()
        try await eventually { try rig.integer("SELECT sum(stored) FROM sample_minute") >= sent.samples }
        try await rig.stop()
        #expect(try rig.integer("SELECT sum(stored) FROM sample_minute") == sent.samples)
        #expect(try rig.integer("SELECT count(*) FROM meter_samples") == sent.samples)
        #expect(try rig.integer("SELECT count(*) FROM sample_loss") == 0)
        #expect(sent.changesAsked == 0)
        #expect(try rig.texts("SELECT label FROM latest_levels WHERE meter = 'SourceMeter_0'") == ["Jukebox"])
        try await simulator.shutdown()
    }

    @Test("units are told apart by the address their datagrams come from")
    func severalUnits() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port) {
            $0.units = 3
            $0.firstAddress = "127.0.0.31"
        }
        let rig = Rig(specs, meterPort: port)
        for unit in 0..<3 { await rig.line("Unit \(unit)  meters up") }
        try await eventually { try await simulator.statistics().units.allSatisfy { $0.samples > 100 } }
        try await simulator.inject(.freeze)
        let sent = try await simulator.statistics()
        try await eventually { try rig.integer("SELECT sum(stored) FROM sample_minute") >= sent.samples }
        try await rig.stop()
        let stored = try rig.texts(
            "SELECT processor, count(*) FROM meter_samples GROUP BY processor ORDER BY processor")
        #expect(stored == sent.units.enumerated().map { "Unit \($0.offset) \($0.element.samples)" })
        try await simulator.shutdown()
    }

    @Test("a meter that has not spoken since the restart keeps its last value")
    func latestAfterRestart() async throws {
        let port = freePort()
        let store = Rig.newStore()
        let level = { @Sendable (value: String) in
            try await ScriptedUnit { line, id in
                line.contains("SourceMeter_0") && !value.isEmpty
                    ? [#"{"jsonrpc":"2.0","result":[{"param":"SourceMeter_3","val":\#(value)}],"id":\#(id)}"#]
                    : [#"{"jsonrpc":"2.0","result":"OK","id":\#(id)}"#]
            }
        }
        for (value, meters) in [("-41.5", "SourceMeter_3 -41.5"), ("", "SourceMeter_3 -41.5")] {
            let unit = try await level(value)
            let rig = Rig([unit.spec], store: store, meterPort: port, removesStore: value.isEmpty)
            await rig.line("subscribed")
            PlainSocket(port: 0, reuse: false).send(
                #"{"method":"update","params":[{"param":"ZoneMeter_1","val":-3.5}]}"#, to: "127.0.0.1", port)
            try await eventually { try rig.texts("SELECT meter FROM latest_levels").contains("ZoneMeter_1") }
            try await rig.stop()
            let levels = try rig.texts("SELECT meter, level_db FROM latest_levels ORDER BY meter")
            #expect(levels == [meters, "ZoneMeter_1 -3.5"])
            try await unit.stop()
        }
    }

    @Test("datagrams from elsewhere are one episode with a count, never samples")
    func strangers() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("meters up")
        let stranger = PlainSocket(address: "127.0.0.77", port: 0, reuse: false)
        let forged = #"{"jsonrpc":"2.0","method":"update","params":[{"param":"MixMeter_0","val":-33.333}]}"#
        for _ in 0..<50 { stranger.send(forged, to: "127.0.0.1", port) }
        try await eventually { try rig.integer("SELECT count FROM socket_errors WHERE code = 'UNKNOWN_SENDER'") == 50 }
        try await rig.stop()
        #expect(try rig.integer("SELECT count(*) FROM socket_errors WHERE code = 'UNKNOWN_SENDER'") == 1)
        #expect(try rig.texts("SELECT message FROM socket_errors")[0].contains("127.0.0.77"))
        #expect(try rig.integer("SELECT count(*) FROM meter_samples WHERE level_db = -33.333") == 0)
        try await simulator.shutdown()
    }

    @Test("what cannot be read is counted, and the good values beside it are kept")
    func unreadable() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port) { $0.firstAddress = "127.0.0.41" }
        let rig = Rig(specs, meterPort: port)
        await rig.line("meters up")
        let unit = PlainSocket(address: "127.0.0.41", port: 0, reuse: false)
        for bad in ["garbage", "", "{", "\u{0}\u{0}", String(repeating: "[", count: 5_000)] {
            unit.send(bad, to: "127.0.0.1", port)
        }
        let mixed =
            #"{"method":"update","params":[{"param":"MixMeter_2","val":1e999},{"param":"MixMeter_3","val":-12.34}]}"#
        unit.send("not json\n" + mixed, to: "127.0.0.1", port)
        try await eventually { try rig.integer("SELECT count(*) FROM meter_samples WHERE meter = 'MixMeter_3'") == 1 }
        try await rig.stop()
        #expect(try rig.texts("SELECT level_db FROM meter_samples WHERE meter = 'MixMeter_3'") == ["-12.34"])
        let lost = try rig.texts("SELECT sum(datagrams), sum(samples) FROM sample_losses WHERE reason = 'unreadable'")
        #expect(lost == ["6 1"])
        try await simulator.shutdown()
    }

    @Test("meter values that a unit answers by TCP are samples, too")
    func readingsByTCP() async throws {
        let port = freePort()
        let unit = try await ScriptedUnit { line, id in
            line.contains("SourceMeter_0")
                ? [#"{"jsonrpc":"2.0","result":[{"param":"SourceMeter_3","val":-41.5}],"id":\#(id)}"#]
                : [#"{"jsonrpc":"2.0","result":"OK","id":\#(id)}"#]
        }
        let rig = Rig([unit.spec], meterPort: port)
        await rig.line("subscribed")
        try await rig.stop()
        #expect(try rig.texts("SELECT meter, level_db FROM meter_samples") == ["SourceMeter_3 -41.5"])
        try await unit.stop()
    }

    @Test("a unit that sends garbage by TCP keeps its link, and the garbage is one episode")
    func garbageByTCP() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port) { $0.updatesPerSecond = 100 }
        let rig = Rig(specs, meterPort: port)
        await rig.line("subscribed")
        try await simulator.inject(.garbage)
        try await eventually { try rig.integer("SELECT count FROM socket_errors WHERE code = 'EBADMSG'") > 3 }
        try await rig.stop()
        #expect(try rig.integer("SELECT count(*) FROM socket_errors WHERE code = 'EBADMSG'") == 1)
        #expect(try rig.texts("SELECT event FROM connection_events WHERE event = 'disconnected'").isEmpty)
        try await simulator.shutdown()
    }
}
