import CSQLite

/// A copy of one moment of a store, made beside a recorder that writes it (https://sqlite.org/backup.html).
package enum StoreBackup {
    /// Pages of 4 KiB that are copied between two calls of `progress`.
    private static let step: Int32 = 4_096

    /// Copies the store at `path` to `new`, mode 0640; returns its size in bytes. `progress` hears how many of how many pages
    /// are copied. The copy needs no write-ahead log: who may only read can open it from anywhere.
    ///
    /// Throws as `StoreReader` does; `.exists`, `.folder` where `new` cannot be made, `.full`, `.damaged` where the copy is not
    /// whole. What was begun is then removed.
    package static func copy(
        _ path: String, to new: String, progress: (_ copied: Int, _ all: Int) -> Void = { _, _ in }
    ) throws(StoreError) -> Int64 {
        _ = try StoreReader(path: path)
        let file = try NewFile(new, doing: "make the backup")
        do throws(StoreError) { try copyPages(path, to: file.partial, progress) } catch { throw file.named(error) }
        try file.finish()
        return file.size
    }

    private static func copyPages(_ path: String, to partial: String, _ progress: (Int, Int) -> Void) throws(StoreError)
    {
        let source = try Database(path: path, mode: .readOnly)
        sqlite3_busy_timeout(source.handle, Database.patience)
        // One moment: a copy in several steps would begin anew at each of the recorder's commits.
        try source.execute("BEGIN", doing: "read the store")
        _ = try source.integer("SELECT count(*) FROM sqlite_schema", doing: "read the store")
        let target = try Database(path: partial, mode: .readWrite)
        guard let backup = sqlite3_backup_init(target.handle, "main", source.handle, "main") else {
            throw target.error(sqlite3_errcode(target.handle), doing: "make the backup")
        }
        var code = SQLITE_OK
        while code == SQLITE_OK {
            code = sqlite3_backup_step(backup, step)
            let all = Int(sqlite3_backup_pagecount(backup))
            progress(all - Int(sqlite3_backup_remaining(backup)), all)
        }
        let end = sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE, end == SQLITE_OK else { throw target.error(end, doing: "make the backup") }
        try target.execute("PRAGMA journal_mode = DELETE", doing: "finish the backup")
        let check = try Statement("PRAGMA quick_check(1)", on: target, doing: "check the backup")
        if try check.step(), let words = check.text(0), words != "ok" {
            throw StoreError(.damaged, message: words, doing: "back up the store, which is damaged", path: path)
        }
    }
}
