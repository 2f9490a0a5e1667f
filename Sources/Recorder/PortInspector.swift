import AtlasProtocol
import Glibc

/// Reads who else uses the ports: /proc/net/udp, /proc/net/udp6 and /proc/net/tcp (proc(5); anyone may read them), and
/// the programs behind the sockets through /proc/*/fd, as far as the rights allow.
package enum PortInspector {
    /// One socket as /proc/net lists it.
    package struct Socket: Equatable, Sendable {
        package let local: IPv4Address  // 0.0.0.0 for an IPv6 socket bound to ::
        package let localPort: UInt16
        package let remote: IPv4Address
        package let remotePort: UInt16
        package let isConnected: Bool
        package let uid: UInt32
        package let inode: UInt64
    }

    /// The sockets bound to a UDP port, newest first as the kernel lists them.
    package static func udpSockets(port: UInt16) -> [Socket] {
        ["/proc/net/udp", "/proc/net/udp6"].flatMap { path in
            parse(readFile(path)).filter { $0.localPort == port }
        }
    }

    /// This host's established TCP connections; an IPv6 socket's, too, where it speaks IPv4 (::ffff:192.168.5.101).
    package static func connections() -> [Socket] {
        ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { parse(readFile($0)) }.filter(\.isConnected)
    }

    /// `node (pid 2211)`; `uid 1000` where this user may not look into the process.
    package static func holder(of socket: Socket) -> String {
        guard let (pid, command) = process(holding: socket.inode) else {
            return "uid \(socket.uid)"
        }
        return "\(command) (pid \(pid))"
    }

    /// The inode behind one of our own descriptors; 0 if it cannot be told.
    static func inode(of descriptor: Int32) -> UInt64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// The rows of one of the tables; other lines are passed over.
    static func parse(_ table: [UInt8]) -> [Socket] {
        table.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap { line in
            // sl local rem st tx:rx tr:when retrnsmt uid timeout inode …
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 10)
            guard fields.count > 9, let local = endpoint(fields[1]), let remote = endpoint(fields[2]),
                let uid = number(fields[7], radix: 10), let inode = number(fields[9], radix: 10)
            else { return nil }
            return Socket(
                local: local.0, localPort: local.1, remote: remote.0, remotePort: remote.1,
                isConnected: fields[3].elementsEqual("01".utf8), uid: UInt32(truncatingIfNeeded: uid), inode: inode)
        }
    }

    /// `0100007F:0C3B`: the address as the host's own integer, in hexadecimal; an IPv6 one in four such words, of which
    /// the last is the IPv4 address if it is mapped.
    private static func endpoint(_ field: ArraySlice<UInt8>) -> (IPv4Address, UInt16)? {
        let parts = field.split(separator: UInt8(ascii: ":"))
        guard parts.count == 2, let port = number(parts[1], radix: 16),
            let word = number(parts[0].suffix(8), radix: 16)
        else { return nil }
        // Of a real IPv6 address the last word says nothing to us.
        if parts[0].count == 32, !parts[0].prefix(24).elementsEqual("0000000000000000FFFF0000".utf8) {
            return (IPv4Address(bits: 0), UInt16(truncatingIfNeeded: port))
        }
        return (IPv4Address(bits: UInt32(truncatingIfNeeded: word).byteSwapped), UInt16(truncatingIfNeeded: port))
    }

    private static func number(_ digits: ArraySlice<UInt8>, radix: Int) -> UInt64? {
        UInt64(String(decoding: digits, as: UTF8.self), radix: radix)
    }

    /// Costs some 11 ms on a host of a hundred processes: only when something changed.
    private static func process(holding inode: UInt64) -> (pid: Int, command: String)? {
        let wanted = "socket:[\(inode)]"
        for pid in entries(of: "/proc").compactMap({ Int($0) }) {
            let folder = "/proc/\(pid)/fd"
            guard entries(of: folder).contains(where: { link("\(folder)/\($0)") == wanted }) else { continue }
            let command = String(decoding: readFile("/proc/\(pid)/comm").prefix { $0 != 10 }, as: UTF8.self)
            return (pid, command)
        }
        return nil
    }

    private static func entries(of folder: String) -> [String] {
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

    private static func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { buffer in
            let count = readlink(
                path, UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self), 64)
            return count > 0 ? String(decoding: UnsafeBufferPointer(rebasing: buffer[..<count]), as: UTF8.self) : nil
        }
    }

    private static func readFile(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 32 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }
}
