import AtlasProtocol
import Recorder

/// What the feed has said so far: the units, their links' states and their meters' levels. Pure; a line in, and what is known
/// has changed.
package struct FeedPicture: Sendable {
    package struct Standing: Equatable, Sendable {
        package let state: String
        package let cause: String?
        /// Microseconds since 1970 UTC.
        package let since: Int64
    }
    package struct Channel: Sendable {
        /// The unit's name for it, `ZoneMeter_0`; `Z0`; what its channel is called.
        package let name, tag: String
        package fileprivate(set) var label: String?
        /// dB.
        package fileprivate(set) var level: Double
        package fileprivate(set) var peak: PeakHold
        /// The peak at the last full second: what is sorted by it does not jump about.
        package fileprivate(set) var weight: Double
        /// Zones before sources, mixes and groups, each by number.
        let rank: Int
        /// The decoder's number of its name: another one, another label.
        fileprivate var index: Int
    }
    package struct Unit: Sendable {
        package let name: String
        package fileprivate(set) var control, meters: Standing?
        package fileprivate(set) var channels: [Channel] = []
        /// Values in the last second.
        package fileprivate(set) var rate = 0
        fileprivate var counted = 0

        /// Whether its levels are those of now.
        package var isCurrent: Bool { meters?.state == "up" }
        package var isWell: Bool { control?.state == "up" && meters?.state == "up" }
    }
    package enum Connection: Equatable, Sendable {
        /// Connected, and nothing was said yet.
        case opened
        case speaking
        /// Since this wall time it says nothing, though it is there: it stands still.
        case silent(since: Int64)
        /// Since this wall time; with what was said of the reason.
        case ended(at: Int64, reason: String)
    }

    package private(set) var connection = Connection.opened
    package private(set) var recorder = ""
    package private(set) var store = ""
    package private(set) var units: [Unit] = []
    /// Values that were not read in time, and when that was told last (wall).
    package private(set) var missed = 0
    package private(set) var missedAt: Int64?

    /// The only unit that is looked at; nil: all.
    private let only: String?
    private var decoder = FeedDecoder()
    private var unitNumbers: [String: Int] = [:]
    /// Where a meter of the decoder's is; nil: nobody wants it.
    private var places: [(unit: Int, channel: Int)?] = []
    /// The first units that are there and nobody wants.
    private var others: [String] = []
    private var greeted: Int64 = .max
    private var secondBegan: Int64?
    /// Of the last line, microseconds of a clock that nobody sets.
    private var heard: Int64 = 0
    /// Whether this recorder tells each second how it does; one of before says nothing while nothing moves.
    private var tellsStatus = false
    /// Microseconds without a word after which nobody knows how it is.
    private static let patience: Int64 = 5_000_000

    package init(only: String? = nil) { self.only = only }

    /// What there is to say where it speaks, and of no unit that is wanted.
    package var nobody: String? {
        guard connection == .speaking, units.isEmpty else { return nil }
        guard let only, !others.isEmpty else { return "the recorder has named no processor yet" }
        return "no processor is called '\(only)'; there are \(others.joined(separator: ", "))"
    }

    /// A connection was opened. What was known stays until it speaks, and so does when the one before it ended.
    package mutating func opened() { (decoder, places) = (FeedDecoder(), []) }

    /// The connection is gone, or there is none.
    package mutating func ended(_ reason: String, at now: Moment) {
        // Why it cannot be opened again may change; since when it is gone does not.
        let since = if case .ended(let at, _) = connection { at } else { now.wall }
        connection = .ended(at: since, reason: reason)
    }

    /// A line of the feed. Returns the recorder's words where it is an error.
    package mutating func line(_ bytes: [UInt8], at now: Moment) -> String? {
        heard = now.steady
        if case .silent = connection { connection = .speaking }
        switch decoder.decode(bytes) {
        case .hello(let recorder, let store): greet(recorder, store, now)
        case .link(let processor, let link, let state, let cause, let since):
            guard let unit = number(of: processor) else { break }
            let standing = Standing(state: state, cause: cause, since: since)
            if link == "control" { units[unit].control = standing }
            if link == "meters" { units[unit].meters = standing }
        case .value(let meter, let level, let at): take(level, of: meter, at, now)
        case .missed(let count):
            missed += count
            missedAt = now.wall
        case .error(let words): return words
        case .status: tellsStatus = true
        case .meter, .unreadable: break
        }
        return nil
    }

    private mutating func greet(_ recorder: String, _ store: String, _ now: Moment) {
        (self.recorder, self.store, connection) = (recorder, store, .speaking)
        (units, unitNumbers, places, others) = ([], [:], [], [])
        (greeted, secondBegan, tellsStatus) = (now.wall, nil, false)
    }

    private mutating func take(_ level: Double, of meter: Int, _ at: Int64, _ now: Moment) {
        if meter >= places.count {
            places += (places.count...meter).map { place(of: decoder.meters[$0], number: $0, level, now) }
        }
        guard let place = places[meter] else { return }
        if at >= greeted { units[place.unit].counted += 1 }  // those before are the greeting's
        if units[place.unit].channels[place.channel].index != meter {
            units[place.unit].channels[place.channel].index = meter
            units[place.unit].channels[place.channel].label = decoder.meters[meter].label
        }
        units[place.unit].channels[place.channel].level = level
        units[place.unit].channels[place.channel].peak.take(level, at: now.steady)
    }

    private mutating func place(
        of name: FeedDecoder.MeterName, number: Int, _ level: Double, _ now: Moment
    ) -> (unit: Int, channel: Int)? {
        guard let unit = self.number(of: name.processor) else { return nil }
        if let channel = units[unit].channels.firstIndex(where: { $0.name == name.meter }) { return (unit, channel) }
        let meter = Meter(name: name.meter)
        units[unit].channels.append(
            Channel(
                name: name.meter, tag: meter.map { "\($0.family.prefix.prefix(1))\($0.index)" } ?? name.meter,
                label: name.label, level: level, peak: PeakHold(level, at: now.steady), weight: level,
                rank: meter?.readingRank ?? .max, index: number))
        return (unit, units[unit].channels.count - 1)
    }

    private mutating func number(of processor: String) -> Int? {
        if let number = unitNumbers[processor] { return number }
        guard only == nil || only == processor else {
            if others.count < 8, !others.contains(processor) { others.append(processor) }
            return nil
        }
        unitNumbers[processor] = units.count
        units.append(Unit(name: processor))
        return units.count - 1
    }

    /// Time has passed: once a second the rates are those of the second that ended. Returns whether one did.
    package mutating func tick(_ now: Moment) -> Bool {
        let quiet = now.steady - heard
        if connection == .speaking, tellsStatus, quiet > Self.patience { connection = .silent(since: now.wall - quiet) }
        guard let began = secondBegan else {
            secondBegan = now.steady
            weigh(now)
            return false
        }
        let elapsed = now.steady - began
        guard elapsed >= 1_000_000 else { return false }
        for unit in units.indices {
            units[unit].rate = Int((Double(units[unit].counted) * 1e6 / Double(elapsed)).rounded())
            units[unit].counted = 0
        }
        weigh(now)
        secondBegan = now.steady
        return true
    }

    private mutating func weigh(_ now: Moment) {
        for unit in units.indices {
            for channel in units[unit].channels.indices {
                units[unit].channels[channel].weight = units[unit].channels[channel].peak.shown(at: now.steady)
            }
        }
    }
}
