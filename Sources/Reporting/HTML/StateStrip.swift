import RecorderStore

/// One link over the window, as it is drawn: what is narrower than a column is merged, and of what meets in a column the
/// worst is seen, so that no outage is too short for the picture. As many parts as fit the page, whatever there was.
struct StateStrip: Sendable, Equatable {
    struct Row: Sendable, Equatable {
        let state: String
        let cause: String?
        /// Microseconds since 1970 UTC.
        let started: Int64
        /// nil: it lasts.
        let ended: Int64?
    }
    /// Rows of one state that are drawn as one.
    struct Part: Sendable, Equatable {
        let state: String
        /// What of them lies in the window.
        var from, to: Int64
        /// How long the state was in it, microseconds.
        var length: Int64
        /// How often it came: rows that follow one another without a gap are once.
        var times: Int
        /// The first ones; `moreCauses` when there are others.
        var causes: [String]
        var hasMoreCauses = false
    }

    let processor, link: String
    /// All that touch the window, in order, without a hole: what was not recorded is unknown.
    let rows: [Row]
    let parts: [Part]

    static let columns = 1_000

    /// - Parameter most: parts at most; at least 20.
    init(processor: String, link: String, rows: [Row], since: Int64, until: Int64, most: Int) {
        (self.processor, self.link) = (processor, link)
        self.rows = Self.filled(rows, since: since, until: until)
        var columns = Self.columns
        var parts = Self.parts(self.rows, since, until, columns: columns)
        while parts.count > max(20, most) {
            columns /= 2
            parts = Self.parts(self.rows, since, until, columns: columns)
        }
        self.parts = parts
    }

    /// Nothing was recorded of a link before its first row.
    private static func filled(_ rows: [Row], since: Int64, until: Int64) -> [Row] {
        guard let first = rows.first else {
            return [Row(state: "unknown", cause: "not_recorded", started: since, ended: until)]
        }
        guard first.started > since else { return rows }
        return [Row(state: "unknown", cause: "not_recorded", started: since, ended: first.started)] + rows
    }

    private static let rank = ["up": 0, "unknown": 1, "down": 2]

    private static func parts(_ rows: [Row], _ since: Int64, _ until: Int64, columns: Int) -> [Part] {
        let width = Double(until - since) / Double(columns)
        func span(_ row: Row) -> (from: Int64, to: Int64, ClosedRange<Int>)? {
            let (from, to) = (max(row.started, since), min(row.ended ?? until, until))
            guard to > from else { return nil }
            let first = min(columns - 1, Int(Double(from - since) / width))
            // A row that ends where a column does, does not touch the next.
            let last = min(columns - 1, Int((Double(to - since) / width).nextDown))
            return (from, to, first...max(first, last))
        }
        var worst = [Int](repeating: -1, count: columns)
        for row in rows {
            guard let (_, _, place) = span(row) else { continue }
            let rank = Self.rank[row.state] ?? 1
            for column in place where worst[column] < rank { worst[column] = rank }
        }
        var partOfColumn: [Int] = []
        for column in 0..<columns {
            let isSame = column > 0 && worst[column] == worst[column - 1]
            partOfColumn.append((partOfColumn.last ?? -1) + (isSame ? 0 : 1))
        }
        var parts = [Part?](repeating: nil, count: (partOfColumn.last ?? -1) + 1)
        for row in rows {
            guard let (from, to, place) = span(row) else { continue }
            // What is hidden behind something worse in every column is not drawn.
            guard let column = place.first(where: { worst[$0] == Self.rank[row.state] ?? 1 }) else { continue }
            let index = partOfColumn[column]
            guard var part = parts[index] else {
                parts[index] = Part(
                    state: row.state, from: from, to: to, length: to - from, times: 1,
                    causes: row.cause.map { [$0] } ?? [])
                continue
            }
            if part.to < from { part.times += 1 }
            (part.to, part.length) = (to, part.length + to - from)
            if let cause = row.cause, !part.causes.contains(cause) {
                if part.causes.count < 4 { part.causes.append(cause) } else { part.hasMoreCauses = true }
            }
            parts[index] = part
        }
        return parts.compactMap { $0 }
    }
}

extension StateStrip {
    /// Asks the store for these units; nil: for all. `most`: how many parts all strips have together, at most.
    static func all(
        in store: StoreReader, _ question: Question, processors: [String]?, most: Int
    ) throws(StoreError) -> [StateStrip] {
        let questions = processors.map { $0.map { question.asking(processor: $0) } } ?? [question]
        var links: [(processor: String, link: String, rows: [Row])] = []
        for question in questions {
            let table = try Report.compiledIn("states").run(on: store, question)
            for row in table.rows.indices.map({ RecorderRow(table: table, row: $0) }) {
                let (processor, link) = (row.text("processor") ?? "", row.text("link") ?? "")
                if links.last.map({ $0.processor != processor || $0.link != link }) ?? true {
                    links.append((processor, link, []))
                }
                links[links.count - 1].rows.append(
                    Row(
                        state: row.text("state") ?? "unknown", cause: row.text("cause"),
                        started: row.integer("started_us") ?? 0, ended: row.integer("ended_us")))
            }
        }
        return links.map {
            StateStrip(
                processor: $0.processor, link: $0.link, rows: $0.rows, since: question.since, until: question.until,
                most: most / links.count)
        }
    }

    private typealias RecorderRow = Reporting.Row
}
