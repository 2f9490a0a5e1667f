import AtlasProtocol

/// Who else is bound to the meters' port, and what that means for whom. Pure: it is shown the kernel's table (proc(5),
/// /proc/net/udp, newest first) and says what changed since the last look.
struct PortWatch {
    typealias Socket = PortInspector.Socket

    /// What another program's socket gets of the datagrams.
    enum Role: Equatable {
        /// Bound to 0.0.0.0, or to [::] without IPV6_V6ONLY: what we relay.
        case listener
        /// Bound to our own address before us: nothing, and no relay reaches it.
        case starved
        /// Bound to our own address after us, or connected to a unit: what should be ours.
        case thief
        /// Bound or connected to another address, or takes IPv6 only: none of our business.
        case bystander
    }

    struct Change: Equatable {
        let joined: [Socket]
        let left: [Socket]
    }

    private(set) var others: [Socket] = []
    private(set) var roles: [UInt64: Role] = [:]

    /// Takes a new look. `table`: all sockets of the port; `own`: our sockets' inodes; `units`: the units' addresses.
    mutating func look(_ table: [Socket], own: Set<UInt64>, units: Set<IPv4Address>) -> Change {
        let before = others
        others = table.filter { !own.contains($0.inode) }
        let ours = table.enumerated().filter { own.contains($0.element.inode) }
        roles = [:]
        for (index, socket) in table.enumerated() where !own.contains(socket.inode) {
            roles[socket.inode] = Self.role(of: socket, at: index, ours, units)
        }
        let (known, present) = (Set(before.map(\.inode)), Set(others.map(\.inode)))
        return Change(
            joined: others.filter { !known.contains($0.inode) }, left: before.filter { !present.contains($0.inode) })
    }

    private static func role(
        of socket: Socket, at index: Int, _ ours: [(offset: Int, element: Socket)], _ units: Set<IPv4Address>
    ) -> Role {
        if socket.isConnected {
            guard units.contains(socket.remote) else { return .bystander }
            let own = ours.first { $0.element.isConnected && $0.element.remote == socket.remote }
            return own.map { $0.offset < index } ?? false ? .starved : .thief
        }
        if socket.isWildcard { return .listener }
        guard let own = ours.first(where: { !$0.element.isConnected && socket.ends(at: $0.element.local) }) else {
            return .bystander
        }
        return index < own.offset ? .thief : .starved
    }

    var hasListeners: Bool { roles.values.contains(.listener) }

    /// The sockets that take what this unit sends to this address of ours.
    func thieves(from unit: IPv4Address?, to local: IPv4Address) -> [Socket] {
        others.filter { socket in
            guard roles[socket.inode] == .thief else { return false }
            return socket.isConnected ? socket.remote == unit : socket.local == local
        }
    }
}
