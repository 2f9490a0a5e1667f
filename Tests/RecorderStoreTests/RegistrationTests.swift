import AtlasProtocol
import Synchronization
import Testing

@testable import RecorderStore

/// Units that a run goes on with: their rows come with a commit, once, and no link has a hole.
struct RegistrationTests {
    private let folder = TemporaryFolder()

    /// What the writer told of.
    private final class Told: Sendable {
        private let units = Mutex<[[RegisteredProcessor]]>([])
        var all: [[RegisteredProcessor]] { units.withLock { $0 } }
        func registration(_ specs: ProcessorSpec...) -> StoreWriter.Registration {
            .init(specs) { units in self.units.withLock { $0.append(units) } }
        }
    }

    private func states(_ processor: String) throws -> [String] {
        try lines(
            folder.store,
            """
            SELECT link, coalesce(cause, state), (started_us - \(start)) / 1000000, (ended_us - \(start)) / 1000000
              FROM link_state l JOIN processor p ON p.id = l.processor_id WHERE p.name = '\(processor)'
             ORDER BY link, started_us
            """)
    }

    @Test("one that the store has never seen was not recorded until then, and is from then on")
    func new() async throws {
        let recording = try await Recording(folder.store, [mainBar])
        let told = Told()
        try await recording.writer.commit(
            [], registering: [told.registration(patio)], samples: true, at: start + 10 * second)
        #expect(told.all.map { $0.map(\.spec) } == [[patio]])
        #expect(
            try states("Patio") == [
                "control|not_recorded|0|10", "control|recorder_starting|10|", "meters|not_recorded|0|10",
                "meters|recorder_starting|10|",
            ])
        #expect(try states("Main Bar") == ["control|recorder_starting|0|", "meters|recorder_starting|0|"])
    }

    @Test("one of an earlier run has its row, its slots and its last values back")
    func known() async throws {
        do {
            let first = try await Recording(folder.store, [mainBar, patio])
            first.feed([(Meter(.zone, 3), -20.5, start + second)], processor: 1)
            try await first.writer.finish([], at: start + 5 * second)
        }
        await waitUntilFree(folder.store)
        let second_ = try await Recording(folder.store, [mainBar], at: start + 20 * second)
        let told = Told()
        let moved = ProcessorSpec(name: "Patio", host: "192.0.2.9", controlPort: 5322)
        try await second_.writer.commit(
            [], registering: [told.registration(moved)], samples: true, at: start + 30 * second)
        let unit = try #require(told.all.first?.first)
        #expect(unit.slots.map(\.meter) == [Meter(.zone, 3)])
        #expect(unit.latest[unit.slots[0].slot]?.level == -20.5)
        #expect(
            try lines(folder.store, "SELECT host, control_port FROM processors WHERE processor = 'Patio'") == [
                "192.0.2.9|5322"
            ])
        #expect(
            try states("Patio").prefix(4) == [
                "control|recorder_starting|0|5", "control|recorder_stopped|5|20", "control|not_recorded|20|30",
                "control|recorder_starting|30|",
            ])
    }

    @Test("one that is given another host while it is recorded keeps its rows, and what its links are")
    func moved() async throws {
        let recording = try await Recording(folder.store, [mainBar])
        let told = Told()
        let moved = ProcessorSpec(name: "Main Bar", host: "192.0.2.9", controlPort: 5321)
        try await recording.writer.commit(
            Link.allCases.map {
                .change(
                    processor: recording.id, link: $0, state: .unknown(.recorderStarting), since: start + 9 * second)
            }, registering: [told.registration(moved)], samples: true, at: start + 10 * second)
        #expect(told.all.first?.first?.id == recording.id)
        // The registration adds none: this is what its links are already.
        #expect(
            try states("Main Bar") == [
                "control|recorder_starting|0|9", "control|recorder_starting|9|", "meters|recorder_starting|0|9",
                "meters|recorder_starting|9|",
            ])
        #expect(try integer(folder.store, "SELECT count(*) FROM processor") == 1)
    }

    @Test("removed and back in one run: the frames between are there, and its slots are those it was given last")
    func back() async throws {
        let recording = try await Recording(folder.store, [mainBar, patio])
        recording.feed([(Meter(.zone, 0), -10, start + second)], processor: 1)
        let id = recording.processors[1].id
        let gone = Link.allCases.map {
            Entry.change(processor: id, link: $0, state: .unknown(.notRecorded), since: start + 2 * second)
        }
        try await recording.writer.commit(gone, samples: false, at: start + 2 * second)
        // Its last block still waits: the registration takes it with it.
        let told = Told()
        try await recording.writer.commit(
            [], registering: [told.registration(patio)], samples: true, at: start + 4 * second)
        #expect(told.all.first?.first?.id == id)
        #expect(told.all.first?.first?.slots.map(\.meter) == [Meter(.zone, 0)])
        #expect(
            try states("Patio").prefix(3) == [
                "control|recorder_starting|0|2", "control|not_recorded|2|4", "control|recorder_starting|4|",
            ])
    }

    @Test("a commit that fails at any point registers nothing; the next one does, and tells once")
    func interrupted() async throws {
        let recording = try await Recording(folder.store, [mainBar])
        for check in 1...2_000 {
            let (told, at) = (Told(), start + Int64(check) * second)
            let unit = ProcessorSpec(name: "Unit \(check)", host: "192.0.2.\(check)", controlPort: 5321)
            let (failure, isPast) = await recording.writer.commit(
                [], registering: [told.registration(unit)], at: at, interruptedAtCheck: check)
            #expect(told.all.isEmpty == (failure != nil), "check \(check)")
            let count = try integer(folder.store, "SELECT count(*) FROM processor")
            #expect(count == Int64(failure == nil ? check + 1 : check), "check \(check)")
            try await recording.commit([], at: at)
            try await recording.commit([], at: at)
            #expect(told.all.map { $0.map(\.spec) } == [[unit]], "check \(check)")
            #expect(try integer(folder.store, "SELECT count(*) FROM processor") == check + 1)
            if failure == nil, isPast { return }
        }
        Issue.record("never ran to the end")
    }

    @Test("a COMMIT that reports an error and is in the store tells once, with the rows that are there")
    func ambiguous() async throws {
        let recording = try await Recording(folder.store, [mainBar])
        let told = Told()
        await recording.writer.failAfterCommit()
        try await recording.writer.commit(
            [], registering: [told.registration(patio)], samples: true, at: start + second)
        await recording.writer.failAfterCommit(false)
        try await recording.commit([], at: start + 2 * second)
        #expect(told.all.map { $0.map(\.spec) } == [[patio]])
        #expect(try integer(folder.store, "SELECT count(*) FROM processor") == 2)
    }
}
