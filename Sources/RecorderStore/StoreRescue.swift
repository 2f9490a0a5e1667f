import CSQLite
import Migrations

/// Copies what can still be read of a damaged store into a new one, row by row. Where a page is damaged it goes on behind it.
/// The sqlite3 program's `.recover` does the same for any database, but Debian builds it without what that needs.
package final class StoreRescue {
    /// What came of one table.
    package struct Outcome: Equatable, Sendable {
        package let table: String
        /// Rows that were copied.
        package var rows = 0
        /// Rows that could be read and cannot be: they break the table's own rules.
        package var refused = 0
        /// Places that could not be read: a page or several that lie together.
        package var gaps = 0
        /// The page that says where it is cannot be read.
        package var isMissing = false
        /// The last key before the first gap; nil: there is none.
        var firstGap: Int64?

        package var isWhole: Bool { refused == 0 && gaps == 0 && !isMissing }
    }
    package struct Result: Sendable {
        package let outcomes: [Outcome]
        /// Samples that had been counted as stored and are not found.
        package let samplesLost: Int64
        /// How the damaged store was read, if not as usual.
        package let note: String?
        package var isWhole: Bool { outcomes.allSatisfy(\.isWhole) && samplesLost == 0 }
    }

    private let path: String
    private let source: RescueSource
    private let target: Database
    /// From the first run's begin to the last one's end, as far as that could be read: all times in the store lie there.
    private var times: ClosedRange<Int64>?

    /// Makes `new`, a store of this version, from what can be read of the one at `path`; `told` hears of each table when it
    /// is copied. What was lost is told in the new store, too: an event at `now`, and rows of `sample_loss`.
    ///
    /// Throws as `RescueSource` does, `.beyondRescue` too where no table is known; `.exists`, `.folder`, `.full` where the new
    /// store cannot be made. What was begun is then removed.
    package static func copy(
        _ path: String, to new: String, at now: Int64, told: (Outcome) -> Void = { _ in }
    ) throws(StoreError) -> Result {
        let source = try RescueSource(path)
        let file = try NewFile(new, doing: "make the rescued store")
        let result: Result
        do throws(StoreError) {
            result = try StoreRescue(path, source, into: file.partial).run(at: now, told)
        } catch {
            throw file.named(error)
        }
        try file.finish()
        return result
    }

    private init(_ path: String, _ source: RescueSource, into partial: String) throws(StoreError) {
        (self.path, self.source) = (path, source)
        target = try Database(path: partial, mode: .readWrite)
        let doing = "make the rescued store"
        // Nobody sees it before it is whole: nothing of it need be undone after a crash.
        let marks = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = \(Schema.applicationID)"
        try target.execute("PRAGMA page_size = 4096; PRAGMA journal_mode = MEMORY; \(marks)", doing: doing)
        try target.execute("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF", doing: doing)
        try Schema.migrate(target, by: Array(Migrations.files.prefix(source.version)))
        // The rows are what the triggers made already.
        csqlite_enable_triggers(target.handle, 0)
    }

    private func run(at now: Int64, _ told: (Outcome) -> Void) throws(StoreError) -> Result {
        let tables = try tables()
        guard tables.contains(where: source.knows) else { throw RescueSource.hopeless(path, SQLITE_CORRUPT) }
        var outcomes: [Outcome] = []
        for table in tables {
            source.holdMoment()
            let outcome = try copy(table)
            outcomes.append(outcome)
            told(outcome)
            if table == "recorder_run" { times = try recordedTimes() }
        }
        try Schema.migrate(target)
        let mending = RescueMending(target, outcomes)
        var lost: Int64 = 0
        try target.transaction("write what was lost") { () throws(StoreError) in
            lost = try mending.run(of: path, at: now)
        }
        return Result(outcomes: outcomes, samplesLost: lost, note: source.note)
    }

    /// Those first that others point to.
    private func tables() throws(StoreError) -> [String] {
        let rows = try Statement(
            """
            SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'
             ORDER BY name NOT IN ('recorder_run', 'processor'), name <> 'meter', name
            """, on: target)
        var names: [String] = []
        while try rows.step() { if let name = rows.text(0) { names.append(name) } }
        return names
    }

    private func recordedTimes() throws(StoreError) -> ClosedRange<Int64>? {
        let doing = "read the rescued store"
        let first = try target.integer("SELECT min(started_us) FROM recorder_run", doing: doing)
        let last = try target.integer(
            "SELECT max(max(heartbeat_us, coalesce(ended_us, 0))) FROM recorder_run", doing: doing)
        return first > 0 && last >= first && last < .max / 2 ? first...last + 3_600_000_000 : nil
    }

    // MARK: one table

    private func copy(_ table: String) throws(StoreError) -> Outcome {
        var outcome = Outcome(table: table)
        guard source.knows(table) else {
            outcome.isMissing = true
            return outcome
        }
        var (columns, keys): ([String], [(order: Int64, name: String)]) = ([], [])
        let info = try Statement("PRAGMA table_info(\(table))", on: target)
        while try info.step() {
            columns.append(info.text(1) ?? "")
            if info.integer(5) > 0 { keys.append((info.integer(5), info.text(1) ?? "")) }
        }
        let order = keys.isEmpty ? ["rowid"] : keys.sorted { $0.order < $1.order }.map(\.name)
        let list = columns.joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        let insert = try Statement(
            "INSERT INTO \(table) (\(list)) VALUES (\(marks)) ON CONFLICT DO NOTHING", on: target,
            doing: "copy \(table)")
        func walk(_ key: String, _ stretch: String) throws(StoreError) {
            let walk = try KeyWalk(
                source.database, table, columns: list, key: key, order: order, stretch: stretch,
                times: key.hasSuffix("_us") ? times : nil)
            try walk.run { (row: Statement) throws(StoreError) in
                do throws(StoreError) {
                    try insert.bind(rowOf: row)
                    try insert.finish()
                    // A row may come twice.
                    outcome.rows += Int(sqlite3_changes(target.handle))
                } catch {
                    guard [SQLITE_CONSTRAINT, SQLITE_MISMATCH].contains(error.code & 0xFF) else { throw error }
                    outcome.refused += 1
                }
            } gap: { gap in
                outcome.firstGap = outcome.gaps == 0 ? gap.after : min(outcome.firstGap ?? 0, gap.after ?? 0)
                outcome.gaps += 1
            }
        }
        try target.execute("BEGIN", doing: "copy \(table)")
        try walk(order[0], "")
        if outcome.gaps > 0, let time = order.last, time != order[0], let stretches = try stretches(of: table) {
            (outcome.gaps, outcome.firstGap) = (0, nil)
            for stretch in stretches { try walk(time, stretch) }
            outcome.gaps = max(outcome.gaps, 1)
        }
        try target.execute("COMMIT", doing: "copy \(table)")
        return outcome
    }

    /// Where rows do not lie by time first, but a link's or a meter's together: the conditions for each of these.
    private func stretches(of table: String) throws(StoreError) -> [String]? {
        switch table {
        case "link_state", "link_state_ahead": return try links()
        case "meter_hour" where source.version >= 10:
            let ids = try Statement("SELECT id FROM meter", on: target)
            var meters: [String] = []
            while try ids.step() { meters.append("meter_id = \(ids.integer(0))") }
            return meters
        default: return nil
        }
    }

    private func links() throws(StoreError) -> [String] {
        let ids = try Statement(
            """
            SELECT id FROM processor UNION SELECT processor_id FROM meter UNION SELECT processor_id FROM latest_level
            UNION SELECT processor_id FROM link_state
            """, on: target)
        var stretches: [String] = []
        while try ids.step() {
            for link in ["control", "meters"] {
                stretches.append("processor_id = \(ids.integer(0)) AND link = '\(link)'")
            }
        }
        return stretches
    }
}
