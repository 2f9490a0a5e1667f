/// What can go wrong with a unit. Several lasting faults may hold at once; the others happen and are over.
package enum Fault: Sendable, Hashable {
    /// The listener is closed, open connections are ended with FIN: a unit that reboots.
    case refuse
    /// Connections are accepted and ended at once with FIN, open ones too.
    case acceptAndClose
    /// TCP stays open, no command is answered or obeyed, subscribed meters flow.
    case wedge
    /// Open connections are ended with FIN; new ones are accepted and nothing is ever answered, no meter sent.
    case notEnabled
    /// Commands are answered by TCP, no datagram leaves the unit, no echo either: a firewall.
    case silentUDP
    /// The unit makes no meter values and no echo; commands and the keep-alive are answered by TCP.
    case meterless
    /// With every tick a malformed datagram to each connection's meter port, and now and then a malformed line by TCP.
    case garbage
    /// The firmware stands still: nothing is read, answered or sent until it goes on. TCP still acknowledges bytes.
    case freeze
    /// The cable is out: nothing is acknowledged, connecting times out. Open connections get no FIN.
    case unplug
    /// Open connections are ended with FIN.
    case dropConnections
    /// Open connections are ended with RST.
    case reset
    /// The zone gets a new name; those who subscribed to the name hear of it.
    case rename(zone: Int, name: String)
    /// Ends all lasting faults.
    case clear

    /// Whether it holds until it is lifted.
    package var isLasting: Bool {
        switch self {
        case .refuse, .acceptAndClose, .wedge, .notEnabled, .silentUDP, .meterless, .garbage, .freeze, .unplug: true
        case .dropConnections, .reset, .rename, .clear: false
        }
    }

    /// All but `rename`, which has arguments, by the name a script uses.
    package static let named: [(name: String, fault: Fault)] = [
        ("refuse", .refuse), ("acceptAndClose", .acceptAndClose), ("wedge", .wedge), ("notEnabled", .notEnabled),
        ("silentUDP", .silentUDP), ("meterless", .meterless), ("garbage", .garbage), ("freeze", .freeze),
        ("unplug", .unplug), ("dropConnections", .dropConnections), ("reset", .reset), ("clear", .clear),
    ]
}

/// How a unit behaves under the faults that hold.
struct Behaviour: Equatable {
    let listens: Bool
    let endsConnections: Bool
    /// Takes and answers commands, tells changes by TCP.
    let answers: Bool
    let sendsMeters: Bool
    let sendsEchoes: Bool
    let sendsGarbage: Bool
    let reads: Bool
    let isPlugged: Bool

    init(under faults: Set<Fault>) {
        isPlugged = !faults.contains(.unplug)
        reads = !faults.contains(.freeze)
        listens = !faults.contains(.refuse)
        endsConnections = faults.contains(.acceptAndClose)
        let isAlive = faults.isDisjoint(with: [.notEnabled, .freeze, .unplug])
        answers = isAlive && !faults.contains(.wedge)
        sendsMeters = isAlive && faults.isDisjoint(with: [.silentUDP, .meterless])
        sendsEchoes = sendsMeters && answers
        sendsGarbage = faults.contains(.garbage) && isPlugged && reads
    }
}
