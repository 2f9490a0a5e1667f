import CSockets
import Glibc

/// A new file that appears under its name whole or not at all, and never in the place of another.
///
/// It is made as `NAME.PID.atlas-partial` in the same folder. As long as its maker lives it has a lock on that file's first
/// byte, which SQLite does not use (https://sqlite.org/src/file/src/os.h: its own lie at 1 GiB): what nobody has locked was
/// left behind by a program that was killed, and the next one removes it. An open file description's lock, for such a one is
/// not let go of when SQLite closes the file, nor are SQLite's own when this closes.
final class NewFile {
    /// The name that it is to get.
    let path: String
    /// Where it is until then.
    let partial: String
    private let descriptor: Int32
    private let doing: String
    private var isFinished = false

    static let suffix = ".atlas-partial"
    /// What SQLite may have written beside it.
    private static let companions = ["-journal", "-wal", "-shm"]

    /// Makes it, empty, with mode 0640. `doing`: what an error says we were about. Throws `.exists`, `.folder`, `.full`.
    init(_ path: String, doing: String) throws(StoreError) {
        (self.path, self.doing) = (path, doing)
        guard let name = path.split(separator: "/", omittingEmptySubsequences: false).last, !name.isEmpty else {
            throw StoreError(.folder, message: "that is no file's name", doing: doing, path: path)
        }
        // A log that lies there would be read into the new store, for SQLite takes it for its own.
        for taken in [path] + Self.companions.map({ path + $0 }) where Self.isThere(taken) {
            throw StoreError(.exists, message: "it exists already", doing: doing, path: taken)
        }
        Self.removeStale(in: Self.folder(of: path))
        var (descriptor, partial, count): (Int32, String, Int) = (-1, "", 0)
        repeat {
            partial = "\(path).\(getpid())\(count == 0 ? "" : "-\(count)")\(Self.suffix)"
            count += 1
            descriptor = open(partial, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
            if descriptor >= 0, !Self.keep(descriptor, partial) {  // taken for stale before it was locked
                close(descriptor)
                (descriptor, errno) = (-1, EEXIST)
            }
        } while descriptor < 0 && errno == EEXIST && count < 1_000
        guard descriptor >= 0 else {
            let kind: StoreError.Kind = errno == ENOSPC || errno == EDQUOT ? .full : .folder
            throw StoreError(kind, message: String(cString: strerror(errno)), doing: doing, path: path)
        }
        (self.descriptor, self.partial) = (descriptor, partial)
        fchmod(descriptor, 0o640)  // a umask of 077 would keep the group's readers out
    }

    /// Gives it its name, when all that was written is on the disk. Whoever wrote it has closed it. Throws `.exists` where
    /// somebody made a file of that name meanwhile: that one stays.
    func finish() throws(StoreError) {
        guard fsync(descriptor) == 0 else { throw failure() }
        switch csockets_rename_new(partial, path) {
        case 0: break
        case EINVAL, ENOSYS:  // a file system that cannot promise this (NFS) has links
            guard link(partial, path) == 0 else { throw failure() }
            unlink(partial)
        case let failed:
            errno = failed
            throw failure()
        }
        isFinished = true
        let folder = open(Self.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(folder) }
        // A folder that may be written and not read cannot be synced; one on some network file systems neither.
        guard folder < 0 || fsync(folder) == 0 || errno == EINVAL else { throw failure() }
    }

    /// The file's size in bytes.
    var size: Int64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// An error that names the partial file, as one of the file that somebody asked for.
    func named(_ error: StoreError) -> StoreError {
        guard error.path == partial else { return error }
        return StoreError(error.kind, code: error.code, message: error.message, doing: error.doing, path: path)
    }

    deinit {
        if !isFinished { Self.remove(partial) }
        close(descriptor)
    }

    private func failure() -> StoreError {
        let kind: StoreError.Kind =
            switch errno {
            case EEXIST: .exists
            case ENOSPC, EDQUOT, EIO: .full
            default: .folder
            }
        return StoreError(kind, message: String(cString: strerror(errno)), doing: doing, path: path)
    }

    // MARK: what others left behind

    /// Removes the partial files of programs that are no more.
    private static func removeStale(in folder: String) {
        guard let entries = opendir(folder) else { return }
        defer { closedir(entries) }
        var stale: [String] = []
        while let entry = readdir(entries) {
            let name = FileName.of(entry)
            if name.hasSuffix(suffix) { stale.append("\(folder)/\(name)") }
        }
        for path in stale {
            let descriptor = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            if isRegular(descriptor), csockets_lock_first_byte(descriptor) == 0 { remove(path) }
            close(descriptor)
        }
    }

    /// Locks a file that was made just now; false if somebody else took it for stale.
    private static func keep(_ descriptor: Int32, _ path: String) -> Bool {
        // Where a file system has no locks nobody takes anything for stale.
        guard ![EAGAIN, EACCES].contains(csockets_lock_first_byte(descriptor)) else { return false }
        var (mine, there) = (stat(), stat())
        return fstat(descriptor, &mine) == 0 && lstat(path, &there) == 0 && mine.st_ino == there.st_ino
    }

    /// The file last: what SQLite wrote beside it is not found without it.
    private static func remove(_ path: String) {
        for suffix in companions + [""] { unlink(path + suffix) }
    }

    private static func isRegular(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Also a link that leads nowhere.
    private static func isThere(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
