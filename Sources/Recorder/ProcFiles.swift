import Diagnosis
import Glibc
import NIOPosix

/// /proc, as proc(5) has it: the kernel's tables, the processes and what they have open, as far as the rights allow.
enum ProcFiles {
    /// Where all processes are searched through: on a host of thousands that takes longer than a loop may wait.
    static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        return pool
    }()

    /// The names in a folder; none if it may not be read.
    static func entries(of folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    /// Where a link leads to.
    static func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) { buffer in
            let count = readlink(
                path, UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self), 4096)
            return count > 0 ? String(decoding: UnsafeBufferPointer(rebasing: buffer[..<count]), as: UTF8.self) : nil
        }
    }

    /// A file whole; empty if it may not be read.
    static func read(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 32 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// All processes with their numbers; a process that ends meanwhile is passed over.
    static func pids() -> [Int32] { entries(of: "/proc").compactMap { Int32($0) } }

    static func program(_ pid: Int32) -> Program {
        let command = String(decoding: read("/proc/\(pid)/comm").prefix { $0 != 10 }, as: UTF8.self)
        let arguments = read("/proc/\(pid)/cmdline").split(separator: 0, omittingEmptySubsequences: false).dropLast()
        return Program(pid: pid, command: command, arguments: arguments.map { String(decoding: $0, as: UTF8.self) })
    }

    /// Something that a process has open.
    struct Use {
        let program: Program
        /// Whether it may write: `flags` of fdinfo, in octal.
        let writes: Bool
    }

    /// The processes that have one of these open: `socket:[131090]`, or a file's path. One walk through /proc/*/fd, some
    /// 11 ms on a host of a hundred processes.
    static func uses(of targets: Set<String>) -> [String: [Use]] {
        guard !targets.isEmpty else { return [:] }
        var uses: [String: [Use]] = [:]
        for pid in pids() {
            for descriptor in entries(of: "/proc/\(pid)/fd") {
                guard let target = link("/proc/\(pid)/fd/\(descriptor)"), targets.contains(target) else { continue }
                let use = Use(program: program(pid), writes: isWritable(pid, descriptor))
                if let known = uses[target]?.firstIndex(where: { $0.program.pid == pid }) {
                    // One process with two descriptors of it is one user.
                    if use.writes { uses[target]?[known] = use }
                } else {
                    uses[target, default: []].append(use)
                }
            }
        }
        return uses
    }

    private static func isWritable(_ pid: Int32, _ descriptor: String) -> Bool {
        let lines = read("/proc/\(pid)/fdinfo/\(descriptor)").split(separator: 10)
        guard let flags = lines.first(where: { $0.starts(with: "flags:".utf8) }) else { return false }
        let octal = String(decoding: flags.dropFirst(6), as: UTF8.self).filter { !$0.isWhitespace }
        return Int32(octal, radix: 8).map { $0 & O_ACCMODE != O_RDONLY } ?? false
    }

    /// The recorders that run on this host, this process aside.
    static func recorders() -> [Program] {
        pids().filter { $0 != getpid() }.map { program($0) }.filter(\.isRecorder)
    }

    /// Whether a process has CAP_NET_ADMIN, bit 12 of CapEff (proc(5), capabilities(7)); nil: there is no such process.
    static func canAdministrateNetwork(_ pid: Int32) -> Bool? {
        let lines = read("/proc/\(pid)/status").split(separator: 10)
        guard let line = lines.first(where: { $0.starts(with: "CapEff:".utf8) }) else { return nil }
        let digits = String(decoding: line.dropFirst(7), as: UTF8.self).filter(\.isHexDigit)
        return UInt64(digits, radix: 16).map { $0 >> 12 & 1 == 1 }
    }

    /// The user that a process runs as; nil: there is no such process.
    static func owner(of pid: Int32) -> UInt32? {
        var status = stat()
        return stat("/proc/\(pid)", &status) == 0 ? status.st_uid : nil
    }

    /// A group's name; nil if it has none.
    static func group(_ gid: UInt32) -> String? { getgrgid(gid).map { String(cString: $0.pointee.gr_name) } }
    /// A user's name by /etc/passwd alone: asking the host's name services could hold up whoever records.
    static func localUser(_ uid: UInt32) -> String? {
        for line in read("/etc/passwd").split(separator: 10) {
            // name:password:uid:gid:…
            let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
            if fields.count == 4, fields[2].elementsEqual("\(uid)".utf8) {
                return String(decoding: fields[0], as: UTF8.self)
            }
        }
        return nil
    }

    /// A user's name; nil if it has none.
    static func user(_ uid: UInt32) -> String? { getpwuid(uid).map { String(cString: $0.pointee.pw_name) } }
}
