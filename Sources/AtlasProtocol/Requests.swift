/// The three methods that a recorder may use. There is no `set` and no `bmp` here: it never changes a venue's sound.
package enum Request: Equatable, Sendable {
    case subscribe(id: Int, [Subscription])
    /// The probe: its answer comes by TCP and by UDP.
    case keepAlive

    /// One line with its `\n`, as the unit wants it.
    package var line: [UInt8] {
        switch self {
        case .subscribe(let id, let subscriptions):
            let list = subscriptions.map { #"{"param":"\#($0.name)","fmt":"\#($0.format.rawValue)"}"# }
            return Array(
                (#"{"jsonrpc":"2.0","id":\#(id),"method":"sub","params":[\#(list.joined(separator: ","))]}"# + "\n")
                    .utf8)
        case .keepAlive: return Self.get("KeepAlive")
        }
    }

    /// Asks for the unit's firmware, once; `doctor` does. One line with its `\n`.
    package static var firmwareLine: [UInt8] { Self.get("FirmwareVersion") }

    private static func get(_ name: String) -> [UInt8] {
        Array((#"{"jsonrpc":"2.0","method":"get","params":{"param":"\#(name)","fmt":"str"}}"# + "\n").utf8)
    }
}

/// One parameter to subscribe to. Names come from `Subscription.everything`, so they need no escaping.
package struct Subscription: Hashable, Sendable {
    package enum Format: String, Sendable {
        case number = "val"
        case text = "str"
    }
    package let name: String
    package let format: Format
    /// Of a list that nobody knows the length of: after two in a row that the unit lacks, the rest is not asked for now,
    /// only with the hourly second try.
    package let isOpenEnded: Bool

    package init(_ name: String, _ format: Format, isOpenEnded: Bool = false) {
        self.name = name
        self.format = format
        self.isOpenEnded = isOpenEnded
    }

    /// How many channels of each family are asked for. The largest unit has fewer: Mix is numbered from 14 on an AZM8
    /// and from 8 on an AZM4, and what a unit lacks it refuses with -32604.
    package static func channels(of family: ChannelFamily) -> Int {
        switch family {
        case .source: 14
        case .zone: 8
        case .mix: 22
        case .group: 12
        }
    }

    /// Everything a recorder asks of a unit, in messages of one family and member each, meters first. A unit refuses
    /// whole ranges, so the fewer kinds in one message, the fewer have to be asked again one by one. Every meter is asked
    /// for, so that none is missed; of what belongs to mixes and groups, whose numbers are the ones that units lack, only
    /// up to where a list ends.
    package static let everything: [[Subscription]] = {
        func range(_ family: ChannelFamily, _ member: String, _ format: Format, _ numbers: Range<Int>) -> [Subscription]
        {
            let isOpenEnded = member != "Meter" && (family == .mix || family == .group)
            return numbers.map { Subscription("\(family.prefix)\(member)_\($0)", format, isOpenEnded: isOpenEnded) }
        }
        func all(_ family: ChannelFamily, _ member: String, _ format: Format) -> [[Subscription]] {
            let end = channels(of: family)
            // An AZM8's begin at 14, an AZM4's at 8.
            let ranges = family == .mix && member != "Meter" ? [14..<end, 8..<14, 0..<8] : [0..<end]
            return ranges.map { range(family, member, format, $0) }
        }
        var messages = ChannelFamily.allCases.flatMap { all($0, "Meter", .number) }
        messages.append([Subscription("FirmwareVersion", .text)])
        for (member, format) in [("Name", Format.text), ("Gain", .number), ("Mute", .number)] {
            messages += ChannelFamily.allCases.flatMap { all($0, member, format) }
        }
        messages += all(.zone, "Source", .number) + all(.group, "Source", .number)
        messages += all(.zone, "Grouped", .number) + all(.group, "Active", .number)
        return messages + venue
    }()

    /// How many scenes, routines, messages, presets and bell schedules are asked for. The control manual gives no
    /// numbers; the unit's user manual (ATS006332) allows 20 scenes and 20 routines.
    private static let listLength = 20
    /// A unit has 2 outputs and takes 8 noise sensors (ATS006332); a larger model may have more outputs.
    private static let (outputs, noiseSensors) = (4, 8)

    /// What belongs to the unit as a whole: names before what they name. The manual says that a number follows each name,
    /// units are said to have some without, so both are asked for; those without in one list, because a unit that lacks
    /// two of them lacks them all.
    private static let venue: [[Subscription]] = {
        func list(_ stem: String, _ format: Format, _ count: Int = listLength) -> [Subscription] {
            (0..<count).map { Subscription("\(stem)_\($0)", format, isOpenEnded: true) }
        }
        let actions = UnitAction.allCases
        let names = actions.map(\.nameParameter) + ["BellScheduleName"]
        var messages = [[Subscription("LoudNoise", .number), Subscription("TodaysBellSchedule", .number)]]
        messages += names.map { list($0, .text) }
        messages += actions.map { list($0.parameter, .number) }
        messages += [list("GpoState", .number, outputs)]
        messages += [list("LoudNoise", .number, noiseSensors), list("TodaysBellSchedule", .number, 1)]
        messages.append(
            names.map { Subscription($0, .text, isOpenEnded: true) }
                + (actions.map(\.parameter) + ["GpoState"]).map { Subscription($0, .number, isOpenEnded: true) })
        return messages
    }()
}
