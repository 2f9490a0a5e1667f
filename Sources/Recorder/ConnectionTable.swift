import AtlasProtocol
import RecorderStore

/// This host's TCP connections, for the receiving thread, which may ask with every value: the kernel walks its whole table to
/// answer, some 4 ms and with 1,000 units more. Confined to that thread.
///
/// All units share one look, and after it the next waits for twenty times as long as it took: asked by each unit for itself,
/// a thousand that were late by one tick kept the thread from reading, so that more of them were late.
final class ConnectionTable {
    /// Microseconds.
    private static let leastPause: Int64 = 200_000
    private static let pauses: Int64 = 20

    private let read: () -> [PortInspector.Socket]
    private let now: () -> Int64
    private var byPeer: [Peer: [PortInspector.Socket]] = [:]
    private var nextLook = Int64.min

    private struct Peer: Hashable {
        let address: IPv4Address
        let port: UInt16
    }

    /// `now`: microseconds of a clock that is never set.
    init(now: @escaping () -> Int64, read: @escaping () -> [PortInspector.Socket] = PortInspector.connections) {
        (self.now, self.read) = (now, read)
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
        let began = now()
        byPeer = Dictionary(grouping: read()) { Peer(address: $0.remote, port: $0.remotePort) }
        let end = now()
        nextLook = end + max(Self.leastPause, Self.pauses * (end - began))
    }
}
