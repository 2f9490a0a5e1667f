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

    /// A feed that begins again: what is known stays, its numbers are new ones.
    mutating func feedBegan() { places = [] }

    /// Nobody hears of the units any more.
    mutating func feedEnded(at now: Int64) {
        for unit in units.indices {
            for link in units[unit].links.keys {
                units[unit].links[link] = Link(state: "unknown", cause: "recorder_stopped", since: now)
            }
        }
    }

    mutating func take(link: String, of processor: String, _ new: Link) {
        units[place(of: processor)].links[link] = new
    }

    mutating func take(_ level: Double, of meter: Int, named names: [FeedDecoder.MeterName]) {
        while places.count <= meter { places.append(learn(names[places.count])) }
        let place = places[meter]
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

    private mutating func learn(_ name: FeedDecoder.MeterName) -> Int {
        let key = FeedDecoder.MeterName(processor: name.processor, meter: name.meter, label: nil)
        if let place = meterPlaces[key] {
            if meters[place].label != name.label {
                meters[place].label = name.label
                naming += 1
            }
            return place
        }
        let unit = place(of: name.processor)
        meterPlaces[key] = meters.count
        units[unit].meters.append(meters.count)
        meters.append(Meter(unit: unit, name: name.meter, label: name.label))
        isChanged.append(false)
        naming += 1
        return meters.count - 1
    }
}
