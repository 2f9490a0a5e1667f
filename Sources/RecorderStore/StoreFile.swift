import Glibc

/// Looks at a store's file before SQLite does, so that a file which is not ours is never touched.
package enum StoreFile {
    package enum Finding: Equatable { case missing, empty, store(version: Int) }

    /// Reads the 100-byte header (https://sqlite.org/fileformat2.html#the_database_header).
    /// Throws `.notOurs` for anything but an atlas-recorder store, `.schemaTooNew` for a newer one, `.cannotOpen`.
    ///
    /// Never of a store that SQLite has open in this process: to close any descriptor of a file lets go of all locks that the
    /// process has on it (https://sqlite.org/howtocorrupt.html, 2.2), and then whoever reads it may delete its log.
    package static func inspect(_ path: String) throws(StoreError) -> Finding {
        func failure(_ kind: StoreError.Kind, _ message: String) -> StoreError {
            StoreError(kind, message: message, doing: "open the store", path: path)
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return .missing }
            throw failure(.cannotOpen, String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw failure(.notOurs, "it is no regular file")
        }
        if status.st_size == 0 { return .empty }
        var header = [UInt8](repeating: 0, count: 100)
        let count = header.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, 100, 0) }
        guard count == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else {
            guard isLocked(path) else { throw failure(.notOurs, "it is no SQLite database") }
            throw failure(.headerDamaged, "it is no SQLite database, and was a store: its first page is damaged")
        }
        func bigEndian(at offset: Int) -> Int32 {
            Int32(bitPattern: header[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) })
        }
        guard bigEndian(at: 68) == Schema.applicationID else {
            throw failure(.notOurs, "it is the database of another application")
        }
        let version = Int(bigEndian(at: 60))
        guard version <= Schema.version else {
            throw failure(.schemaTooNew, "the store has version \(version), this program knows \(Schema.version)")
        }
        return .store(version: version)
    }

    /// Makes an empty file with mode 0640, if there is none: SQLite gives its -wal and -shm the same mode.
    static func create(_ path: String) throws(StoreError) {
        var descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        if descriptor >= 0 {
            fchmod(descriptor, 0o640)  // a umask of 077 would keep the group's readers out
        } else if errno == EEXIST {
            // Not made through a link that leads nowhere: that would be a file of somebody else's choice.
            descriptor = open(path, O_RDWR | O_CLOEXEC)
            var status = stat()
            if descriptor >= 0, fstat(descriptor, &status) == 0, status.st_size == 0, status.st_uid == geteuid() {
                fchmod(descriptor, 0o640)
            }
        }
        guard descriptor >= 0 else {
            let isLost = errno == ENOENT && isLink(path)
            let message =
                isLost
                ? "it is a link to nothing: make it lead to a store, or remove it" : String(cString: strerror(errno))
            throw StoreError(.cannotOpen, message: message, doing: "make the store", path: path)
        }
        close(descriptor)
    }

    /// Throws `.notOurs` for a link to a file that is no store yet: it would become one, and may be somebody else's.
    package static func refuseLinkToEmpty(_ path: String) throws(StoreError) {
        guard isLink(path), try inspect(path) == .empty else { return }
        throw StoreError(
            .notOurs, message: "it is a link to an empty file: name that file itself, or remove the link",
            doing: "make the store", path: path)
    }

    /// Whether a recorder has had this file as its store: then its lock lies beside it.
    private static func isLocked(_ path: String) -> Bool { access(StoreLock.path(forStore: resolved(path)), F_OK) == 0 }

    static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// Throws `.notOurs` where a link lies in the place of a file that SQLite would write.
    static func refuseLinks(beside path: String) throws(StoreError) {
        for suffix in ["-wal", "-shm", "-journal"] where isLink(path + suffix) {
            throw StoreError(
                .notOurs, message: "\(path)\(suffix) is a link, and SQLite would write where it leads",
                doing: "open the store",
                path: path)
        }
    }

    /// The file behind symbolic links: two names of one store have one lock. A store yet to be made has its folder's.
    package static func resolved(_ path: String) -> String {
        func real(_ path: String) -> String? {
            guard let found = realpath(path, nil) else { return nil }
            defer { free(found) }
            return String(cString: found)
        }
        if let file = real(path) { return file }
        guard let slash = path.lastIndex(of: "/") else { return path }
        return real(String(path[...slash])).map { "\($0)\(path[slash...])" } ?? path
    }
}
