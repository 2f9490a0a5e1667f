import Glibc

/// Puts a store that cannot be gone on with out of the way: renamed with its write-ahead log, never deleted.
package enum StoreAside {
    /// Renames the store at `path`, its -wal and -shm, to `<path>.damaged-<stamp>` and the same with -wal and -shm.
    /// `stamp`: the time for people, `20261122-163000`. Returns the store's new name. Throws `.cannotOpen` where the folder
    /// cannot be written. A name that is taken is not used again.
    ///
    /// The log goes first: a store without its log is damaged still, but SQLite deletes a log that it finds without its
    /// store (pager.c, pagerOpenWalIfPresent), and would read it into another one of the same page size.
    package static func move(_ path: String, stamp: String) throws(StoreError) -> String {
        let name = freeName(for: path, stamp)
        try move(path, to: name, ["-wal", "-shm", ""])
        return name
    }

    /// Seconds since a store of this name was set aside last; nil: none was, or nobody can tell.
    package static func secondsSinceLast(of path: String) -> Int64? {
        let slash = path.lastIndex(of: "/")
        let (folder, start) = (slash.map { String(path[...$0]) } ?? ".", slash.map { path.index(after: $0) })
        let mark = path[(start ?? path.startIndex)...] + ".damaged-"
        guard let listing = opendir(folder) else { return nil }
        defer { closedir(listing) }
        var latest: Int64?
        while let entry = readdir(listing) {
            let name = FileName.of(entry)
            guard name.hasPrefix(mark), !name.hasSuffix("-wal"), !name.hasSuffix("-shm") else { continue }
            var status = stat()
            // To rename a file changes its status, and only that.
            guard fstatat(dirfd(listing), name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            latest = max(latest ?? .min, Int64(status.st_ctim.tv_sec))
        }
        return latest.map { Int64(time(nil)) - $0 }
    }

    /// Renames a write-ahead log whose store is not there any more: moved or deleted alone, or replaced by another. Returns
    /// the log's new name; nil: there is none, or nothing in it.
    package static func moveOrphanedLog(of path: String, stamp: String) throws(StoreError) -> String? {
        var status = stat()
        guard lstat(path + "-wal", &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
            return nil
        }
        let name = freeName(for: path, stamp)
        try move(path, to: name, ["-wal", "-shm"])
        return name + "-wal"
    }

    private static func move(_ path: String, to name: String, _ suffixes: [String]) throws(StoreError) {
        for suffix in suffixes {
            guard rename(path + suffix, name + suffix) == 0 || errno == ENOENT else {
                let message =
                    "\(path + suffix) cannot be renamed to \(name + suffix): \(String(cString: strerror(errno)))"
                throw StoreError(.cannotOpen, message: message, doing: "set the damaged store aside", path: path)
            }
        }
    }

    private static func freeName(for path: String, _ stamp: String) -> String {
        var status = stat()
        func isTaken(_ name: String) -> Bool { ["", "-wal", "-shm"].contains { lstat(name + $0, &status) == 0 } }
        var (name, count) = ("\(path).damaged-\(stamp)", 1)
        while isTaken(name) {
            count += 1
            name = "\(path).damaged-\(stamp)-\(count)"
        }
        return name
    }
}
