import CSQLite
import Glibc

/// Copies what can still be read of a damaged store into a new one, row by row. Where a page is damaged it goes on behind it.
/// The sqlite3 program's `.recover` does the same for any database, but Debian builds it without what that needs.
package final class StoreRescue {
    /// What came of one table.
    package struct Outcome: Equatable, Sendable {
        package let table: String
        /// Rows that were copied.
        package let rows: Int
        /// Rows that could be read and cannot be: they break the table's own rules.
        package let refused: Int
        /// Places that could not be read: a page or several that lie together.
        package let gaps: Int
    }

    private let source: Database
    private let target: Database
    /// When the first run began, as far as that could be read, microseconds since 1970 UTC: no time in the store is earlier.
    private var firstRun: Int64 = 0

    /// Throws `.missing`, `.notOurs`, `.schemaTooNew` for what is no store of ours, `.beyondRescue` where not even its tables are known,
    /// `.cannotOpen` if `new` exists or cannot be made.
    package init(of path: String, into new: String) throws(StoreError) {
        guard case .store(let version) = try StoreFile.inspect(path) else {
            throw StoreError(.missing, message: "there is nothing in it", doing: "rescue the store", path: path)
        }
        guard try StoreFile.inspect(new) == .missing else {
            throw StoreError(.cannotOpen, message: "it exists already", doing: "make the new store", path: new)
        }
        source = try Database(path: path, mode: .readOnly)
        sqlite3_busy_timeout(source.handle, Database.patience)
        do throws(StoreError) {
            _ = try source.integer("SELECT count(*) FROM sqlite_schema", doing: "rescue the store")
        } catch {
            throw StoreError(
                .beyondRescue, code: error.code,
                message: "the pages that say which tables it has are damaged themselves",
                doing: "rescue the store", path: path)
        }
        try StoreFile.create(new)
        target = try Database(path: new, mode: .readWrite)
        try target.prepare()
        try Schema.migrate(target, by: Array(Schema.steps.prefix(version)))
        // The rows are what the triggers made already.
        csqlite_enable_triggers(target.handle, 0)
        try target.execute("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF", doing: "make the new store")
    }

    /// Copies everything. `told` hears of each table when it is done. Throws if the new store cannot be written.
    package func run(_ told: (Outcome) -> Void = { _ in }) throws(StoreError) -> [Outcome] {
        var outcomes: [Outcome] = []
        for table in try tables() {
            let outcome = try copy(table)
            outcomes.append(outcome)
            told(outcome)
            if table == "recorder_run" {
                firstRun = try target.integer("SELECT min(started_us) FROM recorder_run", doing: "read the new store")
            }
        }
        try nameLostProcessors()
        try target.execute("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)", doing: "write the new store")
        return outcomes
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

    /// A unit whose row is lost, and whose samples are not, gets a name to be found by.
    private func nameLostProcessors() throws(StoreError) {
        try target.execute(
            """
            INSERT INTO processor (id, name, host, control_port)
            SELECT DISTINCT processor_id, 'rescued ' || processor_id, '?', 5321 FROM (
                SELECT processor_id FROM meter UNION SELECT processor_id FROM sample_minute
                UNION SELECT processor_id FROM link_state)
             WHERE processor_id NOT IN (SELECT id FROM processor)
            """, doing: "name units whose rows are lost")
    }

    // MARK: one table

    private func copy(_ table: String) throws(StoreError) -> Outcome {
        var (columns, keys): ([String], [(order: Int64, name: String)]) = ([], [])
        let info = try Statement("PRAGMA table_info(\(table))", on: target)
        while try info.step() {
            columns.append(info.text(1) ?? "")
            if info.integer(5) > 0 { keys.append((info.integer(5), info.text(1) ?? "")) }
        }
        let key = keys.min { $0.order < $1.order }?.name ?? "rowid"
        let list = columns.joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        let insert = try Statement(
            "INSERT INTO \(table) (\(list)) VALUES (\(marks)) ON CONFLICT DO NOTHING", on: target,
            doing: "copy \(table)")
        var (rows, refused, gaps) = (0, 0, 0)
        try target.execute("BEGIN", doing: "copy \(table)")
        // A link's rows lie by processor and link first: each of them is a stretch of its own.
        let stretches = try table.hasPrefix("link_state") ? links() : [""]
        for stretch in stretches {
            let key = stretch.isEmpty ? key : "started_us"
            let walk = KeyWalk(source, table, key, stretch, from: firstRun)
            try walk.run(columns: list) { (row: Statement) throws(StoreError) in
                do throws(StoreError) {
                    try insert.bind(rowOf: row)
                    try insert.finish()
                    rows += 1
                } catch {
                    guard [SQLITE_CONSTRAINT, SQLITE_MISMATCH].contains(error.code & 0xFF) else { throw error }
                    refused += 1
                }
            } gap: {
                gaps += 1
            }
        }
        try target.execute("COMMIT", doing: "copy \(table)")
        return Outcome(table: table, rows: rows, refused: refused, gaps: gaps)
    }

    private func links() throws(StoreError) -> [String] {
        let ids = try Statement("SELECT id FROM processor", on: target)
        var stretches: [String] = []
        while try ids.step() {
            for link in ["control", "meters"] {
                stretches.append("processor_id = \(ids.integer(0)) AND link = '\(link)'")
            }
        }
        return stretches
    }
}
