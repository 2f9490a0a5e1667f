import AtlasProtocol
import CSockets
import Diagnosis
import Glibc

/// Looks at who is on the meters' port and who is connected to units, once, with or without a recorder. Takes nothing from
/// anybody: no socket is bound where a datagram may arrive.
package enum PortLook {
    /// The kernel's tables cannot be read.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String {
            "cannot read /proc/net/udp: this needs Linux with /proc mounted. In a container, mount it there."
        }
    }

    /// `port`: of the meters; `controlPort`: of the units' third-party control, `others`: of units that have another one.
    package static func look(
        port: UInt16, controlPort: UInt16, others: Set<UInt16> = []
    ) throws(Failure) -> PortPicture {
        let controlPorts = others.union([controlPort])
        guard access("/proc/net/udp", R_OK) == 0 else { throw Failure() }
        var (table, connections) = sockets(port, controlPorts)
        var uses: [String: [ProcFiles.Use]] = [:]
        // A socket that came or went while the processes were asked has no owner: then all is asked again.
        for _ in 0..<5 {
            uses = ProcFiles.uses(of: Set((table + connections).map { "socket:[\($0.inode)]" }))
            let before = (table, connections)
            (table, connections) = sockets(port, controlPorts)
            if before == (table, connections) { break }
        }
        let recorders = ProcFiles.recorders()
        func owner(of socket: PortInspector.Socket) -> Owner {
            var programs = (uses["socket:[\(socket.inode)]"] ?? []).map(\.program)
            if programs.isEmpty, let recorder = likely(recorders, for: socket, among: table + connections, port) {
                programs = [recorder]
            }
            return Owner(
                uid: socket.uid, user: ProcFiles.user(socket.uid), programs: programs.sorted { $0.pid < $1.pid })
        }
        let clients = connections.map { connection in
            UnitClient(
                local: "\(connection.local):\(connection.localPort)",
                unit: "\(connection.remote):\(connection.remotePort)", owner: owner(of: connection))
        }
        return PortPicture(
            port: port, sockets: table.map { portSocket($0, owner(of: $0)) }, controlPort: controlPort,
            clients: clients.sorted { ($0.unit, $0.local) < ($1.unit, $1.local) }, recorders: recorders,
            canBindBeside: canBindBeside(table, port))
    }

    /// Whose descriptors this user may not see: a socket bound as only a recorder does, or a connection to a unit, is that
    /// of the one recorder that the same user runs for this port. Who runs is for everyone to see.
    private static func likely(
        _ recorders: [Program], for socket: PortInspector.Socket, among all: [PortInspector.Socket], _ port: UInt16
    ) -> Program? {
        /// Two alike cannot be told apart.
        func isLike(_ other: PortInspector.Socket) -> Bool {
            other.uid == socket.uid && other.local == socket.local && other.ipv6 == nil && other.localPort == port
                && !other.isConnected
        }
        let isSpecific = socket.local != IPv4Address(bits: 0) && socket.ipv6 == nil
        let candidates = recorders.filter { $0.meterPort == port && ProcFiles.owner(of: $0.pid) == socket.uid }
        let isAlone = socket.localPort != port || all.count(where: isLike) == 1
        return isSpecific && isAlone && candidates.count == 1 ? candidates[0] : nil
    }

    private static func sockets(_ port: UInt16, _ controlPorts: Set<UInt16>) -> (
        [PortInspector.Socket], [PortInspector.Socket]
    ) {
        (
            PortInspector.udpSockets(port: port),
            PortInspector.connections().filter { controlPorts.contains($0.remotePort) }
        )
    }

    private static func portSocket(_ socket: PortInspector.Socket, _ owner: Owner) -> PortSocket {
        let peer =
            socket.isConnected
            ? PortSocket.Peer(address: address(socket.remote, socket.ipv6?.remote), port: socket.remotePort) : nil
        return PortSocket(
            isIPv6: socket.ipv6 != nil,
            local: socket.isIPv6Only ? .ipv6("::") : address(socket.local, socket.ipv6?.local), port: socket.localPort,
            peer: peer, owner: owner, inode: socket.inode)
    }

    private static func address(_ address: IPv4Address, _ ipv6: String?) -> PortSocket.Address {
        if let ipv6, ipv6 != "::", address == IPv4Address(bits: 0) { return .ipv6(ipv6) }
        return address == IPv4Address(bits: 0) ? .any : .ipv4(address)
    }

    /// Asked only where it tells something: whether the one bound to any address shares the port.
    private static func canBindBeside(_ table: [PortInspector.Socket], _ port: UInt16) -> Bool? {
        guard table.contains(where: { $0.isWildcard && !$0.isConnected }) else { return nil }
        switch csockets_try_port(port) {
        case 0: return true
        case -EADDRINUSE: return false
        default: return nil
        }
    }
}
