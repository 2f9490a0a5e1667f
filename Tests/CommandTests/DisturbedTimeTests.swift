import Foundation
import Testing

/// Time that does not go on as it should, as a user meets it: the program stopped by a signal, the clock set under it.
@Suite(.timeLimit(.minutes(2)))
struct DisturbedTimeTests {
    private func simulate(_ store: String, environment: [String: String] = [:]) throws -> Running {
        try Running(
            ["run", "--simulate", "--meter-port", "0", "--keep-alive", "1", "--store", store], environment: environment)
    }
    private func sql(_ store: String, _ query: String) async throws -> String {
        try await Program.tool("sqlite3", ["-readonly", store, query]).output.trimmingCharacters(in: .newlines)
    }
    private static let holes = """
        SELECT count(*) FROM (SELECT ended_us, seconds, lead(started_us) OVER (PARTITION BY processor, link ORDER BY started_us)
               AS next FROM link_states) WHERE ended_us <> next OR seconds < 0
        """

    @Test("a recorder held up by SIGSTOP: stopped as seen by others meanwhile, recorder_stalled afterwards")
    func heldUp() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let recorder = try simulate(store)
        try await recorder.line("subscribed")
        recorder.send(SIGSTOP)
        let stopped = "SELECT count(*) FROM link_states WHERE cause = 'recorder_stopped' AND ended IS NULL"
        while try await sql(store, stopped) != "2" { try await Task.sleep(for: .milliseconds(50)) }
        recorder.send(SIGCONT)
        try await recorder.line("recorder  held up (for ")
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        #expect(try await sql(store, Self.holes) == "0")
        let stalled = """
            SELECT count(*) FROM link_states WHERE cause = 'recorder_stalled' AND ended_us - started_us > 5000000
            """
        #expect(try await sql(store, stalled) == "2")
        let report = try await Program.run("report", "--store", store, "--since", "5m", "--format", "json")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(report.output.utf8)) as? [String: Any])
        let passages = "SELECT sum(until_us - from_us) / 1e6 FROM recorder_passage"
        let recorded = try #require(Double(await sql(store, passages)))
        #expect(json["recorded_seconds"] as? Double == recorded)
    }

    @Test("a wall clock set back an hour and then right again costs only the time between, by libfaketime")
    func clockSet() async throws {
        let folder = Folder()
        let (store, clock) = (folder.file("s.sqlite"), folder.file("clock"))
        let libraries = ["x86_64", "aarch64"].map { "/usr/lib/\($0)-linux-gnu/faketime/libfaketime.so.1" }
        let library = try #require(
            libraries.first { FileManager.default.fileExists(atPath: $0) },
            "libfaketime is missing: scripts/test gets it")
        func set(_ offset: String) throws { try "\(offset)\n".write(toFile: clock, atomically: true, encoding: .utf8) }
        try set("+0")
        let recorder = try simulate(
            store,
            environment: [
                "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1",
                "DONT_FAKE_MONOTONIC": "1",
            ])
        try await recorder.line("subscribed")
        try set("-1h")
        try await recorder.line("clock step (set back by 3600.00")
        try set("+0")
        try await recorder.line("clock step (set forward by 3600.00")
        recorder.send(SIGTERM)
        let ended = try await recorder.end()
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(try await sql(store, Self.holes) == "0")
        let rows = try await sql(
            store,
            """
            SELECT state, cause, CAST(seconds + 30 AS INTEGER) / 60 FROM link_states
             WHERE link = 'control' AND cause IS NOT 'recorder_stopped' ORDER BY started_us
            """)
        // The hour in which no recorder was there lies before the first of it that was not lived twice.
        #expect(
            rows.split(separator: "\n") == [
                "up||0", "unknown|clock_step|60", "up||0", "unknown|clock_step|0", "up||0",
            ], "\(rows)")
    }
}
