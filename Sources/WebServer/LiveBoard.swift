import Recorder

/// What the page's readers are told of, from the feed's lines: names, links, each meter's last level. Pure.
struct LiveBoard {
    struct Link: Equatable {
        var state: String
        var cause: String?
        var since: Int64  // microseconds since 1970 UTC
    }
    struct Unit {
        let name: String
        var links: [String: Link] = [:]
        var meters: [Int] = []
    }
    struct Meter {
        let unit: Int
        let name: String
        var label: String?
        /// Tenths of dB: what can be seen.
        var tenths = -800
        var isHeard = false
        /// The decoder's last number of it: another one is another label.
        var number: Int
    }

    private(set) var units: [Unit] = []
    private(set) var meters: [Meter] = []
    /// Changes with every new unit, meter or label: readers then need the names again.
    private(set) var naming = 0
    private var unitPlaces: [String: Int] = [:]
    private var meterPlaces: [FeedDecoder.MeterName: Int] = [:]
    /// The decoder's meters by their number: it gives a new one where the label is new.
    private var places: [Int] = []
    private var changed: [Int] = []
    private var isChanged: [Bool] = []

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
        units[place(of: processor)].links[link] = new
    }

    mutating func take(_ level: Double, of meter: Int, named names: [FeedDecoder.MeterName]) {
        while places.count <= meter { places.append(learn(names[places.count], number: places.count)) }
        let place = places[meter]
        if meters[place].number != meter {
            (meters[place].number, meters[place].label) = (meter, names[meter].label)
            naming += 1
        }
        // A level that a unit made up must not trap.
        let tenths = level.isNaN ? -800 : min(max(level * 10, -10_000), 10_000)
        // Most meters are silent most of the time.
        guard Int(tenths.rounded()) != meters[place].tenths || !meters[place].isHeard else { return }
        (meters[place].tenths, meters[place].isHeard) = (Int(tenths.rounded()), true)
        guard !isChanged[place] else { return }
        isChanged[place] = true
        changed.append(place)
    }

    /// The meters whose level is new since this was asked last.
    mutating func takeChanged() -> [Int] {
        defer { changed.removeAll(keepingCapacity: true) }
        for place in changed { isChanged[place] = false }
        return changed
    }

    private mutating func place(of processor: String) -> Int {
        if let place = unitPlaces[processor] { return place }
        unitPlaces[processor] = units.count
        units.append(Unit(name: processor))
        naming += 1
        return units.count - 1
    }

    private mutating func learn(_ name: FeedDecoder.MeterName, number: Int) -> Int {
        let key = FeedDecoder.MeterName(processor: name.processor, meter: name.meter, label: nil)
        if let place = meterPlaces[key] { return place }
        let unit = place(of: name.processor)
        meterPlaces[key] = meters.count
        units[unit].meters.append(meters.count)
        meters.append(Meter(unit: unit, name: name.meter, label: name.label, number: number))
        isChanged.append(false)
        naming += 1
        return meters.count - 1
    }
}
