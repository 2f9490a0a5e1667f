import CSQLite

/// Reads a table of a damaged database in the order of an integer key, and steps over what cannot be read: behind a page that
/// is damaged the next key is looked for, in steps that double, and then halved until they meet.
struct KeyWalk {
    private let source: Database
    private let table, key, condition: String
    /// No key that is a time lies before this.
    private let firstTime: Int64

    /// `stretch`: a condition on the columns before the key; empty: none.
    init(_ source: Database, _ table: String, _ key: String, _ stretch: String, from firstTime: Int64) {
        (self.source, self.table, self.key, self.firstTime) = (source, table, key, firstTime)
        condition = stretch.isEmpty ? "" : "\(stretch) AND "
    }

    private enum Probe { case found, end, unreadable }

    /// Calls `row` for each row that can be read, `gap` for each place that cannot. Throws only what `row` throws. A row may
    /// come twice where several have one key.
    func run(columns: String, row: (Statement) throws(StoreError) -> Void, gap: () -> Void) throws(StoreError) {
        var begin = Int64.min
        while true {
            let (last, isWhole) = try read(from: begin, columns, row)
            if isWhole { return }
            gap()
            // What follows the last key that could be read cannot be.
            guard let next = next(after: max(last ?? begin, begin)) else { return }
            begin = next
        }
    }

    private func read(
        from begin: Int64, _ columns: String, _ row: (Statement) throws(StoreError) -> Void
    ) throws(StoreError) -> (last: Int64?, isWhole: Bool) {
        var last: Int64?
        guard
            let rows = try? Statement(
                "SELECT \(columns), \(key) FROM \(table) WHERE \(condition)\(key) >= ? ORDER BY \(key)", on: source),
            (try? rows.bind(.integer(begin), at: 1)) != nil
        else { return (nil, false) }
        while true {
            guard let isThere = try? rows.step() else { return (last, false) }
            guard isThere else { return (last, true) }
            last = rows.integer(Int32(rows.columnCount - 1))
            try row(rows)
        }
    }

    /// The first key behind the place after `key` that cannot be read; nil: nothing comes any more.
    private func next(after key: Int64) -> Int64? {
        // From the very beginning: the first time, or the first number.
        var bad = key
        if bad < 0 { bad = isTime ? max(0, firstTime - 1) : 0 }
        var (step, good): (Int64, Int64) = (1, bad)
        while true {
            let (sum, isOver) = bad.addingReportingOverflow(step)
            guard !isOver, step < Int64.max / 4 else { return nil }
            good = sum
            switch probe(good) {
            case .unreadable: break
            case .found, .end: return meet(bad: good - (step == 1 ? 1 : step / 2), good: good)
            }
            step *= 2
        }
    }

    /// Whether the keys are times: then the largest that can be read is no small number.
    private var isTime: Bool { key.hasSuffix("_us") }

    /// Between a key from which nothing can be read and a later one from which it can.
    private func meet(bad: Int64, good: Int64) -> Int64? {
        var (bad, good) = (bad, good)
        while good - bad > 1 {
            let middle = bad + (good - bad) / 2
            if probe(middle) == .unreadable { bad = middle } else { good = middle }
        }
        return probe(good) == .found ? good : nil
    }

    private func probe(_ begin: Int64) -> Probe {
        guard
            let row = try? Statement(
                "SELECT * FROM \(table) WHERE \(condition)\(key) >= ? ORDER BY \(key) LIMIT 1", on: source),
            (try? row.bind(.integer(begin), at: 1)) != nil, let isThere = try? row.step()
        else { return .unreadable }
        return isThere ? .found : .end
    }
}
