import CSQLite

extension Database {
    /// Milliseconds that a write waits for whoever else holds the store.
    static let patience: Int32 = 5_000

    /// Opens for writing: makes the file with mode 0640, sets what a connection sets, migrates. Whoever waited for `lock`
    /// may find another file than before, so it is looked at again.
    convenience init(
        forWriting path: String, lock: StoreLock, whenClosed: @escaping @Sendable () -> Void = {}
    ) throws(StoreError) {
        _ = try StoreFile.inspect(path)
        try StoreFile.refuseLinks(beside: path)
        try StoreFile.create(path)
        try self.init(path: path, mode: .readWrite, whenClosed: whenClosed)
        self.lock = lock
        try prepare()
        try Schema.migrate(self)
    }

    /// What the file and the connection are set to before anything is written.
    func prepare() throws(StoreError) {
        sqlite3_busy_timeout(handle, Self.patience)
        let doing = "open the store"
        if try integer("PRAGMA page_count", doing: doing) == 0 {
            // The file's first write is its mark, before there is a write-ahead log: a recorder killed while it makes
            // the store leaves a file that `StoreFile` knows as ours.
            let marks = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = \(Schema.applicationID)"
            try execute("PRAGMA page_size = 4096; BEGIN; \(marks); COMMIT", doing: doing)
        }
        let mode = try Statement("PRAGMA journal_mode = WAL", on: self, doing: doing)
        guard try mode.step(), mode.text(0) == "wal" else {
            let message = "this file system cannot hold a write-ahead log"
            throw StoreError(.cannotOpen, message: message, doing: doing, path: path)
        }
        mode.reset()
        try execute("PRAGMA foreign_keys = ON; PRAGMA mmap_size = 0", doing: doing)
        try execute("PRAGMA journal_size_limit = 4194304; PRAGMA wal_autocheckpoint = 0", doing: doing)
        csqlite_persist_wal(handle)
    }

    /// SQLite refuses this pragma inside a transaction, so one that could not be undone before is undone now.
    func setSynchronous(full: Bool) throws(StoreError) {
        try rollBack()
        try execute(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", doing: "set how commits wait")
    }
}
