import CSQLite
import Glibc

/// Rows as a query gave them.
package struct Table: Sendable, Equatable {
    package let columns: [String]
    package let rows: [[SQLValue]]

    package init(columns: [String], rows: [[SQLValue]]) { (self.columns, self.rows) = (columns, rows) }

    /// A row's value by its column's name; `.null` if there is no such column.
    package func value(_ row: Int, _ column: String) -> SQLValue {
        columns.firstIndex(of: column).map { rows[row][$0] } ?? .null
    }
}

/// Reads a store beside a running recorder, or without one; never writes. All its queries see one moment.
package final class StoreReader {
    package let path: String
    private let database: Database

    /// Throws `.missing`, `.notOurs`, `.schemaTooNew`, `.schemaTooOld` or `.cannotOpen`.
    package init(path: String) throws(StoreError) {
        switch try StoreFile.inspect(path) {
        case .missing: throw StoreError(.missing, message: "there is no such file", doing: "read the store", path: path)
        case .empty: throw StoreError(.missing, message: "the file is empty", doing: "read the store", path: path)
        case .store: break
        }
        self.path = path
        database = try Database(path: path, mode: .readOnly)
        sqlite3_busy_timeout(database.handle, 5_000)
        try database.execute("PRAGMA query_only = ON; BEGIN", doing: "read the store")
        // The file's header, which was looked at, may be older than what the write-ahead log holds.
        let version = Int(try database.integer("PRAGMA user_version", doing: "read the store"))
        guard version == Schema.version else {
            let kind: StoreError.Kind = version < Schema.version ? .schemaTooOld : .schemaTooNew
            let message = "it has version \(version), this program knows \(Schema.version)"
            throw StoreError(kind, message: message, doing: "read the store", path: path)
        }
    }

    /// Of its write-ahead log; 0: there is none.
    package var logBytes: Int64 {
        var status = stat()
        return stat(path + "-wal", &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Runs the statements of `sql` in order; the rows are the last one's that gives any columns. Parameters that a
    /// statement does not name are passed over.
    package func query(_ sql: String, _ parameters: [String: SQLValue] = [:]) throws(StoreError) -> Table {
        var rest = sql
        var table = Table(columns: [], rows: [])
        while let (statement, tail) = try Statement.first(of: rest, on: database) {
            if let unknown = statement.parameterNames.first(where: { parameters[$0] == nil }) {
                let message = "there is no parameter \(unknown)"
                throw StoreError(.badSQL, message: message, doing: "run the report's SQL", path: path)
            }
            for (name, value) in parameters { try statement.bind(value, named: name) }
            var rows: [[SQLValue]] = []
            let columns = (0..<statement.columnCount).map { statement.columnName($0) }
            while try statement.step() { rows.append((0..<columns.count).map { statement.value(Int32($0)) }) }
            if !columns.isEmpty { table = Table(columns: columns, rows: rows) }
            rest = tail
        }
        guard !table.columns.isEmpty else {
            throw StoreError(.badSQL, message: "it has no SELECT", doing: "run the report's SQL", path: path)
        }
        return table
    }
}

extension Statement {
    /// Prepares the first statement of a text and gives back what follows it; nil when only space and comments are left.
    static func first(of sql: String, on database: Database) throws(StoreError) -> (Statement, tail: String)? {
        var prepared: OpaquePointer?
        var rest = ""
        let code = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(database.handle, text, -1, &prepared, &tail)
            if let tail { rest = String(cString: tail) }
            return code
        }
        guard code == SQLITE_OK else {
            let error = database.error(code, doing: "run the report's SQL")
            guard error.kind == .other else { throw error }
            throw StoreError(.badSQL, code: code, message: error.message, doing: error.doing, path: error.path)
        }
        guard let prepared else { return nil }
        return (Statement(prepared: prepared, on: database, doing: "run the report's SQL"), rest)
    }
}
