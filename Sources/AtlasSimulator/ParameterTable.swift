/// All parameters of one unit, by index and by name.
struct ParameterTable {
    enum Family: Int, CaseIterable {
        case source, zone, mix, group

        var name: String { ["Source", "Zone", "Mix", "Group"][rawValue] }
        var labels: [String] {
            [VenueNames.sources, VenueNames.zones, VenueNames.mixes, VenueNames.groups][rawValue]
        }
    }
    /// Where one source, zone, mix or group has its four parameters.
    struct Strip {
        let meter: Int
        var gain: Int { meter + 1 }
        var mute: Int { meter + 2 }
        var name: Int { meter + 3 }
    }

    /// `ZoneSource_n` and `ZoneGrouped_n`, or `GroupSource_n` and `GroupActive_n`.
    struct Route {
        let source: Int
        var active: Int { source + 1 }
    }

    private(set) var parameters: [Parameter] = []
    private(set) var indexes: [String: Int] = [:]
    private var strips = Family.allCases.map { _ in [Strip]() }
    private(set) var zoneRoutes: [Route] = []
    private(set) var groupRoutes: [Route] = []
    let scale: LevelScale

    init(model: UnitModel, silence: Silence, scale: LevelScale) {
        self.scale = scale
        for (family, first, count) in model.families {
            for index in 0..<count {
                addStrip(family, number: first + index, index)
            }
        }
        let choices = -1...max(-1, model.firstMix + model.mixes - 1)
        for zone in 0..<model.zones {
            zoneRoutes.append(Route(source: parameters.count))
            add("ZoneSource_\(zone)", .choice(choices), .whole(model.defaultSource(zone, silence)))
            add("ZoneGrouped_\(zone)", .choice(0...1), .whole(0))
        }
        for group in 0..<model.groups {
            let isLive = silence == .none || group.isMultiple(of: 2)
            groupRoutes.append(Route(source: parameters.count))
            add("GroupSource_\(group)", .choice(choices), .whole(model.defaultSource(group, silence)))
            add("GroupActive_\(group)", .choice(0...1), .whole(isLive ? 1 : 0))
        }
        addVenue()
    }

    private mutating func addStrip(_ family: Family, number: Int, _ index: Int) {
        let strip = Strip(meter: parameters.count)
        let gain = family == .source ? 0 : -Double(index * 3 % 12)
        add("\(family.name)Meter_\(number)", .meter, .level(scale.floor))
        add("\(family.name)Gain_\(number)", .gain, .level(scale.level(dB: gain)))
        add("\(family.name)Mute_\(number)", .choice(0...1), .whole(0))
        add("\(family.name)Name_\(number)", .label, .text(VenueNames.name(index, of: family.labels, kind: family.name)))
        strips[family.rawValue].append(strip)
    }

    private mutating func addVenue() {
        add("KeepAlive", .keepAlive, .text("OK"))
        add("FirmwareVersion", .label, .text("4.1.16"))
        add("LoudNoise", .choice(0...1), .whole(0))
        for output in VenueNames.outputs.indices { add("GpoState_\(output)", .choice(0...1), .whole(0)) }
        addActions("SceneName", "RecallScene", VenueNames.scenes)
        addActions("RoutineName", "RecallRoutine", VenueNames.routines)
        addActions("MessageName", "PlayMessage", VenueNames.messages)
        addActions("GpoPresetName", "RecallGpoPreset", VenueNames.outputs)
        for (index, name) in VenueNames.bells.enumerated() { add("BellScheduleName_\(index)", .label, .text(name)) }
        add("TodaysBellSchedule", .choice(-1...VenueNames.bells.count - 1), .whole(0))
    }

    private mutating func addActions(_ label: String, _ action: String, _ names: [String]) {
        for (index, name) in names.enumerated() {
            add("\(label)_\(index)", .label, .text(name))
            add("\(action)_\(index)", .action(0...1), .whole(0))
        }
    }

    private mutating func add(_ name: String, _ kind: Parameter.Kind, _ value: Parameter.Value) {
        indexes[name] = parameters.count
        parameters.append(Parameter(name: name, kind: kind, value: value))
    }

