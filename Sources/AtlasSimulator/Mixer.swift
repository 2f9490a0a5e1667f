/// From the programme to the meters of a unit: gains, mutes, and who follows which source.
struct Mixer {
    private let model: UnitModel
    /// The sources that each mix is made of.
    private let members: [[Int]]
    /// Meters that show a given level instead, by parameter index.
    var pinned: [Int: Int] = [:]

    init(model: UnitModel, silence: Silence) {
        self.model = model
        members = (0..<model.mixes).map { mix in
            let suitable = (0..<model.sources).filter { silence == .none || $0 % 2 == mix % 2 }
            return suitable.isEmpty ? [] : [0, 1].map { suitable[(mix / 2 + $0) % suitable.count] }
        }
    }

    /// Sets every meter of the table. Sources first, then what is made of them.
    func update(_ table: inout ParameterTable, from programme: Programme) {
        let floor = table.scale.floor
        for (source, strip) in table.strips(.source).enumerated() {
            set(strip, to: table.scale.level(dB: programme[source]), in: &table)
        }
        for (mix, strip) in table.strips(.mix).enumerated() {
            set(strip, to: members[mix].map { level(ofSource: $0, table) }.max() ?? floor, in: &table)
        }
        for (group, strip) in table.strips(.group).enumerated() {
            let route = table.groupRoutes[group]
            let isActive = table.whole(route.active) == 1
            set(strip, to: isActive ? level(ofSource: table.whole(route.source), table) : floor, in: &table)
        }
        for (zone, strip) in table.strips(.zone).enumerated() {
            set(strip, to: input(ofZone: zone, table), in: &table)
        }
    }

    /// A grouped zone plays what its group does: zone n belongs to group n modulo the number of groups.
    private func input(ofZone zone: Int, _ table: ParameterTable) -> Int {
        let route = table.zoneRoutes[zone]
        guard table.whole(route.active) == 1, model.groups > 0 else {
            return level(ofSource: table.whole(route.source), table)
        }
        return table.level(table.strips(.group)[zone % model.groups].meter)
    }

    /// Mixes count as sources from `firstMix` on; -1 is none.
    private func level(ofSource source: Int, _ table: ParameterTable) -> Int {
        if (0..<model.sources).contains(source) { return table.level(table.strips(.source)[source].meter) }
        guard (0..<model.mixes).contains(source - model.firstMix) else { return table.scale.floor }
        return table.level(table.strips(.mix)[source - model.firstMix].meter)
    }

    private func set(_ strip: ParameterTable.Strip, to input: Int, in table: inout ParameterTable) {
        let isMuted = table.whole(strip.mute) == 1
        let level = isMuted ? table.scale.floor : table.scale.sum(input, table.level(strip.gain))
        table.storeLevel(pinned[strip.meter] ?? level, at: strip.meter)
    }
}
