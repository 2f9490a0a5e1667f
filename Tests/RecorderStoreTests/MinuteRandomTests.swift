import AtlasProtocol
import Testing

@testable import RecorderStore

/// Two units' lives at random: values, links that come and go and are noticed late, a clock that is set, commits that
/// fail, recorders that are killed. Whatever happened, the minutes are what the stored samples and states make of them.
@Suite struct MinuteRandomTests {
    private let folder = TemporaryFolder()

    private struct Life {
        var generator: SeededGenerator
        var time = start
        var assemblers: [FrameAssembler] = []
        var blocks = [FrameBlock()]

        mutating func pass(_ atMost: Int64) { time += Int64.random(in: 1...atMost, using: &generator) }
        mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &generator) == 0 }

        /// A burst of one unit: a full tick, some values or one; half of them silent.
        mutating func burst() {
            let unit = Int.random(in: 0..<assemblers.count, using: &generator)
            for _ in 0..<[1, 1, 2, 12].randomElement(using: &generator)! {
                let meter = Meter(.zone, UInt8.random(in: 0..<6, using: &generator))
                var level = chance(2) ? -80 : Double(Int.random(in: -800...0, using: &generator)) / 10
                if chance(6) { level -= 0.003 }
                _ = assemblers[unit].take(
                    Reading(meter: meter, level: level), at: time, into: &blocks[blocks.count - 1])
                pass(4_000)
            }
            if chance(3) { blocks.append(FrameBlock()) }
        }

        mutating func close() {
            for index in assemblers.indices { assemblers[index].close(into: &blocks[blocks.count - 1]) }
        }

        mutating func change(_ id: Int32) -> Entry {
            let states: [LinkState] = [
                .up, .up, .up, .down(.notArriving), .down(.controlDown), .unknown(.recorderStalled),
            ]
            // Its first evidence lies before the moment when it is noticed.
            let since = time - Int64.random(in: 0...(chance(3) ? 200 * second : second / 2), using: &generator)
            return .change(
                processor: id, link: .meters, state: states.randomElement(using: &generator)!, since: since)
        }
    }

    @Test("minutes, hours and levels are what the samples and states make of them", arguments: 1...30)
    func anything(seed: UInt64) async throws {
        var life = Life(generator: SeededGenerator(seed: seed))
        for run in 0..<3 {
            do {
                let specs = run == 0 && life.chance(3) ? [mainBar] : [mainBar, patio]
                try await record(&life, Recording(folder.store, specs, at: life.time), "seed \(seed), run \(run)")
            }
            await waitUntilFree(folder.store)
            life.pass([second, minute, 3 * hour].randomElement(using: &life.generator)!)
            if life.chance(6) { life.time -= Int64.random(in: 1...10 * minute, using: &life.generator) }
        }
        try expectLevels(&life, "seed \(seed)")
    }

    private func record(_ life: inout Life, _ recording: Recording, _ place: Comment) async throws {
        life.assemblers = recording.processors.map {
            FrameAssembler(processor: $0.id, slots: $0.slots, latest: $0.latest)
        }
        life.blocks = [FrameBlock()]
        var entries: [Entry] = []
        for _ in 0..<120 {
            life.pass([second / 10, second, 20 * second].randomElement(using: &life.generator)!)
            for _ in 0..<Int.random(in: 0...3, using: &life.generator) { life.burst() }
            let id = recording.processors.randomElement(using: &life.generator)!.id
            if life.chance(6) { entries.append(life.change(id)) }
            if life.chance(40) {
                let range = life.chance(2) ? -200 * second...second : -second...4_000 * second
                let step = Int64.random(in: range, using: &life.generator)
                life.time += step
                entries.append(.clockSet(at: life.time, by: step))
            }
            // The blocks of frames may come to the store long after their time.
            if life.chance(3) {
                life.close()
                while life.blocks.count > 1 { _ = recording.queue.exchange(life.blocks.removeFirst()) }
            }
            if life.chance(8) {
                let check = Int.random(in: 1...600, using: &life.generator)
                _ = await recording.writer.commit(entries, at: life.time, interruptedAtCheck: check)
            } else {
                try await recording.commit(entries, at: life.time)
            }
            entries = []
            if life.chance(6) {
                let check = Int.random(in: 1...2_000, using: &life.generator)
                _ = await recording.writer.countMinutes(interruptedAtCheck: check)
            }
            guard life.chance(10) else { continue }
            try await recording.commit([], at: life.time)  // what is in doubt is settled
            while try await recording.writer.countMinutes() {}
            let beat = try integer(folder.store, "SELECT heartbeat_us FROM recorder_run ORDER BY run DESC LIMIT 1")
            try expectMinutes(folder.store, until: beat - 3 * second, place)
        }
        guard life.chance(2) else { return }  // killed
        life.close()
        for block in life.blocks { _ = recording.queue.exchange(block) }
        try await recording.writer.finish(entries, at: life.time)
        try expectMinutes(folder.store, until: life.time, "\(place), ended")
    }

    /// Windows cut anywhere.
    private func expectLevels(_ life: inout Life, _ place: Comment) throws {
        let replay = try Replay(folder.store)
        let (first, last) = (start - hour, max(life.time, start + minute))
        for _ in 0..<12 {
            let since = Int64.random(in: first..<last, using: &life.generator)
            let length = [second, 90 * second, hour, 5 * hour].randomElement(using: &life.generator)!
            let until = since + Int64.random(in: 1...length, using: &life.generator)
            try expectLevels(folder.store, replay, since, until, place)
        }
        try expectLevels(folder.store, replay, first, last + hour, place)
    }

    private func expectLevels(
        _ path: String, _ replay: Replay, _ since: Int64, _ until: Int64, _ place: Comment
    ) throws {
        let found = try levels(path, since, until)
        for key in replay.keys {
            let wanted = replay.tally(key, from: since, until: until)
            guard let tally = found[key] else {
                Issue.record("\(key) is missing from \((since - start)) to \(until - start). \(place)")
                continue
            }
            if !tally.agrees(with: wanted, within: 1e-6) {
                Issue.record(
                    "levels of \(key) from \(since - start) to \(until - start): \(tally), not \(wanted). \(place)")
            }
        }
    }
}
