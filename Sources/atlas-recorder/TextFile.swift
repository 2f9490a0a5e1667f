import Glibc

/// Reads a small text file that somebody named.
enum TextFile {
    struct Failure: Error, CustomStringConvertible {
        let what, path, reason, remedy: String
        var description: String { "cannot read \(what) \(path): \(reason). \(remedy)" }
    }

    /// `what`: as a message names it, "the report". Throws a `Failure` where it cannot be read, or is larger than 1 MiB.
    static func read(_ path: String, as what: String, remedy: String) throws -> String {
        func failure(_ reason: String) -> Failure { Failure(what: what, path: path, reason: reason, remedy: remedy) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count < 1 << 20 {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw failure(String(cString: strerror(errno))) }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
        throw failure("it is larger than 1 MiB")
    }
}
