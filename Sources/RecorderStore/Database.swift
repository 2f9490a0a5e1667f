import CSQLite

/// One SQLite connection. Not Sendable: whoever opened it is its only user.
package final class Database {
    package enum Mode {
        case readWrite, readOnly
        /// As the file is, without its write-ahead log and without looking for who writes it: where the folder cannot be
        /// written, and SQLite not make what it needs beside a store to read it.
        case immutable
    }

    package let path: String
    let handle: OpaquePointer
    /// The right to write. Let go of after the connection is closed, which may still move the write-ahead log: two
    /// connections that do that at once can damage the file.
    var lock: StoreLock?
    private let whenClosed: @Sendable () -> Void

    /// Throws `.cannotOpen` and the like; the caller has looked at the file before (`StoreFile`).
    package init(path: String, mode: Mode, whenClosed: @escaping @Sendable () -> Void = {}) throws(StoreError) {
        guard !SQLiteLibrary.isTooOld else {
            let message =
                "this host's SQLite is \(SQLiteLibrary.version), and stores need 3.37.0: install a newer libsqlite3"
            throw StoreError(.other, message: message, doing: "open the store", path: path)
        }
        let flags =
            switch mode {
            case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .readOnly: SQLITE_OPEN_READONLY
            case .immutable: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            }
        var opened: OpaquePointer?
        let name = mode == .immutable ? Self.immutableURI(path) : path
        let code = sqlite3_open_v2(name, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
            sqlite3_close_v2(opened)
            throw StoreError(.cannotOpen, code: code, message: message, doing: "open the store", path: path)
        }
        self.path = path
        self.whenClosed = whenClosed
        handle = opened
    }

    deinit {
        sqlite3_close_v2(handle)
        whenClosed()
    }

    /// https://sqlite.org/uri.html: what is no plain character is written as its hex digits.
    private static func immutableURI(_ path: String) -> String {
        let digits = Array("0123456789ABCDEF")
        var name = ""
        for byte in path.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"):
                name.append(Character(Unicode.Scalar(byte)))
            default: name += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return "file:\(name)?immutable=1"
    }

    /// Runs one or several statements that return nothing of interest.
    package func execute(_ sql: String, doing: String) throws(StoreError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, doing: doing) }
    }

    /// The first column of the first row, as an integer; 0 if there is none.
    package func integer(_ sql: String, doing: String) throws(StoreError) -> Int64 {
        let statement = try Statement(sql, on: self)
        return try statement.step() ? statement.integer(0) : 0
    }

    /// Rows that the last statement changed, those of triggers not counted.
    var changes: Int { Int(sqlite3_changes(handle)) }

    /// All of `body` or nothing. An error from COMMIT does not prove absence, so every write must bear repeating.
    package func transaction(_ doing: String, _ body: () throws(StoreError) -> Void) throws(StoreError) {
        do throws(StoreError) {
            try execute("BEGIN IMMEDIATE", doing: doing)
            try body()
            try execute("COMMIT", doing: doing)
        } catch {
            try? rollBack()  // whoever uses the connection next tries again
            throw error
        }
    }

    /// Ends a transaction that is open still. BEGIN can report an error after it took effect, and ROLLBACK itself needs
    /// memory: so SQLite is asked, not a flag of ours. Before anything is read that may have been written in it: inside, it
    /// looks as if it were stored.
    func rollBack() throws(StoreError) {
        guard sqlite3_get_autocommit(handle) == 0 else { return }
        try execute("ROLLBACK", doing: "undo what could not be written")
    }

    /// The error of the last call, sorted by what the caller can do.
    func error(_ code: Int32, doing: String) -> StoreError {
        let kind: StoreError.Kind =
            switch code & 0xFF {
            case SQLITE_BUSY, SQLITE_LOCKED: .busy
            case SQLITE_FULL: .full
            case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: .cannotOpen
            case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged
            default: .other
            }
        return StoreError(kind, code: code, message: String(cString: sqlite3_errmsg(handle)), doing: doing, path: path)
    }
}