    subscript(_ index: Int) -> Parameter { parameters[index] }

    func strips(_ family: Family) -> [Strip] { strips[family.rawValue] }

    func level(_ index: Int) -> Int {
        if case .level(let level) = parameters[index].value { level } else { scale.floor }
    }

    func whole(_ index: Int) -> Int {
        if case .whole(let number) = parameters[index].value { number } else { 0 }
    }

    /// Whether that changed it.
    mutating func store(_ value: Parameter.Value, at index: Int) -> Bool {
        let isNew = parameters[index].value != value
        parameters[index].value = value
        return isNew
    }

    mutating func storeLevel(_ level: Int, at index: Int) { parameters[index].value = .level(level) }

    func index(of name: String) throws(SimulatorError) -> Int {
        guard let index = indexes[name] else {
            throw SimulatorError(kind: .noSuchParameter, message: "the unit has no parameter '\(name)'")
        }
        return index
    }

    /// The parameter of that name, and the value to store there.
    func find(
        _ name: String, suiting value: ParameterValue
    ) throws(SimulatorError) -> (index: Int, value: Parameter.Value) {
        let index = try index(of: name)
        guard let suited = suited(value, for: index) else {
            throw SimulatorError(kind: .unsuitableValue, message: "\(name) cannot be '\(value.text)'")
        }
        return (index, suited)
    }

    /// The zones after this one move down by one, with all that is theirs; the last number is no longer known.
    mutating func removeZone(_ zone: Int) throws(SimulatorError) {
        let zones = strips(.zone)
        guard zones.indices.contains(zone) else {
            throw SimulatorError(kind: .noSuchParameter, message: "the unit has no zone \(zone)")
        }
        let last = zones.count - 1
        func owned(_ zone: Int) -> [Int] {
            let (strip, route) = (zones[zone], zoneRoutes[zone])
            return [strip.meter, strip.gain, strip.mute, strip.name, route.source, route.active]
        }
        for moved in zone..<last {
            for (to, from) in zip(owned(moved), owned(moved + 1)) { parameters[to].value = parameters[from].value }
        }
        for index in owned(last) { indexes[parameters[index].name] = nil }
        strips[Family.zone.rawValue].removeLast()
        zoneRoutes.removeLast()
    }

    /// The value to store, or nil if it does not suit the parameter. Levels are cut to -80...0 dB.
    func suited(_ value: ParameterValue, as format: Request.Format = .val, for index: Int) -> Parameter.Value? {
        switch parameters[index].kind {
        case .label, .keepAlive: return .text(value.text)
        case .meter, .gain:
            return value.number.map { .level(format == .pct ? scale.level(percent: $0) : scale.level(dB: $0)) }
        case .choice(let range), .action(let range):
            guard let number = value.number, let whole = Int(exactly: number), range.contains(whole) else { return nil }
            return .whole(whole)
        }
    }

    /// The value after a `bmp`: a gain moves by dB or percent, a choice by whole numbers; both stop at their ends.
    func bumped(by value: ParameterValue, as format: Request.Format, at index: Int) -> Parameter.Value? {
        guard let step = value.number else { return nil }
        switch parameters[index].kind {
        case .label, .keepAlive, .meter: return nil
        case .gain:
            let dB = format == .pct ? step * 0.8 : step
            return .level(scale.level(dB: Double(level(index)) / Double(scale.unitsPerDB) + dB))
        case .choice(let range), .action(let range):
            return .whole(min(range.upperBound, max(range.lowerBound, whole(index) + Int(step))))
        }
    }
}

extension UnitModel {
    var families: [(family: ParameterTable.Family, first: Int, count: Int)] {
        [(.source, 0, sources), (.zone, 0, zones), (.mix, firstMix, mixes), (.group, 0, groups)]
    }

    /// Of a zone or group: with half silence one of its own parity, so that odd ones follow a silent source.
    func defaultSource(_ index: Int, _ silence: Silence) -> Int {
        switch silence {
        case .none: return sources == 0 ? -1 : index % sources
        case .half:
            let suitable = (0..<sources).filter { $0 % 2 == index % 2 }
            return suitable.isEmpty ? -1 : suitable[index / 2 % suitable.count]
        }
    }
}
