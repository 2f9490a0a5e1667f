/// Gives pages that hold nothing back to the file system, a few at a time. Deleting leaves them in the file, where the next
/// samples go: only what is too many is given back, for each page that moves is written once more.
struct SpaceReturn {
    /// Of the free pages at least so many stay, and at most; between the two an eighth of all pages. Pages of 4 KiB.
    private static let reserve = 1_024...65_536

    private var isGiving = false
    /// A file that no recorder made may have no notes of what points to a page (auto_vacuum): it gives none back.
    let isPossible: Bool
    private(set) var size = StepSize(1...4_096, first: 16)

    init(isPossible: Bool = true) { self.isPossible = isPossible }

    /// How many pages are to be given back now. `budget`: pages that the file may have; nil: any number. Goes on until half
    /// of the reserve is left, so that it is not begun anew with each page.
    mutating func due(pages: Int64, free: Int64, budget: Int64?) -> Int64 {
        guard isPossible else { return 0 }
        let excess = budget.map { pages - $0 } ?? 0
        let reserve = min(max(pages / 8, Int64(Self.reserve.lowerBound)), Int64(Self.reserve.upperBound))
        isGiving = free > (isGiving ? reserve / 2 : reserve)
        return min(free, max(excess, isGiving ? free - reserve / 2 : 0))
    }

    /// One step, at most `pages`. `elapsed`: microseconds, of a clock that nobody sets.
    mutating func step(_ pages: Int64, in database: Database, elapsed: () -> Int64) throws(StoreError) {
        let count = min(Int(clamping: pages), size.count)
        let begin = elapsed()
        try database.execute("PRAGMA incremental_vacuum(\(count))", doing: "give free pages back")
        if count == size.count { size.took(elapsed() - begin) }
    }
}
