import AtlasProtocol

/// A unit's address, and the UDP port that it sends its meters from.
struct UnitPort: Hashable, Sendable {
    let address: IPv4Address
    let port: UInt16
}

/// Who else is bound to the meters' port, and what that means for whom. Pure: it is shown the kernel's table (proc(5),
/// /proc/net/udp, newest first) and says what changed since the last look.
struct PortWatch {
    typealias Socket = PortInspector.Socket

    /// What another program's socket gets of the datagrams.
    enum Role: Equatable {
        /// Bound to 0.0.0.0, or to [::] without IPV6_V6ONLY: what we relay.
        case listener
        /// Bound to our own address before us, or connected to a unit before us: nothing, and no relay reaches it.
        case starved
        /// Bound to our own address after us, or connected to a unit: what should be ours.
        case thief
        /// Bound or connected to another address or port, or takes IPv6 only: none of our business.
        case bystander
    }

    struct Change: Equatable {
        let joined: [Socket]
        let left: [Socket]
    }

    private(set) var others: [Socket] = []
    private(set) var roles: [UInt64: Role] = [:]
    /// Since when a socket is a thief.
    private(set) var thiefSince: [UInt64: Instant] = [:]
    /// Of all connected sockets, ours too: to whom, and when that was first seen. The table is in the order in which they
    /// were bound, and what decides among them is who connected last (Linux 6.18, measured).
    private var connections: [UInt64: (peer: UnitPort, since: Instant)] = [:]
    /// Connected sockets that must have what is missing here, and since when.
    private var suspects: [UInt64: Instant] = [:]

    /// Takes a new look at `now`. `table`: all sockets of the port; `own`: our sockets' inodes; `units`: the units' addresses
    /// with the port that each sends from, 0 where nothing has come yet.
    mutating func look(
        _ table: [Socket], own: Set<UInt64>, units: [IPv4Address: UInt16], at now: Instant
    ) -> Change {
        let before = others
        others = table.filter { !own.contains($0.inode) }
        noteConnections(table, now)
        let ours = table.enumerated().filter { own.contains($0.element.inode) }
        roles = [:]
        for (index, socket) in table.enumerated() where !own.contains(socket.inode) {
            roles[socket.inode] = role(of: socket, at: index, ours, units)
        }
        thiefSince = thiefSince.filter { roles[$0.key] == .thief }
        for (inode, role) in roles where role == .thief && thiefSince[inode] == nil { thiefSince[inode] = now }
        let (known, present) = (Set(before.map(\.inode)), Set(others.map(\.inode)))
        return Change(
            joined: others.filter { !known.contains($0.inode) }, left: before.filter { !present.contains($0.inode) })
    }

    private mutating func noteConnections(_ table: [Socket], _ now: Instant) {
        var seen: [UInt64: (peer: UnitPort, since: Instant)] = [:]
        for socket in table where socket.isConnected {
            let known = connections[socket.inode]
            seen[socket.inode] = (socket.peer, known.map { $0.peer == socket.peer ? $0.since : now } ?? now)
        }
        connections = seen
        suspects = suspects.filter { seen[$0.key] != nil }
    }

    private func role(
        of socket: Socket, at index: Int, _ ours: [(offset: Int, element: Socket)], _ units: [IPv4Address: UInt16]
    ) -> Role {
        if socket.isConnected { return role(ofConnected: socket, at: index, ours, units) }
        if socket.isWildcard { return .listener }
        guard let own = ours.first(where: { !$0.element.isConnected && socket.ends(at: $0.element.local) }) else {
            return .bystander
        }
        return index < own.offset ? .thief : .starved
    }

    private func role(
        ofConnected socket: Socket, at index: Int, _ ours: [(offset: Int, element: Socket)],
        _ units: [IPv4Address: UInt16]
    ) -> Role {
        guard let port = units[socket.remote], port == 0 || port == socket.remotePort,
            ours.contains(where: { socket.ends(at: $0.element.local) })
        else { return .bystander }
        let same = ours.filter {
            $0.element.isConnected && $0.element.peer == socket.peer && socket.ends(at: $0.element.local)
        }
        guard let own = same.max(by: { since($0.element) < since($1.element) }) else { return .thief }
        if let suspected = suspects[socket.inode], suspected >= since(own.element) { return .thief }
        let (theirs, mine) = (since(socket), since(own.element))
        return theirs > mine || (theirs == mine && index < own.offset) ? .thief : .starved
    }

    private func since(_ socket: Socket) -> Instant { connections[socket.inode]?.since ?? Instant(microseconds: 0) }

    var hasListeners: Bool { roles.values.contains(.listener) }

    /// The sockets that take what this unit sends to this address of ours.
    func thieves(from unit: IPv4Address?, to local: IPv4Address) -> [Socket] {
        others.filter { socket in
            guard roles[socket.inode] == .thief else { return false }
            return socket.isConnected ? socket.remote == unit : socket.local == local
        }
    }

    /// Nothing comes from this unit although it should: a socket connected to it after all has it, whatever the order says.
    mutating func suspect(connectedTo unit: IPv4Address, at now: Instant) {
        for socket in others where socket.isConnected && socket.remote == unit && roles[socket.inode] == .starved {
            suspects[socket.inode] = now
            roles[socket.inode] = .thief
            thiefSince[socket.inode] = now
        }
    }

    /// Whether anybody but us is connected to this port of a unit.
    func isContested(_ peer: UnitPort) -> Bool { others.contains { $0.isConnected && $0.peer == peer } }
}

extension PortInspector.Socket {
    /// Whom it is connected to.
    var peer: UnitPort { UnitPort(address: remote, port: remotePort) }
}
