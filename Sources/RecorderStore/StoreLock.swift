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
    package init(store path: String, holder: @autoclosure () -> String, waits: Bool = false) throws(StoreError) {
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
            if Self.isFile(descriptor, at: lockPath) || tries == 10 { break }
            close(descriptor)
        } while true
        predecessor = Self.text(descriptor)
        self.descriptor = descriptor  // set last: an object that is whole when its init throws runs deinit, too
        // Only words for people: whether they could be written changes nothing about the lock.
        _ = ftruncate(descriptor, 0)
        _ = holder().withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    deinit { close(descriptor) }

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
    /// up. /proc/locks (proc(5)): `1: FLOCK ADVISORY WRITE 2211 08:01:131090 0 EOF`, and `->` before those who wait.
    package static func state(forStore path: String) -> State {
        let lockPath = Self.path(forStore: path)
        var status = stat()
        guard lstat(lockPath, &status) == 0 else { return errno == ENOENT ? .free : .unknown }
        guard let table = SmallFile.read("/proc/locks") else { return .unknown }
        let rows = String(decoding: table, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
            .filter { $0.contains("FLOCK") && $0.contains { $0.hasSuffix(":\(status.st_ino)") } }
        guard rows.contains(where: { !$0.contains("->") }) else { return .free }
        return .held(by: words(forStore: path), waiting: rows.count { $0.contains("->") })
    }

    /// What the one who holds the lock, or had it last, says of itself.
    package static func words(forStore path: String) -> String? {
        SmallFile.read(Self.path(forStore: path)).flatMap { $0.isEmpty ? nil : String(decoding: $0, as: UTF8.self) }
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
