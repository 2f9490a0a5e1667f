/// What a simulation consists of. Every field has a default that suits a demonstration.
package struct SimulatorConfiguration: Sendable, Equatable {
    package var units = 1
    /// IPv4 address of unit 0; unit n has the address n above it, carried into the next octet.
    package var firstAddress = "127.0.0.1"
    /// TCP port of every unit; 0 gives each unit a free port of its own, which `start()` returns.
    package var port = 5321
    /// UDP port, at the address a TCP connection came from, that meters and keep-alive echoes go to.
    package var meterPort = 3131
    package var model = UnitModel.azm8
    /// How often the levels change and, for the shapes `tick` and `datagram`, are sent: 1...1000 a second.
    package var updatesPerSecond = 10
    package var shape = MeterShape.tick
    /// nil: every value for `tick` and `datagram`, changed values for `single`.
    package var sending: MeterSending?
    /// Decimals of a dB value: 0...6.
    package var decimals = 1
    package var silence = Silence.half
    /// All levels fall to -80 dB from the start, until `setClosed(false)`.
    package var closed = false
    /// Windows of programme time, counted from `start()`, in which all levels fall to -80 dB.
    package var closingTimes: [Range<Duration>] = []
    /// The same seed gives the same levels at the same tick of the same unit.
    package var seed: UInt64 = 1
    package var unknownNames = UnknownNames.spoilMessage
    /// A connection without a command for this long is ended; nil: never.
    package var idleLimit: Duration? = .seconds(300)
    package var script = FaultScript()

    package init() {}

    var sendsOnlyChanges: Bool {
        switch (sending, shape) {
        case (.everyValue, _), (nil, .tick), (nil, .datagram): false
        case (.onChange, _), (nil, .single): true
        }
    }

    /// Ticks a second of a unit's one timer.
    var ticksPerSecond: Int {
        switch shape {
        case .tick, .datagram: updatesPerSecond
        case .single(let perSecond): perSecond
        }
    }

    /// Steps of the programme a second. Single values of mode `onChange` need enough values that changed.
    var stepsPerSecond: Int {
        guard case .single(let perSecond) = shape, sendsOnlyChanges else { return updatesPerSecond }
        return max(updatesPerSecond, min(1000, perSecond / 8 + 1))
    }

    /// Refuses what cannot be simulated, in words for the person who asked for it.
    package func validate() throws(SimulatorError) {
        func require(_ condition: Bool, _ message: String) throws(SimulatorError) {
            if !condition { throw SimulatorError(kind: .configuration, message: message) }
        }
        try require((1...100_000).contains(units), "\(units) units: simulate 1 to 100000")
        try require((0...65_535).contains(port), "port \(port): use 0 (any free port) to 65535")
        try require((1...65_535).contains(meterPort), "meter port \(meterPort): use 1 to 65535")
        try require((1...1000).contains(updatesPerSecond), "\(updatesPerSecond) updates a second: use 1 to 1000")
        try require((0...6).contains(decimals), "\(decimals) decimals: use 0 to 6")
        switch shape {
        case .tick: break
        case .datagram(let meters): try require(meters > 0, "\(meters) meters in a datagram: use 1 or more")
        case .single(let perSecond):
            try require((1...1000).contains(perSecond), "\(perSecond) single values a second: use 1 to 1000")
        }
        try model.validate()
        _ = try address(ofUnit: units - 1)
        for step in script.steps {
            if let unit = step.unit { try checkUnit(unit) }
            try check(step.fault)
        }
    }

    func checkUnit(_ unit: Int) throws(SimulatorError) {
        guard (0..<units).contains(unit) else {
            throw SimulatorError(
                kind: .noSuchUnit, message: "there is no unit \(unit): the units are 0 to \(units - 1)")
        }
    }

    /// Refuses a change of a zone or a parameter that no unit of this model has.
    func check(_ fault: Fault) throws(SimulatorError) {
        switch fault {
        case .rename(let zone, _), .renumber(let zone):
            guard (0..<model.zones).contains(zone) else {
                throw SimulatorError(
                    kind: .noSuchParameter, message: "there is no zone \(zone): the zones are 0 to \(model.zones - 1)")
            }
        case .set(let parameter, let value):
            let table = ParameterTable(model: model, silence: silence, scale: LevelScale(decimals: decimals))
            _ = try table.find(parameter, suiting: value)
        case .refuse, .acceptAndClose, .wedge, .notEnabled, .silentUDP, .meterless, .garbage, .freeze, .unplug,
            .dropConnections, .reset, .clear:
            break
        }
    }

    func address(ofUnit unit: Int) throws(SimulatorError) -> String {
        let octets = firstAddress.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard octets.count == 4, !octets.contains(nil) else {
            throw SimulatorError(
                kind: .configuration, message: "'\(firstAddress)' is not an IPv4 address: write it like 127.0.0.1")
        }
        let first = octets.reduce(0) { $0 << 8 | Int($1!) }
        let address = first + unit
        guard address < 0xFFFF_FFFF, first >> 24 != 127 || address < 0x7FFF_FFFF else {
            throw SimulatorError(
                kind: .configuration, message: "unit \(unit) has no address: begin lower than \(firstAddress)")
        }
        return stride(from: 24, through: 0, by: -8).map { String(address >> $0 & 0xFF) }.joined(separator: ".")
    }
}

/// How the meters of one tick are laid out in datagrams.
package enum MeterShape: Sendable, Equatable {
    /// All subscribed meters of a tick in one datagram.
    case tick
    /// So many meters in a datagram, and as many datagrams as a tick needs.
    case datagram(Int)
    /// One random meter in a datagram, so many datagrams a second for each connection.
    case single(perSecond: Int)

    var metersPerDatagram: Int {
        switch self {
        case .tick: .max
        case .datagram(let meters): meters
        case .single: 1
        }
    }
}

package enum MeterSending: Sendable, Equatable { case everyValue, onChange }

/// Which meters stay at -80 dB: those of odd index, or none.
package enum Silence: String, Sendable, CaseIterable { case half, none }

/// What an unknown name in an array does to the rest of its message.
package enum UnknownNames: String, Sendable, CaseIterable { case spoilMessage, takeRest }

package struct SimulatorError: Error, Equatable, CustomStringConvertible {
    package enum Kind: Sendable {
        case configuration, noSuchUnit, noSuchParameter, unsuitableValue, cannotListen, notRunning
    }
    package let kind: Kind
    package let message: String
    package var description: String { message }
}
