import Glibc

/// The system's words for `errno` at this moment.
struct SystemFailure: Error {
    let message: String
    init() { message = String(cString: strerror(errno)) }
}

enum FileCopy {
    /// Copies all of a file into a new one with mode 0640, and waits for the disk.
    static func copy(_ source: Int32, to path: String) throws(SystemFailure) {
        let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard target >= 0 else { throw SystemFailure() }
        defer { close(target) }
        fchmod(target, 0o640)
        var (offset, chunk) = (0, [UInt8](repeating: 0, count: 1 << 16))
        while true {
            let count = pread(source, &chunk, chunk.count, offset)
            guard count != 0 else { break }
            guard count > 0, write(target, chunk, count) == count else { throw SystemFailure() }
            offset += count
        }
        guard fsync(target) == 0 else { throw SystemFailure() }
    }
}
