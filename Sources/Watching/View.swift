/// What is looked at: which unit, in which order, from where on. Keys change it.
package struct View: Equatable, Sendable {
    package enum Order: Int, CaseIterable, Sendable {
        case meter, name, level

        /// As the last line names it.
        var word: String {
            switch self {
            case .meter: "meter"
            case .name: "name"
            case .level: "level"
            }
        }
        /// Of units.
        var wordOfUnits: String {
            switch self {
            case .meter: "as named"
            case .name: "name"
            case .level: "trouble first"
            }
        }
    }
    package enum Outcome: Equatable, Sendable { case nothing, redraw, quit }

    /// The unit with the keys; its number among the picture's.
    package internal(set) var chosen = 0
    /// All units in a list, and not the meters of one.
    package internal(set) var isOverview = false
    package internal(set) var order = Order.meter
    package internal(set) var showsHelp = false
    /// The first meter, or the first unit of the list, that is drawn.
    var first = 0
    /// How many fit, and how many there are: of the page that was drawn last.
    var (fitting, listed) = (1, 0)
    /// The units' numbers in the list's order: of the page that was drawn last.
    var list: [Int] = []
    /// Whether somebody chose what is looked at.
    private(set) var isChosen = false

    package init() {}

    package mutating func press(_ key: Key, units: Int) -> Outcome {
        switch key {
        case .character("q"): return .quit
        case .character("?"), .character("h"): showsHelp.toggle()
        case .escape:
            guard showsHelp else { return .nothing }
            showsHelp = false
        case .character("o"):
            order = Order(rawValue: (order.rawValue + 1) % Order.allCases.count) ?? .meter
            first = 0
        case .character("a"): show(overview: true)
        case .enter: show(overview: false)
        case .left, .backTab, .character("["): step(-1, units)
        case .right, .tab, .character("]"): step(1, units)
        case .character(let digit) where ("1"..."9").contains(digit):
            let number = (digit.wholeNumberValue ?? 1) - 1
            guard number < units else { return .nothing }
            chosen = number
            show(overview: false)
        case .up: move(-1)
        case .down: move(1)
        case .pageUp: move(-fitting)
        case .pageDown: move(fitting)
        case .home: move(-listed)
        case .end: move(listed)
        case .character: return .nothing
        }
        return .redraw
    }

    /// With several units the list of them comes first, unless somebody has chosen already.
    mutating func start(units: Int) { if !isChosen, !isOverview, units > 1 { isOverview = true } }

    private mutating func show(overview: Bool) {
        (isOverview, first, isChosen, showsHelp) = (overview, 0, true, false)
    }

    private mutating func step(_ count: Int, _ units: Int) {
        guard units > 0 else { return }
        chosen = ((chosen + count) % units + units) % units
        show(overview: false)
    }

    /// In the list the chosen unit moves, else the meters do.
    private mutating func move(_ count: Int) {
        showsHelp = false
        guard isOverview else {
            first = min(max(0, first + count), max(0, listed - fitting))
            return
        }
        isChosen = true
        guard !list.isEmpty else { return }
        let place = (list.firstIndex(of: chosen) ?? 0) + count
        chosen = list[min(max(0, place), list.count - 1)]
    }

    /// Keeps what is looked at on the page, which shows `fitting` of `listed`.
    mutating func fit(_ fitting: Int, of listed: Int, around place: Int? = nil) {
        (self.fitting, self.listed) = (max(1, fitting), listed)
        if let place { first = min(first, place) }
        if let place, place >= first + self.fitting { first = place - self.fitting + 1 }
        first = min(max(0, first), max(0, listed - self.fitting))
    }
}
