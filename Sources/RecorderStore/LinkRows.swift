import AtlasProtocol

/// Writes the links' states: for each unit and link, rows that follow one another without overlap and without a hole.
struct LinkRows {
    struct Key: Hashable {
        let processor: Int64
        let link: String

        init(_ processor: Int64, _ link: Link) { (self.processor, self.link) = (processor, link.rawValue) }
        init(_ processor: Int64, _ link: String) { (self.processor, self.link) = (processor, link) }
        var values: [SQLValue] { [.integer(processor), .text(link)] }
    }

    /// A stretch of time in one state; `ended` nil: it lasts. Microseconds since 1970 UTC.
    struct Row {
        var started: Int64
        var ended: Int64?
        var state: String
        var cause: String?

        init(_ started: Int64, _ ended: Int64?, _ state: String, _ cause: String?) {
            (self.started, self.ended, self.state, self.cause) = (started, ended, state, cause)
        }
        init(from started: Int64, until ended: Int64?, _ state: LinkState) {
            self.init(started, ended, state.name, state.cause?.code)
        }
        /// Time within a run that nobody lived through: no state learnt later tells anything of it.
        var isGap: Bool { state == "unknown" && Self.gaps.contains(cause ?? "") }
        private static let gaps = Set([Cause.clockStep, .recorderStalled, .hostAsleep].map(\.code))
    }

    private let newest, replace, end, insert, delete, openKeys: Statement

    init(_ database: Database) throws(StoreError) {
        let doing = "write a link's state"
        func prepare(_ sql: String) throws(StoreError) -> Statement { try Statement(sql, on: database, doing: doing) }
        newest = try prepare(
            """
            SELECT started_us, ended_us, state, cause FROM link_state WHERE processor_id = ? AND link = ?
             ORDER BY started_us DESC
            """)
        let one = "WHERE processor_id = ?1 AND link = ?2 AND started_us = ?3"
        replace = try prepare("UPDATE link_state SET state = ?4, cause = ?5 \(one)")
        end = try prepare("UPDATE link_state SET ended_us = ?4 \(one)")
        delete = try prepare("DELETE FROM link_state \(one)")
        insert = try prepare(
            // A run that was killed as it began left a row without length at this time.
            """
            INSERT INTO link_state (processor_id, link, started_us, ended_us, state, cause)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT DO UPDATE SET ended_us = excluded.ended_us, state = excluded.state, cause = excluded.cause
            """)
        openKeys = try prepare("SELECT processor_id, link FROM link_state WHERE ended_us IS NULL")
    }

    /// Ends the row that lasts and begins the next. One that would begin before it replaces it, and also what the same
    /// state was before a gap, for that is when it began.
    func change(_ processor: Int32, _ link: Link, to state: LinkState, since: Int64) throws(StoreError) {
        let key = Key(Int64(processor), link)
        let next = Row(from: since, until: nil, state)
        guard let open = try last(of: key), open.ended == nil else { return try add(next, to: key) }
        guard open.started >= since else {
            try end.run(key.values + [.integer(open.started), .integer(since)])
            return try add(next, to: key)
        }
        var rows = try rows(of: key, endingAfter: since).dropFirst()
        try set(open, of: key, to: next)
        while let row = rows.popFirst(), row.isGap || (row.state == open.state && row.cause == open.cause) {
            if row.isGap { continue }
            if row.started >= since {
                try set(row, of: key, to: next)
            } else {
                try end.run(key.values + [.integer(row.started), .integer(since)])
                try add(Row(since, row.ended, next.state, next.cause), to: key)
            }
        }
    }

    /// The links of all units with a row that lasts.
    func open() throws(StoreError) -> [Key] {
        var keys: [Key] = []
        while try openKeys.step() { keys.append(Key(openKeys.integer(0), openKeys.text(1) ?? "")) }
        return keys
    }

    /// What is known of this link after `time`, newest first.
    func rows(of key: Key, endingAfter time: Int64) throws(StoreError) -> [Row] {
        try bind(key)
        defer { newest.reset() }
        var rows: [Row] = []
        while try newest.step() {
            let row = present
            if let ended = row.ended, ended <= time { break }
            rows.append(row)
        }
        return rows
    }

    /// Takes out what lies in the range (`until` nil: everything from `from` on) and leaves a hole there; a row that goes
    /// on after `until` begins anew there. Returns what was taken, newest first.
    @discardableResult
    func takeOut(_ key: Key, from: Int64, until: Int64?) throws(StoreError) -> [Row] {
        var taken: [Row] = []
        for var row in try rows(of: key, endingAfter: from) {
            if let until, row.started >= until { continue }
            let lasting = row.ended
            // What lies before is only cut: the minutes that were counted from it stay as they are.
            if row.started < from {
                try end.run(key.values + [.integer(row.started), .integer(from)])
                row.started = from
            } else {
                try delete.run(key.values + [.integer(row.started)])
            }
            if let until, lasting.map({ $0 > until }) ?? true {
                try add(Row(until, lasting, row.state, row.cause), to: key)
                row.ended = until
            }
            taken.append(row)
        }
        return taken
    }

    func add(_ row: Row, to key: Key) throws(StoreError) {
        try insert.run(
            key.values + [.integer(row.started), .integer(row.ended), .text(row.state), .text(row.cause)])
    }

    private func set(_ row: Row, of key: Key, to other: Row) throws(StoreError) {
        try replace.run(key.values + [.integer(row.started), .text(other.state), .text(other.cause)])
    }

    /// The newest row.
    func last(of key: Key) throws(StoreError) -> Row? {
        try bind(key)
        defer { newest.reset() }
        return try newest.step() ? present : nil
    }

    private func bind(_ key: Key) throws(StoreError) {
        for (index, value) in key.values.enumerated() { try newest.bind(value, at: Int32(index + 1)) }
    }

    private var present: Row {
        Row(
            newest.integer(0), newest.isNull(1) ? nil : newest.integer(1), newest.text(2) ?? "",
            newest.isNull(3) ? nil : newest.text(3))
    }
}
