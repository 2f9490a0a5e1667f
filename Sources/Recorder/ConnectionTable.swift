import AtlasProtocol
import Glibc
import RecorderStore

/// This host's TCP connections, for the receiving thread, which may ask with every value: the kernel walks its whole table to
/// answer, some 4 ms and with 1,000 units more. Confined to that thread.
///
/// All units share one look, and after it the next waits for twenty times as long as it worked: asked by each unit for itself,
/// a thousand that were late by one tick kept the thread from reading, so that more of them were late.
final class ConnectionTable {
    /// Microseconds.
    private static let leastPause: Int64 = 100_000
    private static let pauses: Int64 = 20

    private let read: () -> [PortInspector.Socket]
    private let now, worked: () -> Int64
    private var byPeer: [Peer: [PortInspector.Socket]] = [:]
    private var nextLook = Int64.min

    private struct Peer: Hashable {
        let address: IPv4Address
        let port: UInt16
    }

    /// Microseconds: `now` of a clock that is never set; `worked` what the thread has had of a processor, for on a busy host a
    /// look takes long without costing more.
    init(
        now: @escaping () -> Int64, worked: @escaping () -> Int64 = ConnectionTable.threadTime,
        read: @escaping () -> [PortInspector.Socket] = PortInspector.connections
    ) {
        (self.now, self.worked, self.read) = (now, worked, read)
    }

    static func threadTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    /// Whether a program of this host has a connection to this unit besides ours.
    func hasOtherClient(of endpoint: UnitEndpoint) -> Bool {
        // One of an earlier look may have been ours, which has ended since.
        if now() >= nextLook || !others(of: endpoint).isEmpty { look() }
        return !others(of: endpoint).isEmpty
    }

    private func others(of endpoint: UnitEndpoint) -> [PortInspector.Socket] {
        endpoint.otherClients(among: byPeer[Peer(address: endpoint.address, port: endpoint.port)] ?? [])
    }

    private func look() {
        let before = worked()
        byPeer = Dictionary(grouping: read()) { Peer(address: $0.remote, port: $0.remotePort) }
        nextLook = now() + max(Self.leastPause, Self.pauses * (worked() - before))
    }
}
