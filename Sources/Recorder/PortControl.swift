import AtlasProtocol
import NIOCore
import RecorderStore

/// Looks twice a second at who else is on the meters' port: switches the relay, records who comes and goes, finds who takes
/// our datagrams and takes them back. Confined to the event loop.
final class PortControl {
    /// A program's socket that takes our datagrams.
    struct Thief {
        let name: String
        /// The only one that it receives from, if it is connected.
        let peer: UnitPort?
        let since: Instant
    }

    /// Between two looks.
    private static let pause = TimeAmount.milliseconds(500)
    /// How long a thief's name is waited for.
    private static let patience = Span.seconds(1)

    private unowned let plane: ControlPlane
    private var timer: RepeatedTask?
    private var watches: [UInt16: PortWatch] = [:]
    /// The programs as they were named when they came: when they have gone nobody can tell.
    private var names: [UInt64: String] = [:]
    /// Programs that came, are being named, and are recorded then; with the time when they came.
    private var unnamed: [UInt64: (came: Instant, at: Int64)] = [:]
    private var isRelaying = false
    private var relays: Bool

    init(plane: ControlPlane, relays: Bool) { (self.plane, self.relays) = (plane, relays) }

    /// Whether datagrams are to be passed on, from now on.
    func relays(_ relays: Bool) {
        self.relays = relays
        look()
    }

    /// So that a program which comes gets everything from well within a second after it bound.
    func start() {
        let loop = plane.loop
        timer = loop.eventLoop.scheduleRepeatedTask(initialDelay: Self.pause, delay: Self.pause) { _ in
            loop.enter { $0.ports.look() }
        }
    }

    func stop() { timer?.cancel() }

    /// Costs some 0.1 ms. Who came is named meanwhile on another thread, which searches through all processes.
    func look() {
        let (ports, own, now) = (plane.sockets.boundPorts, plane.ownSockets, plane.clock.now)
        for port in watches.keys where !ports.contains(port) { watches[port] = nil }
        var present: Set<UInt64> = []
        let changes = ports.map { port in
            let table = PortInspector.udpSockets(port: port)
            present.formUnion(table.map(\.inode))
            let change = watches[port, default: PortWatch()].look(table, own: own, units: plane.unitPorts, at: now)
            return (port, change)
        }
        names = names.filter { present.contains($0.key) || isLeaving($0.key, changes.map(\.1)) }
        let isSwitched = switchRelay(watches.values.contains { $0.hasListeners })
        for (port, change) in changes {
            name(change.joined, on: port)
            for socket in change.left { left(socket) }
            takeBack(on: port)
        }
        plane.sockets.forgetClosed(own, present)
        if isSwitched { recordRelay() }
    }

    private func isLeaving(_ inode: UInt64, _ changes: [PortWatch.Change]) -> Bool {
        changes.contains { $0.left.contains { $0.inode == inode } }
    }

    private func takeBack(on port: UInt16) {
        plane.sockets.takeBack(port: port) { thieves(from: $0, to: $1, on: port) }
        plane.sockets.releasePeers(port: port) { watches[port]?.isContested($0) ?? false }
    }

    /// The program that takes this link's datagrams now, named. `isMissed`: whether what should have come has not.
    func rival(of link: ProcessorLink, isMissed: Bool) -> String? {
        guard let place = plane.sockets.local(of: link) else { return nil }
        if isMissed, let unit = link.endpoint?.address {
            watches[place.port]?.suspect(connectedTo: unit, at: plane.clock.now)
        }
        let found = thieves(from: link.endpoint?.address, to: place.address, on: place.port)
        return found.isEmpty ? nil : found.map(\.name).joined(separator: ", ")
    }

