import CSQLite
import Glibc

/// A damaged store, opened so that as much of it as can be is read. One moment of it: a recorder may be writing it.
struct RescueSource {
    let database: Database
    /// Of its tables.
    let version: Int
    /// What else is to be known of how it was read; nil: nothing.
    let note: String?

    private static let doing = "rescue the store"

    /// Throws `.missing`, `.notOurs`, `.schemaTooNew` for what is no store of ours, `.beyondRescue` where SQLite finds its first
    /// page damaged; what else keeps it from being read, with SQLite's own words.
    init(_ path: String) throws(StoreError) {
        let found = try StoreFile.inspect(path)
        guard case .store(let marked) = found else {
            throw StoreError(
                .nothingToRescue, message: found == .empty ? "it is empty" : "there is no such file", doing: Self.doing,
                path: path)
        }
        do throws(StoreError) {
            do throws(StoreError) {
                database = try Self.open(path, .readOnly)
                note = nil
            } catch {
                // SQLite makes a file beside a store to read it.
                guard [SQLITE_READONLY, SQLITE_CANTOPEN].contains(error.code & 0xFF) else { throw error }
                guard Self.hasNoLog(path) else {
                    throw StoreError(
                        .folder, code: error.code,
                        message:
                            "it has a write-ahead log, which cannot be read where the folder cannot be written: copy "
                            + "it and \(path)-wal to another one",
                        doing: Self.doing, path: path)
                }
                database = try Self.open(path, .immutable)
                note = "its folder cannot be written: it was read as it is, there is no write-ahead log"
            }
            let found = Int(try database.integer("PRAGMA user_version", doing: Self.doing))
            version = found < 1 ? marked : found
        } catch {
            guard [SQLITE_CORRUPT, SQLITE_NOTADB].contains(error.code & 0xFF) else { throw error }
            throw Self.hopeless(path, error.code)
        }
        guard version <= Schema.version else {
            let message = "the store has version \(version), this program knows \(Schema.version)"
            throw StoreError(.schemaTooNew, message: message, doing: Self.doing, path: path)
        }
    }

    /// Whether it is still known where this table is.
    func knows(_ table: String) -> Bool { (try? Statement("SELECT 1 FROM \(table)", on: database)) != nil }

    /// A disk that fails ends what was begun; then each table is read at a moment of its own.
    func holdMoment() {
        if sqlite3_get_autocommit(database.handle) != 0 { try? database.execute("BEGIN", doing: Self.doing) }
    }

    static func hopeless(_ path: String, _ code: Int32) -> StoreError {
        StoreError(
            .beyondRescue, code: code, message: "the pages that say which tables it has are damaged themselves",
            doing: doing, path: path)
    }

    /// With writable_schema SQLite reads a file that is shorter than it was, and of the tables' definitions those that it can
    /// (btree.c, lockBtree; prepare.c, sqlite3InitOne). Nothing is written: the connection cannot.
    private static func open(_ path: String, _ mode: Database.Mode) throws(StoreError) -> Database {
        let database = try Database(path: path, mode: mode)
        sqlite3_busy_timeout(database.handle, Database.patience)
        try database.execute("PRAGMA writable_schema = ON; BEGIN", doing: doing)
        _ = try database.integer("PRAGMA schema_version", doing: doing)
        return database
    }

    private static func hasNoLog(_ path: String) -> Bool {
        var status = stat()
        guard stat(path + "-wal", &status) == 0 else { return errno == ENOENT }
        return status.st_size == 0
    }
}
