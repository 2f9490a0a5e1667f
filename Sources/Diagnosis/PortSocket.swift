import AtlasProtocol

/// A process of this host, as /proc shows it.
package struct Program: Hashable, Sendable {
    package let pid: Int32
    package let command: String
    package let arguments: [String]

    package init(pid: Int32, command: String, arguments: [String] = []) {
        (self.pid, self.command, self.arguments) = (pid, command, arguments)
    }

    package var isRecorder: Bool { command == "atlas-recorder" && arguments.dropFirst().first == "run" }
    package var relays: Bool { isRecorder && !arguments.contains("--no-relay") }

    /// Where units send their meters, and no client can choose another.
    package static let usualMeterPort: UInt16 = 3131

    /// The UDP port that a recorder was told to use; nil: any free one.
    package var meterPort: UInt16? {
        guard let flag = arguments.firstIndex(where: { $0.hasPrefix("--meter-port") }) else {
            return Self.usualMeterPort
        }
        let value =
            arguments[flag].split(separator: "=").dropFirst().first.map(String.init)
            ?? arguments[flag...].dropFirst().first
        return value.flatMap { UInt16($0) }.flatMap { $0 == 0 ? nil : $0 }
    }
}

/// Whose a socket is.
package struct Owner: Hashable, Sendable {
    package let uid: UInt32
    /// The user's name, if it has one.
    package let user: String?
    /// Several where a socket is shared, as a Node cluster does; empty: this user may not look into the process.
    package let programs: [Program]

    package init(uid: UInt32, user: String?, programs: [Program]) {
        (self.uid, self.user, self.programs) = (uid, user, programs)
    }

    /// `node (pid 2211)`, `node (pids 2211, 2212)`, or `uid 1000`.
    package var name: String {
        guard let first = programs.first else { return "uid \(uid)" }
        guard programs.count > 1 else { return "\(first.command) (pid \(first.pid))" }
        let shown = programs.prefix(4).map { "\($0.pid)" }.joined(separator: ", ")
        return "\(first.command) (pids \(shown)\(programs.count > 4 ? " and \(programs.count - 4) more" : ""))"
    }

    package var isRecorder: Bool { programs.contains(where: \.isRecorder) }
    package var relays: Bool { programs.contains(where: \.relays) }
}

/// A UDP socket on the meters' port.
package struct PortSocket: Equatable, Sendable {
    package enum Address: Hashable, Sendable {
        /// 0.0.0.0 or [::].
        case any
        case ipv4(IPv4Address)
        case ipv6(String)
    }
    package struct Peer: Hashable, Sendable {
        package let address: Address
        package let port: UInt16
        package init(address: Address, port: UInt16) { (self.address, self.port) = (address, port) }
    }

    package let isIPv6: Bool
    package let local: Address
    package let port: UInt16
    /// The only one that it receives from, if it is connected.
    package let peer: Peer?
    package let owner: Owner
    package let inode: UInt64

    package init(
        isIPv6: Bool = false, local: Address, port: UInt16, peer: Peer? = nil, owner: Owner, inode: UInt64
    ) {
        (self.isIPv6, self.local, self.port, self.peer) = (isIPv6, local, port, peer)
        (self.owner, self.inode) = (owner, inode)
    }

    /// `192.168.5.10:3131`, `[::]:3131`.
    package var place: String { Self.text(local, port, isIPv6) }
    /// `192.168.5.101:50000`; nil: it is not connected.
    package var peerPlace: String? { peer.map { Self.text($0.address, $0.port, isIPv6) } }

    private static func text(_ address: Address, _ port: UInt16, _ isIPv6: Bool) -> String {
        switch address {
        case .any: isIPv6 ? "[::]:\(port)" : "0.0.0.0:\(port)"
        case .ipv4(let address): isIPv6 ? "[::ffff:\(address)]:\(port)" : "\(address):\(port)"
        case .ipv6(let address): "[\(address)]:\(port)"
        }
    }
}

/// A program of this host with a control connection to a unit.
package struct UnitClient: Equatable, Sendable {
    package let local: String
    /// `192.168.5.101:5321`.
    package let unit: String
    package let owner: Owner

    package init(local: String, unit: String, owner: Owner) {
        (self.local, self.unit, self.owner) = (local, unit, owner)
    }
}
