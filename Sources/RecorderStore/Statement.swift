import CSQLite
import Glibc

/// A value that a statement takes.
package enum SQLValue: Equatable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)

    /// The same to the byte: Swift's `==` takes two spellings of one letter for equal, a unit's name may differ in just
    /// that.
    func isIdentical(to other: SQLValue) -> Bool {
        if case (.text(let one), .text(let two)) = (self, other) { return one.utf8.elementsEqual(two.utf8) }
        return self == other
    }

    package static func text(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }
    package static func integer(_ value: Int64?) -> SQLValue { value.map { .integer($0) } ?? .null }
}

/// A prepared statement of one connection, reset after each run.
package final class Statement {
    private let database: Database
    private let handle: OpaquePointer
    private let doing: String

    /// Prepares the first statement of `sql`. `doing` is what an error says we were about.
    package init(_ sql: String, on database: Database, doing: String = "read") throws(StoreError) {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw database.error(code, doing: doing) }
        (self.database, self.doing) = (database, doing)
        handle = prepared
    }

    /// Takes over a statement that was prepared already.
    init(prepared: OpaquePointer, on database: Database, doing: String) {
        (self.database, self.handle, self.doing) = (database, prepared, doing)
    }

    deinit { sqlite3_finalize(handle) }

    /// Binds, runs to the end and resets.
    package func run(_ values: SQLValue...) throws(StoreError) { try run(values) }

    package func run(_ values: [SQLValue]) throws(StoreError) {
        for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
        try finish()
    }

    package func bind(_ value: SQLValue, at index: Int32) throws(StoreError) {
        let code: Int32
        switch value {
        case .null: code = sqlite3_bind_null(handle, index)
        case .integer(let integer): code = sqlite3_bind_int64(handle, index, integer)
        case .real(let real): code = sqlite3_bind_double(handle, index, real)
        case .text(var text):
            code = text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    csqlite_bind_text_copy(handle, index, $0.baseAddress ?? emptyText, Int32($0.count))
                }
            }
        }
        guard code == SQLITE_OK else { throw database.error(code, doing: doing) }
    }

    /// Binds the columns of another statement's row as they are, to the byte, as many as this one takes.
    func bind(rowOf other: Statement) throws(StoreError) {
        for index in 0..<sqlite3_bind_parameter_count(handle) {
            let code = sqlite3_bind_value(handle, index + 1, sqlite3_column_value(other.handle, index))
            guard code == SQLITE_OK else { throw database.error(code, doing: doing) }
        }
    }

    /// Binds by `:name`; false if the statement has no such parameter.
    @discardableResult
    package func bind(_ value: SQLValue, named name: String) throws(StoreError) -> Bool {
        let index = sqlite3_bind_parameter_index(handle, name)
        guard index > 0 else { return false }
        try bind(value, at: index)
        return true
    }

    /// Hot path: no copy. The bytes must stay where they are until `runOnce()` returns.
    @inline(__always)
    func bind(bytes: UnsafePointer<CChar>, count: Int, at index: Int32) -> Int32 {
        csqlite_bind_text_static(handle, index, bytes, Int32(count))
    }
    @inline(__always)
    func bind(integer: Int64, at index: Int32) -> Int32 { sqlite3_bind_int64(handle, index, integer) }
    @inline(__always)
    func bindNull(at index: Int32) -> Int32 { sqlite3_bind_null(handle, index) }

    /// Runs what is bound and resets; SQLite's result code, SQLITE_DONE when all is well.
    @inline(__always)
    func runOnce() -> Int32 {
        let code = sqlite3_step(handle)
        let end = sqlite3_reset(handle)
        return code == SQLITE_DONE || code == SQLITE_ROW ? code : end
    }

    func finish() throws(StoreError) {
        let code = runOnce()
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw database.error(code, doing: doing) }
    }

    /// The next row; false when there is none, and the statement is reset.
    package func step() throws(StoreError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        let error = code == SQLITE_DONE ? nil : database.error(code, doing: doing)
        sqlite3_reset(handle)
        if let error { throw error }
        return false
    }

    package func reset() { sqlite3_reset(handle) }

    /// `:name` of each parameter, `?` for one without a name.
    var parameterNames: [String] {
        (0..<sqlite3_bind_parameter_count(handle)).map { index in
            sqlite3_bind_parameter_name(handle, index + 1).map { String(cString: $0) } ?? "?"
        }
    }

    package var columnCount: Int { Int(sqlite3_column_count(handle)) }
    package func columnName(_ index: Int) -> String {
        sqlite3_column_name(handle, Int32(index)).map { String(cString: $0) } ?? ""
    }
    package func isNull(_ index: Int32) -> Bool { sqlite3_column_type(handle, index) == SQLITE_NULL }
    package func integer(_ index: Int32) -> Int64 { sqlite3_column_int64(handle, index) }
    package func real(_ index: Int32) -> Double { sqlite3_column_double(handle, index) }
    package func text(_ index: Int32) -> String? {
        guard let bytes = sqlite3_column_text(handle, index) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, index))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
    /// A text's bytes where SQLite keeps them; they are gone with the next step.
    @inline(__always)
    func bytes(_ index: Int32) -> UnsafeBufferPointer<UInt8> {
        let bytes = sqlite3_column_blob(handle, index)  // unlike _text it does not copy to append a zero
        let count = Int(sqlite3_column_bytes(handle, index))
        return UnsafeBufferPointer(start: bytes?.assumingMemoryBound(to: UInt8.self), count: count)
    }
    func isInteger(_ index: Int32) -> Bool { sqlite3_column_type(handle, index) == SQLITE_INTEGER }
    package func value(_ index: Int32) -> SQLValue {
        switch sqlite3_column_type(handle, index) {
        case SQLITE_INTEGER: .integer(integer(index))
        case SQLITE_FLOAT: .real(real(index))
        case SQLITE_NULL: .null
        default: .text(text(index))
        }
    }
}

/// What an empty Swift string is bound from: its own buffer may have no address, and SQLite would take nil for NULL.
private nonisolated(unsafe) let emptyText: UnsafePointer<CChar> = UnsafePointer(strdup(""))
