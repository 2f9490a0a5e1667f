import AtlasProtocol

/// Who is on the meters' port, and who of them gets the datagrams. The kernel gives a datagram to exactly one socket:
/// connected to its sender, before bound to its very address, before bound to 0.0.0.0, before bound to [::]; among equals
/// to the last one bound (docs/reference.md, "ports"). What the kernel does not show: sockets that are bound to a
/// device, or that share by SO_REUSEPORT.
package struct PortPicture: Sendable {
    package enum Share: String, Sendable {
        /// Everything that is sent to its address, or to any address of this host.
        case all
        /// What its peer sends, and nothing else.
        case fromPeer = "from_peer"
        /// What is sent to addresses of this host that nobody is bound to.
        case rest
        /// A copy of everything, from a recorder.
        case relayed = "by_relay"
        case nothing
    }

    package struct Entry: Sendable {
        package let socket: PortSocket
        package let share: Share
        /// Why, in a sentence without its end.
        package let reason: String
        /// Whether it asked for address reuse, so that others can bind beside it; nil: cannot be told.
        package let reusesAddress: Bool?
    }

    package let port: UInt16
    /// Newest first within IPv4 and within IPv6, as the kernel lists them.
    package let entries: [Entry]
    package let controlPort: UInt16
    package let clients: [UnitClient]
    /// Recorders for this port that have no socket on it.
    package let absentRecorders: [Program]

    /// `sockets`: IPv4 before IPv6, newest first. `canBindBeside`: whether a socket with address reuse can be bound beside
    /// the one that is bound to any address; nil: nobody tried.
    package init(
        port: UInt16, sockets: [PortSocket], controlPort: UInt16, clients: [UnitClient], recorders: [Program],
        canBindBeside: Bool?
    ) {
        (self.port, self.controlPort, self.clients) = (port, controlPort, clients)
        let relay = Self.relay(among: sockets)
        entries = sockets.enumerated().map { index, socket in
            let (share, reason) = Self.verdict(on: socket, before: sockets[..<index], among: sockets, relay)
            return Entry(
                socket: socket, share: share, reason: reason,
                reusesAddress: Self.reuse(of: socket, among: sockets, canBindBeside))
        }
        let present = Set(sockets.flatMap { $0.owner.programs.map(\.pid) })
        absentRecorders = recorders.filter { $0.isRecorder && $0.meterPort == port && !present.contains($0.pid) }
    }

    package var recorder: Entry? { entries.first { $0.socket.owner.isRecorder } }
    /// Somebody whose socket keeps every other program out.
    package var loner: Entry? { entries.first { $0.reusesAddress == false } }

    // MARK: who gets what

    /// A relaying recorder's socket, one that receives if there is one.
    private static func relay(among sockets: [PortSocket]) -> (socket: PortSocket, receives: Bool)? {
        let relays = sockets.enumerated().filter { $0.element.owner.relays }
        let receiving = relays.first { index, socket in newerEqual(to: socket, among: sockets[..<index]) == nil }
        if let receiving { return (receiving.element, true) }
        return relays.first.map { ($0.element, false) }
    }

    private static func newerEqual(to socket: PortSocket, among newer: ArraySlice<PortSocket>) -> PortSocket? {
        newer.first { $0.local == socket.local && $0.peer == socket.peer }
    }

    private static func verdict(
        on socket: PortSocket, before newer: ArraySlice<PortSocket>, among all: [PortSocket],
        _ relay: (socket: PortSocket, receives: Bool)?
    ) -> (Share, String) {
        if case .ipv6 = socket.local { return (.nothing, "takes IPv6 only, and units send by IPv4") }
        let rival = newerEqual(to: socket, among: newer)
        if let peer = socket.peerPlace {
            if let rival { return (.nothing, "\(rival.owner.name) connected to the same peer after it") }
            return (.fromPeer, "connected to \(peer): for what that sends it goes before every other socket")
        }
        if case .ipv4 = socket.local { return specific(socket, rival, all) }
        return wildcard(socket, rival, all, relay)
    }

    private static func specific(_ socket: PortSocket, _ rival: PortSocket?, _ all: [PortSocket]) -> (Share, String) {
        if let rival {
            let cure = socket.owner.isRecorder ? "the recorder takes it back within a minute" : "let it bind 0.0.0.0"
            return (
                .nothing, "\(rival.owner.name) bound the same address after it, and the last one has it all; \(cure)"
            )
        }
        let isLast = all.contains { $0 != socket && $0.local == socket.local && $0.peer == nil }
        var reason = "\(isLast ? "the last one " : "")bound to the very address, which goes before 0.0.0.0"
        let connected = all.filter { $0.peer != nil && $0.local == socket.local }
        if !connected.isEmpty {
            let peers = connected.map { "\($0.peerPlace ?? "") (\($0.owner.name))" }.joined(separator: ", ")
            reason += "; but not what comes from \(peers), which is connected"
        }
        if socket.owner.relays { reason += "; passes everything on to those bound to 0.0.0.0" }
        return (.all, reason)
    }

    private static func wildcard(
        _ socket: PortSocket, _ rival: PortSocket?, _ all: [PortSocket],
        _ relay: (socket: PortSocket, receives: Bool)?
    ) -> (Share, String) {
        if let relay {
            let name = relay.socket.owner.name
            guard relay.receives else {
                return (.nothing, "\(name) would pass everything on to it, and receives nothing itself")
            }
            return (.relayed, "\(name) passes on all that it receives to every program bound to 0.0.0.0")
        }
        if let rival {
            guard rival.isIPv6 == socket.isIPv6 else {
                return (.nothing, "\(rival.owner.name) is bound to 0.0.0.0, which goes before [::]")
            }
            return (
                .nothing,
                "\(rival.owner.name) bound the same after it, and the last one has it all; a recorder would relay to both"
            )
        }
        let only = socket.isIPv6 ? ", unless it takes IPv6 only" : ""
        let specific = all.filter { other in if case .ipv4 = other.local { true } else { false } }
        guard !specific.isEmpty else {
            let isLast = all.contains { $0.local == .any && $0.isIPv6 == socket.isIPv6 && $0 != socket }
            return (.all, (isLast ? "the last one bound to any address" : "nobody goes before it") + only)
        }
        let names = specific.map { "\($0.owner.name) on \($0.place)" }.joined(separator: ", ")
        return (.rest, "only what is sent to other addresses of this host: \(names) goes before it" + only)
    }

    /// Two sockets share a port only if both asked for address reuse: so where there are two, both did.
    private static func reuse(of socket: PortSocket, among all: [PortSocket], _ canBindBeside: Bool?) -> Bool? {
        let overlaps = all.contains { other in
            other != socket && other.isIPv6 == socket.isIPv6
                && (other.local == socket.local || other.local == .any || socket.local == .any)
        }
        if overlaps || socket.owner.isRecorder { return true }
        guard socket.local == .any, socket.peer == nil else { return nil }
        // Beside two of different families nobody knows whose refusal it was.
        let isOnly = all.count { $0.local == .any && $0.peer == nil } == 1
        return canBindBeside == false && !isOnly ? nil : canBindBeside
    }
}
