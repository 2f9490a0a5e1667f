import Glibc

/// The right to write a store: an advisory lock (flock(2)) on a file beside it. The kernel releases it when its holder
/// dies, so the file is never deleted; what it says of the holder is for people.
package final class StoreLock: Sendable {
    private let descriptor: Int32
    /// Who had it before, in its own words; nil if nobody ever had.
    package let predecessor: String?

    /// Who holds it, as the holder wrote it: `pid 2211 since 2026-11-22 16:30:00`.
    package static func path(forStore path: String) -> String { path + ".lock" }

    /// Takes the lock, or throws `.lockHeld` with the holder's own words. `waits`: blocks the calling thread until the
    /// holder lets go or dies instead; the kernel then gives it to one of those who wait, at once.
    package convenience init(
        store path: String, holder: @autoclosure () -> String, waits: Bool = false
    ) throws(StoreError) {
        try self.init(store: path, holder: holder, waits: waits, isFile: Self.isFile)
    }

    /// `isFile`: whether a descriptor's file is the one at a path.
    init(
        store path: String, holder: () -> String, waits: Bool, isFile: (Int32, String) -> Bool
    ) throws(StoreError) {
        func failure(_ kind: StoreError.Kind, _ message: String) -> StoreError {
            StoreError(kind, message: message, doing: "lock the store", path: path)
        }
        let lockPath = Self.path(forStore: path)
        var (descriptor, tries) = (Int32(-1), 0)
        repeat {
            tries += 1
            descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
            guard descriptor >= 0 else { throw failure(.cannotOpen, String(cString: strerror(errno))) }
            var code: Int32
            repeat { code = flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) } while code != 0 && errno == EINTR
            guard code == 0 else {
                let held = errno == EWOULDBLOCK
                let message =
                    held
                    ? "another recorder holds it (\(Self.text(descriptor) ?? "its name is not written yet"))"
                    : String(cString: strerror(errno))
                close(descriptor)
                throw failure(held ? .lockHeld : .cannotOpen, message)
            }
            // Where somebody deleted the file meanwhile, this lock keeps nobody out.
            if isFile(descriptor, lockPath) { break }
            close(descriptor)
            guard tries < Self.tryLimit else {
                throw failure(
                    .cannotOpen,
                    "\(lockPath) was deleted each of \(tries) times while it was locked, so it would keep no second "
                        + "recorder out; look for who deletes it")
            }
        } while true
        predecessor = Self.text(descriptor)
        self.descriptor = descriptor  // set last: an object that is whole when its init throws runs deinit, too
        // Only words for people: whether they could be written changes nothing about the lock.
        _ = ftruncate(descriptor, 0)
        _ = holder().withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    deinit { close(descriptor) }

    private static let tryLimit = 10

    /// Whether the lock's file is still where others look for it. Deleted, it keeps nobody out.
    package func isInPlace(forStore path: String) -> Bool { Self.isFile(descriptor, at: Self.path(forStore: path)) }

    private static func isFile(_ descriptor: Int32, at path: String) -> Bool {
        var (ours, there) = (stat(), stat())
        return fstat(descriptor, &ours) == 0 && lstat(path, &there) == 0 && ours.st_ino == there.st_ino
            && ours.st_dev == there.st_dev
    }

    private static func text(_ descriptor: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}

extension StoreLock {
    /// How a store's lock stands, as others see it.
    package enum State: Equatable, Sendable {
        case free
        /// `by`: the holder's own words, if it may be read; `waiting`: how many stand by.
        case held(by: String?, waiting: Int)
        /// The kernel's table of locks cannot be read.
        case unknown
    }

    /// Looks without touching the lock: to try it, if only for a moment, could make a recorder that starts just then give
    /// up.
    package static func state(forStore path: String) -> State {
        let lockPath = Self.path(forStore: path)
        var status = stat()
        guard lstat(lockPath, &status) == 0 else { return errno == ENOENT ? .free : .unknown }
        guard let table = SmallFile.read("/proc/locks") else { return .unknown }
        let (holders, waiting) = LockTable(table).count(
            inode: UInt64(status.st_ino), device: LockTable.device(of: lockPath))
        return holders == 0 ? .free : .held(by: words(forStore: path), waiting: waiting)
    }

    /// What the one who holds the lock, or had it last, says of itself.
    package static func words(forStore path: String) -> String? {
        SmallFile.read(Self.path(forStore: path)).flatMap { $0.isEmpty ? nil : String(decoding: $0, as: UTF8.self) }
    }
}

/// The kernel's table of locks, /proc/locks (proc(5)): `1: FLOCK ADVISORY WRITE 2211 08:01:131090 0 EOF`, and `->` before
/// those who wait. `08:01` is the file system's device, in hexadecimal.
struct LockTable {
    private let rows: [[Substring]]

    init(_ bytes: [UInt8]) {
        rows = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
    }

    /// Who has the flock(2) of a file, and who waits for it. `device` nil: the inode alone has to do.
    func count(inode: UInt64, device: String?) -> (holders: Int, waiting: Int) {
        let file = (device.map { "\($0):" } ?? ":") + "\(inode)"
        let those = rows.filter { row in
            row.contains("FLOCK") && row.contains { device == nil ? $0.hasSuffix(file) : $0 == file }
        }
        let waiting = those.count { $0.contains("->") }
        return (those.count - waiting, waiting)
    }

    /// The device as the table has it. Two file systems in memory have files of the same inode; and st_dev is not what the
    /// table has, btrfs gives each subvolume one of its own: so the mount that the file is on is asked. nil: cannot be told.
    static func device(of path: String) -> String? {
        let asPath: Int32 = 0o10000000  // O_PATH, open(2): takes no right to read, and touches no lock
        let descriptor = open(path, asPath | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard let info = SmallFile.read("/proc/self/fdinfo/\(descriptor)"),
            let mounts = SmallFile.read("/proc/self/mountinfo"),
            let mount = String(decoding: info, as: UTF8.self).split(separator: "\n")
                .first(where: { $0.hasPrefix("mnt_id:") })?.split(whereSeparator: \.isWhitespace).last
        else { return nil }
        return device(ofMount: String(mount), in: mounts)
    }

    /// `36 35 98:0 /mnt1 /mnt2 rw …`: the mount's number, its parent's, and the device in decimal.
    static func device(ofMount mount: String, in mounts: [UInt8]) -> String? {
        for line in mounts.split(separator: 10) {
            let fields = line.split(separator: 32, maxSplits: 3).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count > 2, fields[0] == mount else { continue }
            let numbers = fields[2].split(separator: ":").compactMap { UInt32($0) }
            guard numbers.count == 2 else { return nil }
            // The kernel prints %02x:%02x.
            return numbers.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
        }
        return nil
    }
}

/// Reads a file whole: the kernel's tables, a lock's words.
enum SmallFile {
    /// nil if it cannot be opened.
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0, bytes.count < 1 << 22 else { return bytes }
            bytes += chunk[..<count]
        }
    }
}
