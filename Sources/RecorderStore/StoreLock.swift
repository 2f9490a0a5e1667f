import Glibc

/// The right to write a store: an advisory lock (flock(2)) on a file beside it. The kernel releases it when its holder
/// dies, so the file is never deleted; what it says of the holder is for people.
package final class StoreLock {
    private let descriptor: Int32

    /// Who holds it, as the holder wrote it: `pid 2211 since 2026-11-22 16:30:00`.
    package static func path(forStore path: String) -> String { path + ".lock" }

    /// Takes the lock or throws `.lockHeld` with the holder's own words.
    package init(store path: String, holder: String) throws(StoreError) {
        let lockPath = Self.path(forStore: path)
        func failure(_ kind: StoreError.Kind, _ message: String) -> StoreError {
            StoreError(kind, message: message, doing: "lock the store", path: path)
        }
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw failure(.cannotOpen, String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let held = errno == EWOULDBLOCK
            let message = held ? "another recorder holds it (\(Self.text(descriptor)))" : String(cString: strerror(errno))
            close(descriptor)
            throw failure(held ? .lockHeld : .cannotOpen, message)
        }
        self.descriptor = descriptor  // set last: an object that is whole when its init throws runs deinit, too
        // Only words for people: whether they could be written changes nothing about the lock.
        _ = ftruncate(descriptor, 0)
        _ = holder.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    deinit { close(descriptor) }

    private static func text(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : "its name is not written yet"
    }
}
