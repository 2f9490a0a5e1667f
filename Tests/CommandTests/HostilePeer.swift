import Foundation

/// The control side of a unit, as hostile as the test wants it: `serve` runs for each connection, on a thread of its own.
final class HostilePeer: Sendable {
    let port: Int
    private let listener: Int32

    init(_ serve: @escaping @Sendable (Connection) -> Void) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        port = Int(bound(listener, "127.0.0.1"))
        precondition(listen(listener, 16) == 0)
        self.listener = listener
        Thread.detachNewThread {
            while case let descriptor = accept(listener, nil, nil), descriptor >= 0 {
                let connection = Connection(descriptor)
                Thread.detachNewThread { serve(connection) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))  // ends accept
        close(listener)
    }

    /// A recorder of this unit.
    func recorder(_ store: String, meterPort: Int = freeUDPPort()) throws -> Running {
        try Running([
            "run", "--processor", "Bar=127.0.0.1:\(port)", "--meter-port", "\(meterPort)", "--keep-alive", "1",
            "--store", store,
        ])
    }

    /// One connection, blocking.
    final class Connection: @unchecked Sendable {  // one thread's at a time
        private let descriptor: Int32
        private var held: [UInt8] = []
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }

        /// The next line; nil at the end.
        func line() -> String? {
            while true {
                if let end = held.firstIndex(of: 10) {
                    defer { held.removeSubrange(...end) }
                    return String(decoding: held[..<end], as: UTF8.self)
                }
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let count = read(descriptor, &buffer, buffer.count)
                guard count > 0 else { return nil }
                held += buffer[..<count]
            }
        }

        /// False once the other end is gone.
        @discardableResult
        func send(_ text: String) -> Bool { sendAll(text, on: descriptor) }

        /// The end by RST instead of FIN.
        func reset() {
            var lingering = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
        }

        /// Says what a well-behaved unit says, until the end.
        func answer() {
            while let line = line() {
                let id = line.split(separator: #""id":"#, maxSplits: 1).dropFirst().first?.prefix { $0.isNumber }
                let sent =
                    id.map { send(#"{"jsonrpc":"2.0","result":"OK","id":\#($0)}"# + "\n") }
                    ?? send(#"{"method":"getResp","params":{"param":"KeepAlive","str":"OK"}}"# + "\n")
                guard sent else { return }
            }
        }
    }
}

/// Datagrams from one address.
final class HostileSender: Sendable {
    private let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    private let target: sockaddr_in

    init(from address: String, to port: Int) {
        _ = bound(descriptor, address)
        target = endpoint("127.0.0.1", UInt16(port))
    }

    deinit { close(descriptor) }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var target = target
        let sent = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(sent == bytes.count, "sendto: \(String(cString: strerror(errno)))")
    }
}

extension Running {
    /// The most memory it has had, MiB.
    var peakMemory: Int {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? .max) / 1_024
    }
}

private func endpoint(_ address: String, _ port: UInt16) -> sockaddr_in {
    var result = sockaddr_in()
    result.sin_family = sa_family_t(AF_INET)
    result.sin_port = port.bigEndian
    inet_pton(AF_INET, address, &result.sin_addr)
    return result
}

/// Binds to any port of the address; which one.
func bound(_ descriptor: Int32, _ address: String) -> UInt16 {
    var local = endpoint(address, 0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &local) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            precondition(bind(descriptor, $0, size) == 0, "bind \(address): \(String(cString: strerror(errno)))")
            _ = getsockname(descriptor, $0, &size)
        }
    }
    return UInt16(bigEndian: local.sin_port)
}

/// False once the other end is gone.
func sendAll(_ text: String, on descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let sent = rest.withUnsafeBytes {
            Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent > 0 else { return false }
        rest = rest.dropFirst(sent)
    }
    return true
}
