import AtlasProtocol
import CSockets
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
        /// Both addresses as text, if it is an IPv6 socket: `::`, `::ffff:192.168.5.10`.
        package var ipv6: IPv6Ends? = nil
        /// Bound to [::] with IPV6_V6ONLY: nothing that is sent by IPv4 reaches it. False where the kernel does not say.
        package var isIPv6Only = false

        /// Bound to an IPv6 address that is no mapped IPv4 one, or to all of them and nothing else.
        package var takesNoIPv4: Bool {
            guard let ipv6 else { return false }
            return isIPv6Only || (ipv6.local != "::" && !ipv6.local.hasPrefix("::ffff:"))
        }
        /// Takes what is sent to any IPv4 address of this host.
        var isWildcard: Bool { local == IPv4Address(bits: 0) && !takesNoIPv4 }
        func ends(at address: IPv4Address) -> Bool { local == address && !takesNoIPv4 }
    }
    package struct IPv6Ends: Equatable, Sendable {
        package let local, remote: String
    }

    /// The sockets bound to a UDP port, newest first as the kernel lists them.
    package static func udpSockets(port: UInt16) -> [Socket] {
        var sockets = ["/proc/net/udp", "/proc/net/udp6"].flatMap { path in
            parse(ProcFiles.read(path), port: port)
        }
        guard sockets.contains(where: { $0.ipv6?.local == "::" }) else { return sockets }
        let only = ipv6Only(port, atMost: sockets.count)
        for index in sockets.indices where sockets[index].ipv6 != nil {
            sockets[index].isIPv6Only = only.contains(sockets[index].inode)
        }
        return sockets
    }

    private static func ipv6Only(_ port: UInt16, atMost count: Int) -> Set<UInt64> {
        var inodes = [UInt32](repeating: 0, count: count)
        let found = csockets_ipv6_only(port, &inodes, Int32(count))
        return found > 0 ? Set(inodes[..<Int(found)].map(UInt64.init)) : []
    }

    /// This host's established TCP connections; an IPv6 socket's, too, where it speaks IPv4 (::ffff:192.168.5.101).
    package static func connections() -> [Socket] {
        ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { parse(ProcFiles.read($0), endingWith: " 01 ") }
    }

    /// `node (pid 2211)` for each of the sockets, by inode; `uid 1000` where this user may not look into the process, `node (pid
    /// 2211 and 4 more)` where several hold it. Walks through all processes once, some 11 ms on a host of a hundred.
    package static func holders(of sockets: [Socket]) -> [UInt64: String] {
        let uses = ProcFiles.uses(of: Set(sockets.map { "socket:[\($0.inode)]" }))
        var names: [UInt64: String] = [:]
        for socket in sockets {
            let programs = (uses["socket:[\(socket.inode)]"] ?? []).map(\.program).sorted { $0.pid < $1.pid }
            let more = programs.count > 1 ? " and \(programs.count - 1) more" : ""
            names[socket.inode] = programs.first.map { "\($0.command) (pid \($0.pid)\(more))" } ?? "uid \(socket.uid)"
        }
        return names
    }

    /// The inode behind one of our own descriptors; 0 if it cannot be told.
    static func inode(of descriptor: Int32) -> UInt64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// The rows of one of the tables; of this local port only if one is given, and only those whose remote end and state end with
    /// this text. Other lines are passed over: a busy host has thousands, most of them over and waiting (TIME_WAIT).
    static func parse(_ table: [UInt8], port: UInt16? = nil, endingWith state: String = "") -> [Socket] {
        let (wantedPort, wantedState) = (port.map { Array(hexadecimal($0, 4).utf8) }, Array(state.utf8))
        var sockets: [Socket] = []
        forEachLine(of: table) { line in
            // `  12: 0100007F:0C3B 00000000:0000 07 …`, or 24 digits more in both addresses.
            guard let number = line.firstIndex(of: UInt8(ascii: ":")),
                let local = line[(number + 1)...].firstIndex(of: UInt8(ascii: ":"))
            else { return }
            if let wantedPort, !line[(local + 1)...].starts(with: wantedPort) { return }
            let end = local + (local - number) + 13  // the blank behind the state
            guard end <= line.endIndex, line[local..<end].suffix(wantedState.count).elementsEqual(wantedState)
            else { return }
            if let socket = socket(line) { sockets.append(socket) }
        }
        return sockets
    }

    private static func hexadecimal(_ number: some FixedWidthInteger, _ width: Int) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: width - digits.count) + digits
    }

    /// Each line behind the heading.
    private static func forEachLine(of table: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
        var start = 0
        while start < table.count {
            let length = table.withUnsafeBytes { bytes -> Int in
                let begin = bytes.baseAddress! + start
                let rest = bytes.count - start
                return memchr(begin, Int32(UInt8(ascii: "\n")), rest).map { UnsafeRawPointer($0) - begin } ?? rest
            }
            if start > 0 { body(table[start..<start + length]) }
            start += length + 1
        }
    }

    private static func socket(_ line: ArraySlice<UInt8>) -> Socket? {
        // sl local rem st tx:rx tr:when retrnsmt uid timeout inode …
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 10)
        guard fields.count > 9, let local = endpoint(fields[1]), let remote = endpoint(fields[2]),
            let uid = number(fields[7], radix: 10), let inode = number(fields[9], radix: 10)
        else { return nil }
        let ipv6 = ipv6Text(fields[1]).flatMap { local in
            ipv6Text(fields[2]).map { IPv6Ends(local: local, remote: $0) }
        }
        return Socket(
            local: local.0, localPort: local.1, remote: remote.0, remotePort: remote.1,
            isConnected: fields[3].elementsEqual("01".utf8), uid: UInt32(truncatingIfNeeded: uid), inode: inode,
            ipv6: ipv6)
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

    /// An IPv6 address is four words, each as the host's own integer; nil: it is an IPv4 one.
    private static func ipv6Text(_ field: ArraySlice<UInt8>) -> String? {
        let digits = field.prefix { $0 != UInt8(ascii: ":") }
        guard digits.count == 32 else { return nil }
        var words = in6_addr()
        withUnsafeMutableBytes(of: &words) { bytes in
            for word in 0..<4 {
                let start = digits.startIndex + word * 8
                let value = number(digits[start..<start + 8], radix: 16) ?? 0
                bytes.storeBytes(of: UInt32(truncatingIfNeeded: value), toByteOffset: word * 4, as: UInt32.self)
            }
        }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &words, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
