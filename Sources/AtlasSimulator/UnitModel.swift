/// How many of everything a unit has. Indexes of sources, zones and groups begin at 0, those of mixes at `firstMix`.
package struct UnitModel: Sendable, Equatable {
    package var sources: Int
    package var zones: Int
    package var firstMix: Int
    package var mixes: Int
    package var groups: Int

    package static let azm8 = UnitModel(sources: 14, zones: 8, firstMix: 14, mixes: 8, groups: 4)
    package static let azm4 = UnitModel(sources: 8, zones: 4, firstMix: 8, mixes: 8, groups: 4)

    package init(sources: Int, zones: Int, firstMix: Int, mixes: Int, groups: Int) {
        self.sources = sources
        self.zones = zones
        self.firstMix = firstMix
        self.mixes = mixes
        self.groups = groups
    }

    /// The model of that name, `azm4` or `azm8`.
    package init?(name: String) {
        switch name.lowercased() {
        case "azm4": self = .azm4
        case "azm8": self = .azm8
        default: return nil
        }
    }

    package var meters: Int { sources + zones + mixes + groups }

    func validate() throws(SimulatorError) {
        for (count, what) in [(sources, "sources"), (zones, "zones"), (mixes, "mixes"), (groups, "groups")]
        where !(0...1000).contains(count) {
            throw SimulatorError(kind: .configuration, message: "\(count) \(what): use 0 to 1000")
        }
        guard firstMix >= sources, firstMix <= 10_000 else {
            throw SimulatorError(
                kind: .configuration, message: "mixes from \(firstMix): number them from \(sources) or higher")
        }
    }
}

/// What a bar calls its things.
enum VenueNames {
    static let sources = [
        "Jukebox", "DJ Booth", "TV Audio", "Streaming", "Karaoke", "Paging Mic", "Turntable", "Stage Left",
        "Stage Right", "Bluetooth", "Piano", "Announcements", "Door Mic", "Café Loop",
    ]
    static let zones = [
        "Main Bar", "Patio", "Terraza Ñandú", "Dance Floor", "VIP Lounge", "Restrooms", "Entrance", "Kitchen",
    ]
    static let mixes = ["Happy Hour", "Live Band", "Match Day", "Late Night", "Brunch", "Quiz Night", "DJ + Mic"]
    static let groups = ["Whole House", "Indoors", "Outdoors", "Upstairs"]
    static let scenes = ["Opening", "Happy Hour", "Late Night", "Closing"]
    static let routines = ["Morning", "Closing Down"]
    static let messages = ["Last Call", "Closing Time", "Fire Drill", "Lost Child"]
    static let bells = ["Weekdays", "Weekends"]
    static let outputs = ["Door Lamp", "Amplifier Power"]

    static func name(_ index: Int, of names: [String], kind: String) -> String {
        names.indices.contains(index) ? names[index] : "\(kind) \(index + 1)"
    }
}
