import Glibc

/// Which file a name leads to: another one, or none, after somebody moved or deleted it.
struct FileIdentity: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64

    init(_ status: stat) { (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino)) }

    static func of(_ path: String) -> Answer {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno == ENOENT || errno == ENOTDIR ? .none : .unknown }
        return .file(FileIdentity(status))
    }
    enum Answer: Equatable {
        case file(FileIdentity)
        case none
        /// It could not be asked: a disk that fails for a moment.
        case unknown
    }

    /// A descriptor that this process has of it; not to be closed.
    func openDescriptor() -> Int32? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            var status = stat()
            if let descriptor = Int32(FileName.of(entry)), fstat(descriptor, &status) == 0, FileIdentity(status) == self
            {
                return descriptor
            }
        }
        return nil
    }
}

enum FileName {
    /// Of an open file, as it is called now (proc(5), /proc/pid/fd).
    static func ofOpen(_ descriptor: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                readlink("/proc/self/fd/\(descriptor)", $0.baseAddress!, $0.count)
            }
        }
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    /// Of a folder's entry.
    static func of(_ entry: UnsafeMutablePointer<dirent>) -> String {
        withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
    }
}
