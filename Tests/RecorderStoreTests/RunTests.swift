import AtlasProtocol
import Testing

@testable import RecorderStore

@Suite struct RunTests {
    private let folder = TemporaryFolder()

    /// One run: begins, writes a heartbeat each time in `beats`, and ends cleanly at `end`, or crashes.
    private func run(_ specs: [ProcessorSpec], from begin: Int64, beats: [Int64] = [], cleanEnd: Int64? = nil)
        async throws
    {
        do {
            let recording = try await Recording(folder.store, specs, at: start + begin * second)
            for beat in beats {
                let changes = recording.processors.map {
                    Entry.change(processor: $0.id, link: .control, state: .up, since: start + beat * second)
                }
                try await recording.commit(beat == beats.first ? changes : [], at: start + beat * second)
            }
            if let cleanEnd { try await recording.writer.finish([], at: start + cleanEnd * second) }
        }
        await waitUntilFree(folder.store)
    }

    private func runs() throws -> [String] {
        try lines(
            folder.store,
            """
            SELECT run, (started_us - \(start)) / 1000000, (ended_us - \(start)) / 1000000, clean, version, pid, host
              FROM recorder_runs ORDER BY run
            """)
    }

    private func states(_ processor: String, link: String = "control") throws -> [String] {
        try lines(
            folder.store,
            """
            SELECT state, cause, (started_us - \(start)) / 1000000, (ended_us - \(start)) / 1000000
              FROM link_states WHERE processor = '\(processor)' AND link = '\(link)' ORDER BY started_us
            """)
    }

