/// Which errors are one episode: the same error of the same socket, until success or 60 s without it. Pure.
struct EpisodeLedger {
    /// Microseconds without the error after which an episode is over.
    static let pause: Int64 = 60_000_000

    struct Key: Hashable {
        let processor: Int32?
        let socket: SocketFault.Socket
        let operation: SocketFault.Operation
        let code: String
        /// Of a UDP socket, which may serve several units; a unit's TCP connection needs none.
        let address: String?

        init(_ fault: SocketFault) {
            (processor, socket, operation, code) = (fault.processor, fault.socket, fault.operation, fault.code)
            address = fault.socket == .udp ? fault.address : nil
        }
    }
    private struct Episode {
        let row: Int64
        var lastAt: Int64
    }
    private var open: [Key: Episode] = [:]

    /// The row of the episode that this fault continues, or nil if it begins one.
    mutating func row(for fault: SocketFault) -> Int64? {
        let key = Key(fault)
        guard var episode = open[key], abs(fault.at - episode.lastAt) <= Self.pause else { return nil }
        episode.lastAt = max(episode.lastAt, fault.at)
        open[key] = episode
        return episode.row
    }

    mutating func begin(_ fault: SocketFault, row: Int64) { open[Key(fault)] = Episode(row: row, lastAt: fault.at) }

    mutating func forget(before time: Int64) { open = open.filter { $0.value.lastAt >= time } }

    /// `address`: of a UDP socket.
    mutating func end(
        processor: Int32?, socket: SocketFault.Socket, operation: SocketFault.Operation, address: String?
    ) {
        open = open.filter { key, _ in
            key.processor != processor || key.socket != socket || key.operation != operation || key.address != address
        }
    }
}
