import AtlasProtocol
import Testing

@testable import RecorderStore

@Suite struct LinkStateTests {
    private let folder = TemporaryFolder()

    private func states(_ changes: (Int32) -> [Entry]) async throws -> [String] {
        let recording = try await Recording(folder.store)
        try await recording.commit(changes(recording.id), at: start + hour)
        return try lines(
            folder.store,
            """
            SELECT state, cause, (started_us - \(start)) / 1000000, (ended_us - \(start)) / 1000000
              FROM link_state WHERE link = 'control' ORDER BY started_us
            """)
    }

    private func change(_ id: Int32, _ state: LinkState, _ seconds: Int64) -> Entry {
        .change(processor: id, link: .control, state: state, since: start + seconds * second)
    }

    @Test("a change ends the row that lasts and begins the next where it ended")
    func changes() async throws {
        let rows = try await states { id in
            [change(id, .down(.refused), 1), change(id, .up, 5), change(id, .down(.silent), 60)]
        }
        #expect(rows == ["unknown|recorder_starting|0|1", "down|refused|1|5", "up||5|60", "down|silent|60|"])
    }

    @Test("a change at the start of the row that lasts, or before it, replaces that row", arguments: [10, 9, 0, -100])
    func correction(since: Int64) async throws {
        let rows = try await states { id in
            [
                change(id, .up, 1), change(id, .down(.notArriving), 10), change(id, .down(.taken), since),
                change(id, .up, 20),
            ]
        }
        #expect(rows == ["unknown|recorder_starting|0|1", "up||1|10", "down|taken|10|20", "up||20|"])
    }

    @Test("the view has the same columns of the row that lasts as of others, and a length")
    func lasting() async throws {
        let recording = try await Recording(folder.store, at: now() - 10 * second)
        let up = change(recording.id, .up, (now() - start) / second - 4)
        let found = try await freshly(recording, [up]) {
            try rows(
                folder.store,
                "SELECT state, ended, ended_us, seconds FROM link_states WHERE link = 'control' ORDER BY started_us")
        }
        #expect(found.count == 2)
        #expect(found[1][0] == .text("up") && found[1][1] == .null && found[1][2] == .null)
        #expect((3.0...600).contains(found[1][3].real ?? 0))
    }
}
