import Recorder
import RecorderStore

/// Where levels are looked at.
protocol Levels {
    /// dB; nil: not heard yet.
    subscript(place: Int) -> Float? { get }
}

extension LevelMap: Levels {}

/// What the page's readers are told of: names and links, from the feed's lines, and each meter's last level. Pure.
struct LiveBoard {
    struct Link: Equatable {
        var state: String
        var cause: String?
        var since: Int64  // microseconds since 1970 UTC
    }
    struct Unit {
        let name: String
        var links: [String: Link] = [:]
        /// Those that were heard.
        var meters: [Int] = []
    }
    struct Meter {
        let unit: Int
        let name: String
        var label: String?
        /// Of its level.
        let place: Int
        /// Tenths of dB: what can be seen.
        var tenths = -800
        var isHeard = false
    }

    /// Microseconds after which a unit whose meters arrive has sent each of them: it does ten times a second.
    private static let patience: Int64 = 5_000_000

    private(set) var units: [Unit] = []
    private(set) var meters: [Meter] = []
    /// How many were heard.
    private(set) var heard = 0
    /// Changes with every new unit, meter or label: readers then need the names again.
    private(set) var naming = 0
    private var unitPlaces: [String: Int] = [:]
    /// By the place of its level.
    private var numbers: [Int: Int] = [:]

    /// What holds for every link instead of what was told last; nil: that holds.
    var silence: Link?

    init() {}

    /// Of a feed that begins again: units that are not recorded any more do not come again.
    init(after other: LiveBoard) {
        naming = other.naming + 1
        silence = other.silence
    }

    func shown(_ link: Link) -> Link { silence ?? link }

    mutating func take(link: String, of processor: String, _ new: Link) {
        units[number(of: processor)].links[link] = new
    }

    /// A meter is shown from its first level on.
    mutating func name(_ name: FeedDecoder.MeterName, at place: Int) {
        if let number = numbers[place] {
            guard meters[number].label != name.label else { return }
            meters[number].label = name.label
            if meters[number].isHeard { naming += 1 }
        } else {
            numbers[place] = meters.count
            meters.append(
                Meter(unit: number(of: name.processor), name: name.meter, label: name.label, place: place))
        }
    }

    /// Looks at the levels of the units whose meters arrive: what others sent last is not what is. Returns the meters whose
    /// level is another one than at the last look.
    /// `now`: microseconds since 1970 UTC.
    mutating func takeChanged(from levels: some Levels, at now: Int64) -> [Int] {
        let links = units.map { unit in unit.links["meters"].map(shown) }
        let flows = links.map { $0?.state == "up" }
        let areAllHeard = links.map { $0.map { now - $0.since > Self.patience } ?? false }
        var changed: [Int] = []
        for meter in meters.indices where flows[meters[meter].unit] {
            guard let level = levels[meters[meter].place] else {
                if meters[meter].isHeard, areAllHeard[meters[meter].unit] { hide(meter) }
                continue
            }
            let tenths = Self.tenths(level)
            // Most meters are silent most of the time.
            guard tenths != meters[meter].tenths || !meters[meter].isHeard else { continue }
            meters[meter].tenths = tenths
            changed.append(meter)
            if !meters[meter].isHeard { show(meter) }
        }
        return changed
    }

    /// It was heard before the unit's meters went and came, and not since.
    private mutating func hide(_ meter: Int) {
        meters[meter].isHeard = false
        units[meters[meter].unit].meters.removeAll { $0 == meter }
        heard -= 1
        naming += 1
    }

    private mutating func show(_ meter: Int) {
        meters[meter].isHeard = true
        units[meters[meter].unit].meters.append(meter)
        heard += 1
        naming += 1
    }

    /// A level that a unit made up must not trap.
    private static func tenths(_ level: Float) -> Int {
        level.isNaN ? -800 : Int(min(max(level * 10, -10_000), 10_000).rounded())
    }

    private mutating func number(of processor: String) -> Int {
        if let number = unitPlaces[processor] { return number }
        unitPlaces[processor] = units.count
        units.append(Unit(name: processor))
        naming += 1
        return units.count - 1
    }
}
