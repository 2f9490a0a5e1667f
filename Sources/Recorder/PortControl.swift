import AtlasProtocol
import NIOCore
import RecorderStore

/// Looks twice a second at who else is on the meters' port: switches the relay, records who comes and goes, finds who takes
/// our datagrams and takes them back. Confined to the event loop.
final class PortControl {
    /// A program's socket that takes our datagrams.
    struct Thief: Equatable {
        let name: String
        /// The only one that it receives from, if it is connected.
        let peer: UnitPort?
    }
    struct UnitPort: Equatable {
        let address: IPv4Address
        let port: UInt16
    }

    /// Between two looks.
    private static let pause = TimeAmount.milliseconds(500)

    private unowned let plane: ControlPlane
    private var timer: RepeatedTask?
    private var watches: [UInt16: PortWatch] = [:]
    /// The programs as they were named when they came: when they have gone nobody can tell.
    private var names: [UInt64: String] = [:]
    private var isRelaying = false

    init(plane: ControlPlane) { self.plane = plane }

    /// So that a program which comes gets everything from well within a second after it bound.
    func start() {
        let loop = plane.loop
        timer = loop.eventLoop.scheduleRepeatedTask(initialDelay: Self.pause, delay: Self.pause) { _ in
            loop.enter { $0.ports.look() }
        }
    }

    func stop() { timer?.cancel() }

    /// Costs some 0.1 ms; a search through all processes only when somebody came.
    func look() {
        let ports = plane.sockets.boundPorts
        for port in watches.keys where !ports.contains(port) { watches[port] = nil }
        var present: Set<UInt64> = []
        let changes = ports.map { port in
            let table = PortInspector.udpSockets(port: port)
            present.formUnion(table.map(\.inode))
            return (
                port, watches[port, default: PortWatch()].look(table, own: plane.ownSockets, units: plane.unitAddresses)
            )
        }
        // Before anybody is named, which takes its time.
        let isSwitched = switchRelay(watches.values.contains { $0.hasListeners })
        for (port, change) in changes {
            for socket in change.joined { joined(socket, watches[port]?.roles[socket.inode]) }
            for socket in change.left { left(socket) }
            plane.sockets.takeBack(port: port) { thieves(from: $0, to: $1, on: port) }
        }
        plane.sockets.forgetClosed(present)
        if isSwitched { recordRelay() }
    }

    /// The program that takes this link's datagrams now, named.
    func rival(of link: ProcessorLink) -> String? {
        guard let place = plane.sockets.local(of: link) else { return nil }
        let found = thieves(from: link.endpoint?.address, to: place.address, on: place.port)
        return found.isEmpty ? nil : found.map(\.name).joined(separator: ", ")
    }

    private func thieves(from unit: IPv4Address?, to local: IPv4Address, on port: UInt16) -> [Thief] {
        (watches[port]?.thieves(from: unit, to: local) ?? []).map { socket in
            let peer = socket.isConnected ? UnitPort(address: socket.remote, port: socket.remotePort) : nil
            return Thief(name: names[socket.inode] ?? "uid \(socket.uid)", peer: peer)
        }
    }

    /// Returns whether it was the other way before.
    private func switchRelay(_ isWanted: Bool) -> Bool {
        guard plane.receiver.relayKeepsSource != nil, isWanted != isRelaying else { return false }
        isRelaying = isWanted
        plane.receiver.send(.relay(isWanted))
        return true
    }

    private func recordRelay() {
        let detail =
            plane.receiver.relayKeepsSource == true
            ? "to every program bound to 0.0.0.0, under the unit's own address"
            : "to every program bound to 0.0.0.0, under 127.0.0.1: CAP_NET_RAW would keep the unit's own address"
        record(isRelaying ? .relaying : .relayEnded, isRelaying ? detail : "nobody else is on the port")
    }

    private func joined(_ socket: PortInspector.Socket, _ role: PortWatch.Role?) {
        let name = PortInspector.holder(of: socket)
        names[socket.inode] = name
        let isRecorder = name.hasPrefix("atlas-recorder ") && role != .bystander
        let advice = isRecorder ? "; one recorder on a host: stop one, or give it this --store with --standby" : ""
        let user = ProcFiles.localUser(socket.uid).map { " of user \($0)" } ?? ""
        record(.portJoined, "\(name)\(user), \(Self.place(socket)): \(meaning(of: role))\(advice)")
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
            plane.receiver.relayKeepsSource == nil ? "gets nothing: --no-relay" : "gets every datagram by relay"
        case .starved: "gets nothing, bound to this recorder's own address before it: let it bind 0.0.0.0"
        case .thief: "takes the datagrams; they are taken back, let it bind 0.0.0.0"
        case .bystander, nil: "another address, none of the recorder's datagrams"
        }
    }

    private func record(_ name: LinkEvent.Name, _ detail: String) {
        plane.outbox.put([
            .event(.init(processor: nil, at: plane.clock.wallNow, link: .meters, name: name, detail: detail))
        ])
    }
}