    /// Those that are named, or were not in a second.
    private func thieves(from unit: IPv4Address?, to local: IPv4Address, on port: UInt16) -> [Thief] {
        guard let watch = watches[port] else { return [] }
        let now = plane.clock.now
        return watch.thieves(from: unit, to: local).compactMap { socket in
            if let waiting = unnamed[socket.inode], now - waiting.came < Self.patience { return nil }
            return Thief(
                name: names[socket.inode] ?? "uid \(socket.uid)", peer: socket.isConnected ? socket.peer : nil,
                since: watch.thiefSince[socket.inode] ?? now)
        }
    }

    /// Returns whether it was the other way before.
    private func switchRelay(_ isWanted: Bool) -> Bool {
        let isWanted = isWanted && relays
        guard isWanted != isRelaying else { return false }
        isRelaying = isWanted
        plane.receiver.send(.relay(isWanted))
        return true
    }

    private func recordRelay() {
        let detail =
            plane.receiver.relayKeepsSource
            ? "to every program bound to 0.0.0.0, under the unit's own address"
            : "to every program bound to 0.0.0.0, under 127.0.0.1: CAP_NET_RAW would keep the unit's own address"
        record(
            isRelaying ? .relaying : .relayEnded,
            isRelaying ? detail : relays ? "nobody else is on the port" : "relay = false")
    }

    /// Finds out who they are, all in one walk through the processes, and takes back what they take.
    private func name(_ sockets: [PortInspector.Socket], on port: UInt16) {
        guard !sockets.isEmpty else { return }
        for socket in sockets { unnamed[socket.inode] = (plane.clock.now, plane.clock.wallNow) }
        let loop = plane.loop
        ProcFiles.pool.runIfActive(eventLoop: loop.eventLoop) { PortInspector.holders(of: sockets) }.whenSuccess {
            found in
            loop.enter { $0.ports.named(sockets, found, on: port) }
        }
    }

    private func named(_ sockets: [PortInspector.Socket], _ found: [UInt64: String], on port: UInt16) {
        for socket in sockets {
            guard let came = unnamed.removeValue(forKey: socket.inode) else { continue }
            let name = found[socket.inode] ?? "uid \(socket.uid)"
            names[socket.inode] = name
            joined(socket, name, watches[port]?.roles[socket.inode], at: came.at)
        }
        takeBack(on: port)
    }

    private func joined(_ socket: PortInspector.Socket, _ name: String, _ role: PortWatch.Role?, at: Int64) {
        let isRecorder = name.hasPrefix("atlas-recorder ") && role != .bystander
        let advice = isRecorder ? "; one recorder on a host: stop one, or give it this --store with --standby" : ""
        let user = ProcFiles.localUser(socket.uid).map { " of user \($0)" } ?? ""
        record(.portJoined, "\(name)\(user), \(Self.place(socket)): \(meaning(of: role))\(advice)", at: at)
    }

    private func left(_ socket: PortInspector.Socket) {
        let name = names.removeValue(forKey: socket.inode) ?? "uid \(socket.uid)"
        record(.portLeft, "\(name), \(Self.place(socket))")
    }

    private static func place(_ socket: PortInspector.Socket) -> String {
        let local = "\(socket.local):\(socket.localPort)"
        return socket.isConnected ? "\(local) connected to \(socket.remote):\(socket.remotePort)" : local
    }

    /// What it gets, and what to do where that is nothing.
    private func meaning(of role: PortWatch.Role?) -> String {
        switch role {
        case .listener:
            relays ? "gets every datagram by relay" : "gets nothing: --no-relay"
        case .starved: "gets nothing, bound to this recorder's own address before it: let it bind 0.0.0.0"
        case .thief: "takes the datagrams; they are taken back, at most once a minute; let it bind 0.0.0.0"
        case .bystander, nil: "another address, none of the recorder's datagrams"
        }
    }

    private func record(_ name: LinkEvent.Name, _ detail: String, at: Int64? = nil) {
        plane.outbox.put([
            .event(.init(processor: nil, at: at ?? plane.clock.wallNow, link: .meters, name: name, detail: detail))
        ])
    }
}
