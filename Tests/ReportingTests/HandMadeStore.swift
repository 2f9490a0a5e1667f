import Foundation
import Testing

@testable import RecorderStore
@testable import Reporting

/// A store written by hand, in a folder of its own, and what the reports say of it. Times are seconds after `begin`.
final class HandMadeStore {
    /// 2025-10-21 16:30 UTC, a whole minute, in microseconds since 1970.
    static let begin: Int64 = 1_761_064_200_000_000

    let path: String
    private let folder: String
    private let database: Database

    /// A store with these units and one clean run from 0 to `ended` (nil: it lasts).
    init(_ processors: [String] = ["Main Bar"], ended: Double? = 1_000_000) throws {
        var template = Array("\(NSTemporaryDirectory())/atlas-report-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "cannot make a temporary folder")
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = folder + "/atlas.sqlite"
        database = try Database(forWriting: path, lock: StoreLock(store: path, holder: "test"))
        try run("PRAGMA synchronous = OFF")  // it lives as long as the test
        try letRunsLast()
        for (index, name) in processors.enumerated() {
            try run("INSERT INTO processor (name, host, control_port) VALUES ('\(name)', '192.0.2.\(index + 1)', 5321)")
        }
        try addRun(0, ended)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func at(_ seconds: Double) -> Int64 { begin + Int64((seconds * 1e6).rounded()) }

    func run(_ sql: String) throws { try database.execute(sql, doing: "write a test's store") }

    func addRun(_ from: Double, _ ended: Double?) throws {
        let end = ended.map { "\(Self.at($0))" } ?? "NULL"
        try run(
            """
            INSERT INTO recorder_run (started_us, ended_us, heartbeat_us, clean, version, pid, host)
            VALUES (\(Self.at(from)), \(end), \(ended.map { Self.at($0) } ?? 0), 1, '0', 1, 'h')
            """)
        try run(
            """
            INSERT INTO recorder_passage (run, from_us, until_us)
            SELECT max(run), \(Self.at(from)), \(end) FROM recorder_run
            """)
    }

    /// A run without an end lasts, however long ago its heartbeat was: a test may be slow. What becomes of a run whose
    /// heartbeat is old is tested where it is written.
    private func letRunsLast() throws {
        let stale = "abs((julianday('now') - 2440587.5) * 86400000000 - heartbeat_us) > 5000000"
        let view = try Statement("SELECT sql FROM sqlite_schema WHERE name = 'recorder_runs'", on: database)
        guard try view.step(), let sql = view.text(0), sql.contains(stale) else {
            preconditionFailure("the view recorder_runs tells in another way whether a run lasts")
        }
        view.reset()
        try run("DROP VIEW recorder_runs; " + sql.replacingOccurrences(of: stale, with: "0"))
    }

    func reader() throws -> StoreReader { try StoreReader(path: path) }

    /// Rows that follow one another from `from` on: `state`, or `down:cause`, and how long; nil: it lasts.
    func states(_ rows: [(String, Double?)], from: Double = 0, link: String = "control", processor: Int = 1) throws {
        var time = from
        for (text, length) in rows {
            let parts = text.split(separator: ":")
            let cause = parts.count > 1 ? "'\(parts[1])'" : "NULL"
            let end = length.map { "\(Self.at(time + $0))" } ?? "NULL"
            try run(
                """
                INSERT INTO link_state (processor_id, link, started_us, ended_us, state, cause)
                VALUES (\(processor), '\(link)', \(Self.at(time)), \(end), '\(parts[0])', \(cause))
                """)
            time += length ?? 0
        }
    }

    func question(_ since: Double, _ until: Double, _ processor: String? = nil) -> Question {
        Question(since: Self.at(since), until: Self.at(until), processor: processor, now: Self.at(until))
    }

    func summary(_ since: Double, _ until: Double, processor: String? = nil) throws -> Summary {
        try Summary(reader(), question(since, until, processor))
    }

    func rows(_ sql: String) throws -> [[SQLValue]] { try reader().query(sql).rows }
}

extension Summary {
    func link(_ name: String = "control", of processor: Int = 0) -> LinkSummary {
        processors[processor].links.first { $0.link == name }!
    }
}
