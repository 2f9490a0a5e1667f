import CSQLite

/// Moves the write-ahead log into the file, on the writer's own connection and between its commits
/// (https://sqlite.org/wal.html#ckpt).
final class Checkpointer {
    /// Pages of 4 KiB in the log at which it is moved: about 4 MB.
    private static let threshold: Int32 = 1_000

    private let database: Database
    /// Pages in the log after the last commit; SQLite's hook writes it.
    private let pages = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    /// The same at the last look: where somebody reads, the log goes on growing behind what was moved.
    private var pagesBefore: Int32 = 0

    init(_ database: Database) {
        self.database = database
        pages.initialize(to: 0)
        sqlite3_wal_hook(database.handle, countPages, pages)
        run(emptyingLog: true)
    }

    deinit {
        sqlite3_wal_hook(database.handle, nil, nil)
        pages.deallocate()
    }

    func runIfDue() {
        guard pages.pointee >= Self.threshold else { return }
        run(emptyingLog: false)
    }

    /// Whether so much was written since it was last moved that nothing but samples and events should be added before it is
    /// again.
    var isLong: Bool {
        (pages.pointee >= pagesBefore ? pages.pointee - pagesBefore : pages.pointee) >= Self.threshold
    }

    /// A reader or a full disk may keep it from finishing: then the log grows and the next one goes on. Nobody is waited
    /// for: a reader that takes its time must not hold up a recorder that takes over, or one that stops for the next.
    /// True: the whole log is in the file.
    @discardableResult
    func run(emptyingLog: Bool) -> Bool {
        let mode = emptyingLog ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
        if emptyingLog { sqlite3_busy_timeout(database.handle, 0) }
        defer { pagesBefore = pages.pointee }
        defer { if emptyingLog { sqlite3_busy_timeout(database.handle, Database.patience) } }
        var left: Int32 = 0
        var moved: Int32 = 0
        guard sqlite3_wal_checkpoint_v2(database.handle, nil, mode, &left, &moved) == SQLITE_OK, left == moved else {
            return false
        }
        pages.pointee = 0
        return true
    }
}

/// A plain function: a closure here would inherit the actor's isolation and trap on SQLite's call.
private func countPages(
    _ context: UnsafeMutableRawPointer?, _: OpaquePointer?, _: UnsafePointer<CChar>?, _ pages: Int32
) -> Int32 {
    context?.assumingMemoryBound(to: Int32.self).pointee = pages
    return SQLITE_OK
}
