import CSockets
import Glibc

/// Passes every received datagram on to 127.255.255.255, on the port it came to: each program of this host that is bound to
/// 0.0.0.0 there with address reuse gets all of it, as if it were alone. Our own sockets are bound to specific addresses and
/// so do not hear it. Where datagrams come faster than both can be done, recording goes first. Confined to the receiving
/// thread, which sends from the memory it received into: no copy, and a loopback send never waits.
final class Relay {
    /// Whether the datagrams go on under the unit's own address; else under 127.0.0.1.
    let keepsSource: Bool
    /// Whether somebody listens; set twice a second, so that an idle host pays nothing.
    var isWanted = false
    private let descriptor: Int32
    private var failed = 0
    private var lastErrno: Int32 = 0
    private var lastPort: UInt16 = 0

    /// Throws if the host has no descriptor left.
    init() throws(ReceiverError) {
        var keeps: Int32 = 0
        descriptor = csockets_relay_create(&keeps)
        guard descriptor >= 0 else { throw ReceiverError(doing: "make a socket to relay with", errno: -descriptor) }
        keepsSource = keeps != 0
    }

    deinit { close(descriptor) }

    @inline(__always)
    func pass(_ batch: OpaquePointer, count: Int32, from socket: MeterSocket) {
        guard isWanted, count > 0 else { return }
        let port = socket.port
        guard !socket.isFilling else {
            (failed, lastErrno, lastPort) = (failed + Int(count), ENOBUFS, port)
            return
        }
        let missed = csockets_relay(descriptor, batch, count, port, keepsSource ? 1 : 0, &lastErrno)
        guard missed > 0 else { return }
        failed += Int(missed)
        lastPort = port
    }

    /// What was not sent since the last call: ENOBUFS where recording went first.
    func takeFailures() -> (count: Int, errno: Int32, port: UInt16)? {
        guard failed > 0 else { return nil }
        defer { failed = 0 }
        return (failed, lastErrno, lastPort)
    }
}
