import Glibc
import NIOCore

/// A unit's UDP socket: bound to the unit's address, its port the same as long as the unit lives.
///
/// A plain socket, because a datagram channel of SwiftNIO closes itself on errors that a unit outlives (EPERM from a
/// packet filter, ENETUNREACH). It never waits: a datagram that cannot be sent now is lost and counted.
struct MeterSocket: ~Copyable {
    private let descriptor: CInt
    /// What `send` ran into, by errno. IP_RECVERR lets an unconnected socket hear the ICMP answer of a closed port:
    /// ECONNREFUSED then comes with the next datagram, which is sent all the same.
    private(set) var errors: [Int32: Int] = [:]

    init(boundTo address: SocketAddress) throws(SimulatorError) {
        func failure(_ doing: String) -> SimulatorError {
            SimulatorError(
                kind: .cannotListen,
                message: "cannot \(doing) a UDP socket at \(address): \(String(cString: strerror(errno)))")
        }
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | Self.nonBlocking, 0)
        guard descriptor >= 0 else { throw failure("make") }
        var on: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        let bound = address.withSockAddr { bind(descriptor, $0, socklen_t($1)) }
        guard bound == 0, setsockopt(descriptor, CInt(IPPROTO_IP), IP_RECVERR, &on, size) == 0 else {
            let error = failure("bind")
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Whether the kernel took it.
    mutating func send(_ datagram: borrowing ByteBuffer, to address: SocketAddress) -> Bool {
        if attempt(datagram, to: address) { return true }
        let code = errno
        errors[code, default: 0] += 1
        guard code != EAGAIN, code != EMSGSIZE else { return false }
        // What was reported may belong to an earlier datagram: forget it, and send this one.
        discardReports()
        return attempt(datagram, to: address)
    }

    private func attempt(_ datagram: borrowing ByteBuffer, to address: SocketAddress) -> Bool {
        datagram.withUnsafeReadableBytes { bytes in
            address.withSockAddr { sendto(descriptor, bytes.baseAddress, bytes.count, 0, $0, socklen_t($1)) } >= 0
        }
    }

    private func discardReports() {
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, Self.errorQueue) >= 0 {}
    }

    private static let nonBlocking = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
    private static let errorQueue = CInt(MSG_ERRQUEUE) | CInt(MSG_DONTWAIT)
}
