/// Which row of the page shows what. A low terminal goes without what matters less: the links' states and some meters stay.
struct Plan: Equatable {
    /// The units' names; nil: one unit, or no room.
    private(set) var tabs: Int?
    /// A line, or what there is to say.
    private(set) var rule: Int?
    /// Both links, a row each; nil: `state` has them both.
    private(set) var links: Range<Int>?
    private(set) var state: Int?
    private(set) var samples: Int?
    private(set) var errors: Int?
    private(set) var scale: Int?
    /// Meters, or the list of units.
    private(set) var body: Range<Int>
    private(set) var keys: Int?

    init(_ size: Screen.Size, units: Int, isOverview: Bool) {
        let rows = size.rows
        var next = 1
        func row(from height: Int) -> Int? {
            guard rows >= height else { return nil }
            defer { next += 1 }
            return next
        }
        if units > 1, !isOverview { tabs = row(from: 11) }
        rule = row(from: 8)
        if !isOverview {
            if rows >= 12 {
                links = next..<(next + 2)
                next += 2
            } else {
                state = row(from: 3)
            }
            samples = row(from: 14)
            errors = row(from: 14)
            if rows >= 20 { next += 1 }
            scale = row(from: 10)
        }
        keys = rows >= 4 ? rows - 1 : nil
        let end = rows >= 24 ? rows - 2 : keys ?? rows  // a blank row, where there are many
        body = min(next, end)..<end
    }
}
