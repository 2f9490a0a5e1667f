import NIOCore

/// What the units have done since `start()`.
package struct SimulatorStatistics: Sendable {
    package var units: [UnitStatistics]

    /// Meter values sent, first values and `getResp` included.
    package var samples: Int { units.reduce(0) { $0 + $1.samples } }
    /// All datagrams sent: meters, keep-alive echoes and malformed ones.
    package var datagrams: Int { units.reduce(0) { $0 + $1.datagrams } }
    package var commands: [ReceivedCommand: Int] {
        units.reduce(into: [:]) { $0.merge($1.commands, uniquingKeysWith: +) }
    }
    /// `set` and `bmp` received: a recorder never sends them.
    package var changesAsked: Int {
        commands.reduce(0) { $0 + (["set", "bmp"].contains($1.key.method) ? $1.value : 0) }
    }
}

package struct UnitStatistics: Sendable {
    /// Where it listens, or would if no fault kept it from it.
    package var address: SocketAddress
    package var connectionsAccepted = 0
    /// Open ones first, then the last 256 that ended.
    package var connections: [ConnectionStatistics] = []
    /// Sums over all connections, also those no longer listed.
    package var meterDatagrams = 0
    package var samples = 0
    package var echoes = 0
    package var garbageDatagrams = 0
    package var garbageLines = 0
    /// Datagrams the kernel did not take.
    package var unsentDatagrams = 0
    /// What sending datagrams ran into, by errno; ECONNREFUSED says that nobody listened to an earlier one.
    package var sendErrors: [Int32: Int] = [:]
    /// Every parameter of every command, obeyed or not. At most 10,000 different ones are kept apart.
    package var commands: [ReceivedCommand: Int] = [:]
    /// Lines that were no command.
    package var unreadableLines = 0
    /// Faults that hold.
    package var faults: Set<Fault> = []

    package var datagrams: Int { meterDatagrams + echoes + garbageDatagrams }

    mutating func count(_ command: ReceivedCommand) {
        guard commands.count < 10_000 || commands[command] != nil else { return }
        commands[command, default: 0] += 1
    }
}

package struct ConnectionStatistics: Sendable, Equatable {
    /// Counted from 0 for each unit.
    package let number: Int
    package let peer: SocketAddress
    package var isOpen = true
    package var subscriptions = 0
    package var meterDatagrams = 0
    package var samples = 0
    package var echoes = 0
}

/// One parameter of one received message.
package struct ReceivedCommand: Sendable, Hashable {
    package let method: String
    package let parameter: String
    /// `val`, `pct`, `str`, or empty if the message named none.
    package let format: String

    package init(method: String, parameter: String, format: String) {
        self.method = method
        self.parameter = parameter
        self.format = format
    }
}

/// What a simulation tells as it happens; `unit` counts from 0, `connection` for each unit.
package enum SimulatorEvent: Sendable, Equatable {
    case connected(unit: Int, connection: Int, peer: SocketAddress)
    case disconnected(unit: Int, connection: Int)
    case received(unit: Int, connection: Int, ReceivedCommand)
    case faultBegan(unit: Int, Fault)
    case faultEnded(unit: Int, Fault)
    /// A step of the script could not be carried out.
    case faultFailed(unit: Int, Fault, reason: String)
}
