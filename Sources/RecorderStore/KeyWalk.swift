import CSQLite

/// Reads a table of a damaged database in the order of its key: from the front up to what cannot be read, from the back down
/// to it, and then what lies between two places that cannot be.
///
/// For that it asks at keys in between, so close that a page that can be read is not stepped over: at the distance of a few
/// rows as they lie beside the damage. A table with several columns in its key is asked by the first of them.
struct KeyWalk {
    /// What cannot be read lies between these keys; nil: from the beginning, to the end.
    struct Gap {
        let after, before: Int64?
    }

    /// Asked at most so often in one place: a second of work. The distance grows where that is too little.
    private static let limit: Int64 = 20_000
    /// A page holds more rows than this, of every table that grows.
    private static let rowsBeside = 4

    private let forwards, backwards: Statement
    private let keyColumn: Int32
    /// Between these lie all keys, where they are times; nil: they are numbers, from 1 on.
    private let times: ClosedRange<Int64>?

    /// `stretch`: a condition on the columns before the key; empty: none. `order`: the columns of the whole key. Throws where
    /// the table's definition cannot be read.
    init(
        _ source: Database, _ table: String, columns: String, key: String, order: [String], stretch: String,
        times: ClosedRange<Int64>?
    ) throws(StoreError) {
        self.times = times
        let condition = stretch.isEmpty ? "" : "\(stretch) AND "
        func walk(_ comparison: String, _ direction: String) throws(StoreError) -> Statement {
            let order = order.map { $0 + direction }.joined(separator: ", ")
            let sql =
                "SELECT \(columns), \(key) FROM \(table) WHERE \(condition)\(key) \(comparison) ? ORDER BY \(order)"
            return try Statement(sql, on: source, doing: "read \(table)")
        }
        (forwards, backwards) = (try walk(">=", ""), try walk("<=", " DESC"))
        keyColumn = Int32(forwards.columnCount - 1)
    }

    /// Calls `row` for each row that can be read, `gap` for each place that cannot. Throws only what `row` throws. A row may
    /// come twice.
    func run(row: (Statement) throws(StoreError) -> Void, gap: (Gap) -> Void) throws(StoreError) {
        let front = try read(forwards, from: .min, row)
        if front.isWhole { return }
        let back = try read(backwards, from: .max, row)
        let beside = max(1, min(front.beside ?? .max, back.beside ?? .max))
        let low = front.last ?? min((times?.lowerBound ?? 1) - 1, back.last ?? .max)
        let high = back.last ?? max(times?.upperBound ?? Self.sum(low, Self.limit, times: beside), low)
        let (width, isWide) = high.subtractingReportingOverflow(low)
        let least = (isWide ? .max : width) / Self.limit
        let distance = max(1, least, beside == .max ? 1 : beside)
        var (after, asked) = (front.last, low)
        while true {
            let (next, isOver) = asked.addingReportingOverflow(distance)
            guard !isOver, next < high else { break }
            asked = next
            guard let found = try island(at: asked, between: low...high, row), found.upperBound > after ?? .min else {
                continue
            }
            gap(Gap(after: after, before: found.lowerBound))
            if found.upperBound >= high { return }
            (after, asked) = (found.upperBound, max(asked, found.upperBound))
        }
        gap(Gap(after: after, before: back.last))
    }

    private static func sum(_ key: Int64, _ count: Int64, times distance: Int64) -> Int64 {
        let (length, isLong) = count.multipliedReportingOverflow(by: distance == .max ? 1 : distance)
        let (sum, isOver) = key.addingReportingOverflow(isLong ? .max : length)
        return isOver ? .max : sum
    }

    /// Reads both ways from a key up to what cannot be read, or was read; nil: there is nothing. A key is in a page with those
    /// before it or those behind it.
    private func island(
        at key: Int64, between known: ClosedRange<Int64>, _ row: (Statement) throws(StoreError) -> Void
    ) throws(StoreError) -> ClosedRange<Int64>? {
        let up = try read(forwards, from: key, within: known, row)
        let down = try read(backwards, from: key, within: known, row)
        guard let low = down.last ?? up.first, let high = up.last ?? down.first else { return nil }
        return low...max(low, high)
    }

    private struct Reading {
        var first, last: Int64?
        var isWhole = false
        /// How far the last few keys are apart.
        var beside: Int64?
    }

    private func read(
        _ rows: Statement, from begin: Int64, within known: ClosedRange<Int64>? = nil,
        _ row: (Statement) throws(StoreError) -> Void
    ) throws(StoreError) -> Reading {
        var (reading, recent): (Reading, [Int64]) = (Reading(), [])
        defer { rows.reset() }
        guard (try? rows.bind(.integer(begin), at: 1)) != nil else { return reading }
        while let isThere = try? rows.step() {
            guard isThere else {
                reading.isWhole = true
                break
            }
            let key = rows.integer(keyColumn)
            if let known, !known.contains(key) { break }
            reading.first = reading.first ?? key
            reading.last = key
            if recent.last != key { recent.append(key) }
            if recent.count > Self.rowsBeside + 1 { recent.removeFirst() }
            try row(rows)
        }
        if recent.count > 1, let first = recent.first, let last = recent.last {
            let (span, isOver) = last.subtractingReportingOverflow(first)
            reading.beside = isOver ? nil : Int64(clamping: span.magnitude)
        }
        return reading
    }
}
