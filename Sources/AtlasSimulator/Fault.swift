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
    /// A parameter takes this value, as if somebody had set it at the unit; an action is fired. Those who subscribed to it
    /// hear of it.
    case set(parameter: String, value: ParameterValue)
    /// The zone is taken out of the configuration: those after it move down by one with name, gain, mute and source, and
    /// the last number is there no more. Open connections are ended with FIN, as by a unit that starts its control anew.
    case renumber(withoutZone: Int)
    /// Ends all lasting faults.
    case clear

    /// Whether it holds until it is lifted.
    package var isLasting: Bool {
        switch self {
        case .refuse, .acceptAndClose, .wedge, .notEnabled, .silentUDP, .meterless, .garbage, .freeze, .unplug: true
        case .dropConnections, .reset, .rename, .set, .renumber, .clear: false
        }
    }

    /// Those without arguments, by the name a script uses.
    package static let named: [(name: String, fault: Fault)] = [
        ("refuse", .refuse), ("acceptAndClose", .acceptAndClose), ("wedge", .wedge), ("notEnabled", .notEnabled),
        ("silentUDP", .silentUDP), ("meterless", .meterless), ("garbage", .garbage), ("freeze", .freeze),
        ("unplug", .unplug), ("dropConnections", .dropConnections), ("reset", .reset), ("clear", .clear),
    ]

    /// Those with arguments, as a script writes them.
    package static let withArguments: [(usage: String, meaning: String)] = [
        ("rename ZONE NAME", "the zone gets another name"),
        ("renumber ZONE", "the zone goes, later ones move down, connections end"),
        ("recall KIND N", "fires it; KIND is scene, routine, message or gpo"),
        ("gain ZONE DB", "the zone's gain, -80 to 0"),
        ("mute ZONE on|off", "the zone's mute"),
        ("set PARAMETER VALUE", "any other: FirmwareVersion 4.2.0, ZoneSource_1 3"),
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
