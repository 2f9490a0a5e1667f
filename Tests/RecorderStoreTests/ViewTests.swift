import Foundation
import Migrations
import Testing

@testable import RecorderStore

@Suite struct ViewTests {
    private let folder = TemporaryFolder()

    private func store() throws -> Database {
        try Database(forWriting: folder.store, lock: StoreLock(store: folder.store, holder: "test"))
    }

    /// The views that users may rely on.
    private static let contract: [(view: String, columns: String)] = [
        ("meter_samples", "time, at_us, processor, meter, label, level_db"),
        ("latest_levels", "processor, meter, label, level_db, time, at_us, current"),
        (
            "meter_minutes",
            "time, start_us, processor, meter, label, samples, low_db, mean_db, high_db, silent_seconds, seconds"
        ),
        (
            "meter_hours",
            "time, start_us, processor, meter, label, samples, low_db, mean_db, high_db, silent_seconds, seconds"
        ),
        ("connection_events", "time, at_us, processor, link, event, cause, detail"),
        (
            "socket_errors",
            "first_time, last_time, first_us, last_us, count, processor, socket, operation, code, errno, address, holder, message"
        ),
        ("socket_error_minutes", "start_us, processor, socket, operation, code, count"),
        ("link_states", "processor, link, state, cause, started, ended, started_us, ended_us, seconds"),
        ("sample_losses", "time, from_us, until_us, processor, reason, datagrams, samples"),
        ("sample_counts", "time, start_us, processor, datagrams, received, stored, duplicate, lost"),
        ("parameter_changes", "time, at_us, processor, parameter, label, value, previous"),
        ("recorder_runs", "run, started, ended, started_us, ended_us, clean, version, pid, host"),
        ("processors", "processor, host, control_port, firmware, first_seen, last_seen"),
    ]

    @Test(
        "every view has the columns that users rely on, in their order, and answers on an empty store",
        arguments: contract)
    func columns(view: String, columns: String) throws {
        _ = try store()
        let table = try StoreReader(path: folder.store).query("SELECT * FROM \(view)")
        #expect(table.columns.joined(separator: ", ") == columns)
        #expect(table.rows.isEmpty)
    }

    @Test(
        "every view runs in the plain sqlite3 program",
        .enabled(if: isExecutable("/usr/bin/sqlite3"), "sqlite3 is missing"))
    func plainProgram() throws {
        _ = try store()
        for (view, _) in Self.contract {
            let result = try run("/usr/bin/sqlite3", ["-readonly", folder.store, "SELECT * FROM \(view)"])
            #expect(result.status == 0 && result.errors.isEmpty, "\(view): \(result.errors)")
        }
    }

    /// What SQLite 3.37, the oldest program of our users, does not have; and what only newer ones read right.
    private static let tooNew = [
        "->", "unixepoch(", " format(", "full join", "full outer", "right join", "right outer", "is distinct",
        "is not distinct",
        "'auto'", "'subsec", "timediff(", "string_agg(", " concat(", "(concat(", "concat_ws(", "unhex(", "iif(true",
        "octet_length(",
        "json_error", "json5", "jsonb", "median(", "percentile(",
    ]

    private static func files(of folder: String) -> [(name: String, sql: String)] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)) ?? []
        return names.filter { $0.hasSuffix(".sql") }.sorted().map { name in
            (name, (try? String(contentsOf: root.appending(path: "\(folder)/\(name)"), encoding: .utf8)) ?? "")
        }
    }

    @Test("migrations and reports keep to SQLite 3.37", arguments: ["Migrations", "reports"])
    func oldDialect(folder: String) {
        let files = Self.files(of: folder)
        #expect(files.count >= 2)
        for (name, text) in files {
            let sql = text.split(separator: "\n").map {
                $0.prefix(upTo: $0.firstRange(of: "--")?.lowerBound ?? $0.endIndex)
            }
            .joined(separator: "\n").lowercased()
            for word in Self.tooNew where sql.contains(word) { Issue.record("\(name) has \(word)") }
        }
    }

    @Test("the build has every migration, in the order of their numbers")
    func migrations() {
        #expect(Migrations.files.map { $0.name + ".sql" } == Self.files(of: "Migrations").map(\.name))
    }

    // MARK: plans

    private func plan(_ sql: String) throws -> [String] {
        try lines(folder.store, "EXPLAIN QUERY PLAN " + sql).map { String($0.split(separator: "|").last ?? "") }
    }

    @Test(
        "a range of time on meter_samples is found by the key of both tables",
        arguments: [
            "SELECT *", "SELECT at_us, level_db", "SELECT time, label, level_db", "SELECT count(*)",
            "SELECT avg(level_db)",
        ],
        [
            "", " AND processor = 'Main Bar'", " AND meter = 'ZoneMeter_0'",
            " AND processor = 'Main Bar' AND meter = 'ZoneMeter_0'",
        ])
    func samplePlan(columns: String, filter: String) throws {
        _ = try store()
        let from = "FROM meter_samples WHERE at_us >= 1761064200000000 AND at_us < 1761067800000000\(filter)"
        let plan = try plan("\(columns) \(from)")
        for table in ["f", "s"] {
            #expect(plan.contains("SEARCH \(table) USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"), "\(plan)")
        }
        #expect(!plan.contains { $0.hasPrefix("SCAN") && $0 != "SCAN u" && !$0.hasPrefix("SCAN (subquery") }, "\(plan)")
        let readsLabels = plan.contains { $0.hasPrefix("SEARCH l ") }
        #expect(
            readsLabels == (columns.contains("label") || columns.contains("*") && !columns.contains("count")), "\(plan)"
        )
    }

    @Test(
        "a range of time on the other views uses an index",
        arguments: [
            ("connection_events", "at_us"), ("parameter_changes", "at_us"), ("meter_minutes", "start_us"),
            ("socket_errors", "last_us"), ("sample_losses", "until_us"), ("socket_error_minutes", "start_us"),
            ("sample_counts", "start_us"),
        ])
    func otherPlans(view: String, column: String) throws {
        _ = try store()
        let plan = try plan(
            "SELECT * FROM \(view) WHERE \(column) >= 1761064200000000 AND \(column) < 1761067800000000")
        #expect(!plan.contains { $0.hasPrefix("SCAN") && $0 != "SCAN \(view)" }, "\(plan)")
    }

    @Test("one link's states are found by the primary key")
    func statePlan() throws {
        _ = try store()
        let plan = try plan(
            "SELECT * FROM link_states WHERE processor = 'Main Bar' AND link = 'control' AND started_us >= 1761064200000000"
        )
        #expect(plan.contains("SEARCH s USING PRIMARY KEY (processor_id=? AND link=? AND started_us>?)"), "\(plan)")
    }

    @Test("local times are cut to milliseconds, never rounded up")
    func times() async throws {
        let recording = try await Recording(folder.store)
        try await recording.commit(
            [.event(.init(processor: nil, at: start + 1_999_999, link: nil, name: .started))], at: start)
        #expect(try lines(folder.store, "SELECT substr(time, -6) FROM connection_events") == ["01.999"])
    }
}