    @Test("a run that is stopped on request is clean, and what it knew ends with it")
    func cleanEnd() async throws {
        try await run([mainBar], from: 0, beats: [1, 2], cleanEnd: 10)
        #expect(try runs() == ["1|0|10|1|0.0.0|4711|test"])
        #expect(
            try states("Main Bar") == [
                "unknown|recorder_starting|0|1", "up||1|10", "unknown|recorder_stopped|10|",
            ])
        #expect(
            try states("Main Bar", link: "meters") == [
                "unknown|recorder_starting|0|10", "unknown|recorder_stopped|10|",
            ])
    }

    @Test("a run that crashed ends at its last heartbeat, before and after the next start")
    func crash() async throws {
        try await run([mainBar], from: 0, beats: [1, 2, 30])
        let wanted = ["unknown|recorder_starting|0|1", "up||1|30"]
        #expect(try runs() == ["1|0|30|0|0.0.0|4711|test"])
        #expect(try states("Main Bar") == wanted + ["unknown|recorder_stopped|30|"])
        try await run([mainBar], from: 100, beats: [101], cleanEnd: 110)
        #expect(try runs().first == "1|0|30|0|0.0.0|4711|test")
        #expect(
            try states("Main Bar") == wanted + [
                "unknown|recorder_stopped|30|100", "unknown|recorder_starting|100|101", "up||101|110",
                "unknown|recorder_stopped|110|",
            ])
    }

    @Test("what a killed recorder held in memory is a row of losses; a clean stop leaves none")
    func killedInMemory() async throws {
        try await run([mainBar], from: 0, beats: [1, 2, 30])
        try await run([mainBar], from: 100, beats: [101], cleanEnd: 110)
        try await run([mainBar], from: 200, beats: [201])
        try await run([mainBar], from: 300, cleanEnd: 301)
        #expect(
            try lines(
                folder.store,
                """
                SELECT reason, processor, (from_us - \(start)) / 1000000, (until_us - \(start)) / 1000000, datagrams, samples
                  FROM sample_losses
                """) == ["recorder_killed||30|30|0|", "recorder_killed||201|201|0|"])
    }

    @Test("the heartbeat never passes what the receiver still holds")
    func heartbeatWaits() async throws {
        let recording = try await Recording(folder.store)
        func heartbeat() throws -> Int64 {
            try integer(folder.store, "SELECT heartbeat_us - \(start) FROM recorder_run") / second
        }
        func handOver(completeUntil seconds: Int64?) {
            var block = FrameBlock()
            block.completeUntil = seconds.map { start + $0 * second }
            _ = recording.queue.exchange(block)
        }
        handOver(completeUntil: 9)
        try await recording.commit([], at: start + 10 * second)
        #expect(try heartbeat() == 9)
        // An urgent entry is committed without the samples.
        handOver(completeUntil: 19)
        let event = Entry.event(.init(processor: nil, at: start + 20 * second, link: nil, name: .clockStep))
        try await recording.writer.commit([event], samples: false, at: start + 20 * second)
        #expect(try heartbeat() == 9)
        await recording.writer.failAfterCommit()
        try await recording.commit([], at: start + 21 * second)
        await recording.writer.failAfterCommit(false)
        #expect(try heartbeat() == 19)
        handOver(completeUntil: 40)
        handOver(completeUntil: nil)
        try await recording.commit([], at: start + 30 * second)
        #expect(try heartbeat() == 30)
        #expect(await recording.writer.commit([], at: start + 50 * second, interruptedAtCheck: 2).failure != nil)
        try await recording.commit([], at: start + 50 * second)
        #expect(try heartbeat() == 40)
    }

    @Test("a recorder that is killed as it begins, and again, starts the next time")
    func killedAtOnce() async throws {
        try await run([mainBar], from: 0)
        #expect(try states("Main Bar") == ["unknown|recorder_starting|0|0", "unknown|recorder_stopped|0|"])
        try await run([mainBar], from: 10)
        try await run([mainBar, patio], from: 20, beats: [21], cleanEnd: 30)
        #expect(
            try states("Main Bar") == [
                "unknown|recorder_stopped|0|10", "unknown|recorder_stopped|10|20", "unknown|recorder_starting|20|21",
                "up||21|30",
                "unknown|recorder_stopped|30|",
            ])
    }

    @Test("a unit that is added later was not recorded before; one that is left out is not recorded since")
    func configuration() async throws {
        try await run([mainBar], from: 0, beats: [1], cleanEnd: 10)
        try await run([patio], from: 20, beats: [21], cleanEnd: 30)
        try await run([mainBar, patio], from: 40, beats: [41], cleanEnd: 50)
        #expect(
            try states("Patio") == [
                "unknown|not_recorded|0|20", "unknown|recorder_starting|20|21", "up||21|30",
                "unknown|recorder_stopped|30|40",
                "unknown|recorder_starting|40|41", "up||41|50", "unknown|recorder_stopped|50|",
            ])
        #expect(
            try states("Main Bar") == [
                "unknown|recorder_starting|0|1", "up||1|10", "unknown|recorder_stopped|10|20",
                "unknown|not_recorded|20|30",
                "unknown|recorder_stopped|30|40", "unknown|recorder_starting|40|41", "up||41|50",
                "unknown|recorder_stopped|50|",
            ])
    }

    @Test("after the clock was set back between two runs the later one counts")
    func clockSetBack() async throws {
        try await run([mainBar], from: 0, beats: [1], cleanEnd: 100)
        try await run([mainBar], from: 60, beats: [61], cleanEnd: 80)
        #expect(
            try states("Main Bar") == [
                "unknown|recorder_starting|0|1", "up||1|60", "unknown|recorder_starting|60|61", "up||61|80",
                "unknown|recorder_stopped|80|",
            ])
        try await run([mainBar], from: -50, beats: [-49], cleanEnd: -40)
        #expect(
            try states("Main Bar") == [
                "unknown|recorder_starting|-50|-49", "up||-49|-40", "unknown|recorder_stopped|-40|",
            ])
    }

    @Test("while the heartbeat is fresh the last rows last; over 5 s later nothing is known")
    func heartbeat() async throws {
        let begin = now() - 3_600 * second
        let recording = try await Recording(folder.store, at: begin)
        let last =
            "SELECT state, cause, ended_us IS NULL FROM link_states WHERE link = 'control' ORDER BY started_us DESC LIMIT 1"
        let up = Entry.change(processor: recording.id, link: .control, state: .up, since: begin + second)
        let run = "SELECT ended, ended_us FROM recorder_runs"
        let fresh = try await freshly(recording, [up]) { try lines(folder.store, last) + lines(folder.store, run) }
        #expect(fresh == ["up||1", "|"])
        try await recording.commit([], at: now() - 6 * second)
        #expect(try lines(folder.store, last) == ["unknown|recorder_stopped|1"])
        #expect(
            try lines(folder.store, "SELECT ended_us = (SELECT heartbeat_us FROM recorder_run) FROM recorder_runs") == [
                "1"
            ])
        // A heartbeat of before the clock was set back is as good as none.
        try await recording.commit([], at: now() + hour)
        #expect(try lines(folder.store, last) == ["unknown|recorder_stopped|1"])
        let again = try await freshly(recording) { try lines(folder.store, last) }
        #expect(again == ["up||1"])
    }

    @Test("the same name keeps its row and slots, another host or not")
    func sameName() async throws {
        try await run([mainBar], from: 0, cleanEnd: 1)
        try await run([ProcessorSpec(name: "Main Bar", host: "192.0.2.9", controlPort: 6000)], from: 10, cleanEnd: 11)
        #expect(
            try lines(folder.store, "SELECT processor, host, control_port FROM processors") == [
                "Main Bar|192.0.2.9|6000"
            ])
    }

    @Test("a simulation is not recorded into a venue's store, and leaves no trace there")
    func mixture() async throws {
        let simulated = ProcessorSpec(name: "Simulated", host: "127.0.0.1", controlPort: 1, isSimulated: true)
        try await run([mainBar], from: 0, cleanEnd: 1)
        let error = await #expect(throws: StoreError.self) {
            _ = try await Recording(folder.store, [simulated], at: start + minute)
        }
        #expect(error?.kind == .notOurs)
        #expect(try integer(folder.store, "SELECT count(*) FROM recorder_runs") == 1)
        #expect(try integer(folder.store, "SELECT count(*) FROM processors") == 1)
    }

    @Test("rows neither overlap nor leave a hole, whatever happens", .timeLimit(.minutes(1)), arguments: 1...25)
    func noHoles(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let all = [mainBar, patio, ProcessorSpec(name: "Terrace", host: "192.0.2.3", controlPort: 5321)]
        var time = now() - 30 * 24 * hour
        func pass(_ atMost: Int64) { time += Int64.random(in: 1...atMost, using: &generator) }
        for round in 0..<Int.random(in: 1...8, using: &generator) {
            // Between runs the clock may be set.
            if round > 0 { time += Int64.random(in: -3 * hour...10 * hour, using: &generator) }
            let specs = all.filter { _ in Bool.random(using: &generator) }
            do {
                let recording = try await Recording(folder.store, specs.isEmpty ? [mainBar] : specs, at: time)
                for _ in 0..<Int.random(in: 0...30, using: &generator) {
                    pass(hour)
                    var entries: [Entry] = []
                    if Int.random(in: 0..<8, using: &generator) == 0 {
                        let step = Int64.random(in: -5 * hour...5 * hour, using: &generator)
                        time += step
                        entries.append(.clockSet(at: time, by: step))
                    }
                    let processor = recording.processors.randomElement(using: &generator)!
                    let states: [LinkState] = [.up, .down(.refused), .down(.silent), .down(.errno("EADDRINUSE"))]
                    // The evidence may lie before the moment it was noticed.
                    let since = time - Int64.random(in: 0...10 * second, using: &generator)
                    entries.append(
                        .change(
                            processor: processor.id, link: Link.allCases.randomElement(using: &generator)!,
                            state: states.randomElement(using: &generator)!, since: since))
                    try await recording.commit(entries, at: time)
                }
                pass(minute)
                if Bool.random(using: &generator) { try await recording.writer.finish([], at: time) }
            }
            await waitUntilFree(folder.store)
            try expectNoHoles(seed, round)
        }
    }

    private func expectNoHoles(_ seed: UInt64, _ round: Int) throws {
        let first = try integer(folder.store, "SELECT min(started_us) FROM recorder_runs")
        for name in try lines(folder.store, "SELECT processor FROM processors") {
            for link in ["control", "meters"] {
                let rows = try rows(
                    folder.store,
                    """
                    SELECT started_us, ended_us, state, cause, seconds FROM link_states
                     WHERE processor = '\(name)' AND link = '\(link)' ORDER BY started_us, ended_us IS NULL, ended_us
                    """)
                let place: Comment = "\(name) \(link), seed \(seed), round \(round)"
                #expect(rows.first?[0] == .integer(first), place)
                #expect(rows.last?[1] == .null, place)
                for (row, next) in zip(rows, rows.dropFirst()) where row[1] != next[0] {
                    Issue.record("\(row.map(\.shown)) is not followed by \(next.map(\.shown)): \(place)")
                }
                #expect(rows.allSatisfy { ($0[4].real ?? -1) >= 0 }, place)
                #expect(rows.allSatisfy { ($0[2] == .text("up")) == ($0[3] == .null) }, place)
            }
        }
    }
}
