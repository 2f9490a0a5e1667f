import AtlasProtocol
import CSQLite

/// Rows of minutes and hours that the store would not take.
package struct MinutesLeftOut: Sendable {
    package let count: Int
    /// The first one's time, microseconds since 1970 UTC.
    package let first: Int64
    package let error: StoreError
}

/// Fills `meter_minute` and `meter_hour`: counts each minute when it is over, from the frames, samples and states that are
/// stored then (docs/decisions/0004-minutes.md). Keeps nothing in memory: `minute_coverage` says what is counted, and the
/// triggers of `link_state` and `sample_minute` set it back when something of a counted minute changes.
struct MinuteRows {
    /// How long after its end a minute is counted: by then its frames are stored.
    static let settling: Int64 = 3_000_000
    private static let minute = UpTime.minute
    private static let hour = 60 * UpTime.minute
    /// No minute of a meter sums to more, tenths of dB times microseconds; what does, counted an older version from values
    /// that are no levels, and with it an hour's sum might not be a number.
    private static let levelLimit = Int64(Reading.limit * 10) * minute
    /// Where a set clock left rows that are no longer valid, so much is cleared at a time.
    private static let clearing = 10 * minute

    private let database: Database
    private let cover, oldest, group, states, lastBreak, lastTime, nextState, meters, last, frames, samples: Statement
    private let isThere, clear, insert, clearHours, insertHour, advance: Statement

    init(_ database: Database) throws(StoreError) {
        self.database = database
        func prepare(_ sql: String) throws(StoreError) -> Statement {
            try Statement(sql, on: database, doing: "count the minutes")
        }
        cover = try prepare(
            "INSERT INTO minute_coverage (processor_id, from_us, until_us) VALUES (?1, ?2, ?2) ON CONFLICT DO NOTHING")
        oldest = try prepare("SELECT min(until_us) FROM minute_coverage")
        group = try prepare("SELECT processor_id, from_us FROM minute_coverage WHERE until_us = ?")
        let link = "processor_id = ?1 AND link = 'meters'"
        states = try prepare(
            """
            SELECT started_us, ended_us, state, cause FROM link_state
             WHERE \(link) AND started_us >= coalesce(
                       (SELECT max(started_us) FROM link_state WHERE \(link) AND started_us <= ?2), 0)
             ORDER BY started_us
            """)
        lastBreak = try prepare(
            """
            SELECT ended_us FROM link_state
             WHERE \(link) AND started_us <= ?2 AND state <> 'up' AND cause IS NOT 'clock_step'
             ORDER BY started_us DESC LIMIT 1
            """)
        lastTime = try prepare(
            """
            SELECT ended_us FROM link_state WHERE \(link) AND started_us < ?2 AND cause IS NOT 'clock_step'
             ORDER BY started_us DESC LIMIT 1
            """)
        nextState = try prepare(
            """
            SELECT started_us - (state = 'up') * \(UpTime.lead) FROM link_state
             WHERE \(link) AND started_us > ?2 AND state <> 'unknown' ORDER BY started_us LIMIT 1
            """)
        meters = try prepare(
            """
            SELECT m.id, m.processor_id, m.slot FROM meter m
             WHERE m.processor_id IN (SELECT processor_id FROM minute_coverage WHERE until_us = ?) ORDER BY m.id
            """)
        let isOurs = """
            meter_id IN (SELECT m.id FROM minute_coverage c JOIN meter m ON m.processor_id = c.processor_id
                          WHERE c.until_us = ?1)
            """
        last = try prepare("SELECT meter_id, last FROM meter_minute WHERE start_us = ? AND last IS NOT NULL")
        frames = try prepare(
            "SELECT at_us, processor_id, levels, exact FROM frame WHERE at_us >= ? AND at_us < ? ORDER BY at_us")
        samples = try prepare("SELECT at_us, meter_id, level FROM sample WHERE at_us >= ? AND at_us < ? ORDER BY at_us")
        isThere = try prepare("SELECT 1 FROM meter_minute WHERE start_us >= ? AND start_us < ? LIMIT 1")
        clear = try prepare("DELETE FROM meter_minute WHERE start_us >= ?1 AND start_us < ?2 AND \(isOurs)")
        insert = try prepare(
            """
            INSERT INTO meter_minute (start_us, meter_id, samples, low, high, level_us, silent_us, known_us, last)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        clearHours = try prepare("DELETE FROM meter_hour WHERE start_us >= ?2 AND start_us < ?3 AND \(isOurs)")
        insertHour = try prepare(
            """
            INSERT INTO meter_hour (start_us, meter_id, samples, low_db, high_db, level_us, silent_us, known_us)
            SELECT ?2, t.meter_id, sum(t.samples), min(CASE typeof(t.low) WHEN 'integer' THEN t.low / 10.0 ELSE t.low END),
                   max(CASE typeof(t.high) WHEN 'integer' THEN t.high / 10.0 ELSE t.high END), sum(t.level_us),
                   sum(t.silent_us), sum(t.known_us)
              FROM meter_minute t CROSS JOIN meter m ON m.id = t.meter_id
             CROSS JOIN minute_coverage c ON c.processor_id = m.processor_id AND c.until_us = ?1
             WHERE t.start_us >= ?2 AND t.start_us < ?3 AND t.start_us >= c.from_us
               AND abs(t.level_us) <= \(Self.levelLimit)
             GROUP BY t.meter_id HAVING sum(t.samples) > 0 OR sum(t.known_us) > 0
            """)
        advance = try prepare("UPDATE minute_coverage SET until_us = ?2 WHERE until_us = ?1")
    }

    /// Counts the units that are new from the minute of `now` on.
    func begin(_ processors: [RegisteredProcessor], at now: Int64) throws(StoreError) {
        for processor in processors {
            try cover.run(.integer(Int64(processor.id)), .integer(now / Self.minute * Self.minute))
        }
    }

    /// Whether a minute that ended before `limit` is not counted yet.
    func isDue(_ limit: Int64) throws(StoreError) -> Bool {
        defer { oldest.reset() }
        return try oldest.step() && !oldest.isNull(0) && oldest.integer(0) + Self.minute <= limit
    }

    /// Counts the oldest minute that is not counted, of all units of which it is the oldest; time that nobody recorded is
    /// passed over. nil: none is left before `limit`, else how many rows were read. A row that the store refuses for what is
    /// in it is left out, and with it that much is not known: tried again, it would be refused again, and hold up all others.
    func step(until limit: Int64, _ leftOut: inout MinutesLeftOut?) throws(StoreError) -> Int? {
        guard try isDue(limit) else { return nil }
        let minute = try oldest.step() ? oldest.integer(0) : limit
        oldest.reset()
        var units: [MinuteCounter.Unit] = []
        var next = limit / Self.minute * Self.minute
        for (processor, from) in try processors(at: minute) {
            let base = from < minute ? minute : try firstBase(processor, minute)
            let upTime = try upTime(processor, minute, from: base)
            let source = try source(processor, minute, upTime)
            units.append(
                MinuteCounter.Unit(
                    processor: processor, upTime: upTime, base: base, source: source < from ? nil : source))
            if upTime.isRecorded { continue }
            if let begins = try nextState(processor, after: minute) {
                next = min(next, begins / Self.minute * Self.minute)
            }
        }
        guard units.contains(where: \.upTime.isRecorded) else {
            return try pass(minute, to: next, &leftOut)
        }
        try clear.run(.integer(minute), .integer(minute + Self.minute))
        let rows = try count(minute, units, &leftOut)
        try move(minute, to: minute + Self.minute, &leftOut)
        return rows
    }

    private func processors(at minute: Int64) throws(StoreError) -> [(Int32, from: Int64)] {
        try group.bind(.integer(minute), at: 1)
        var result: [(Int32, Int64)] = []
        while try group.step() { result.append((Int32(group.integer(0)), group.integer(1))) }
        return result
    }

    private func upTime(_ processor: Int32, _ minute: Int64, from base: Int64) throws(StoreError) -> UpTime {
        try states.bind(.integer(Int64(processor)), at: 1)
        try states.bind(.integer(base - 2 * UpTime.lead), at: 2)
        defer { states.reset() }
        var rows: [UpTime.Row] = []
        while try states.step() {
            let row = UpTime.Row(
                started: states.integer(0), ended: states.isNull(1) ? .max : states.integer(1),
                isUp: states.text(2) == "up", isUnknown: states.text(2) == "unknown",
                isClockStep: states.text(3) == "clock_step")
            if row.started > minute + Self.minute + UpTime.lead, rows.last?.isClockStep != true { break }
            rows.append(row)
        }
        return UpTime(minute: minute, rows: rows)
    }

    /// Where the rows begin that a unit's first minute needs, for there is none before it that tells what held: where the
    /// link came up that is up as the minute begins.
    private func firstBase(_ processor: Int32, _ minute: Int64) throws(StoreError) -> Int64 {
        try lastBreak.bind(.integer(Int64(processor)), at: 1)
        try lastBreak.bind(.integer(minute), at: 2)
        defer { lastBreak.reset() }
        guard try lastBreak.step() else { return minute - UpTime.lead }
        return min(minute, lastBreak.isNull(0) ? minute : lastBreak.integer(0)) - UpTime.lead
    }

    /// The minute that tells what held as this one began: the one before it, or, after a step of the clock, the last one
    /// before that.
    private func source(_ processor: Int32, _ minute: Int64, _ upTime: UpTime) throws(StoreError) -> Int64 {
        guard upTime.beginsInClockStep else { return minute - Self.minute }
        try lastTime.bind(.integer(Int64(processor)), at: 1)
        try lastTime.bind(.integer(minute), at: 2)
        defer { lastTime.reset() }
        guard try lastTime.step(), !lastTime.isNull(0) else { return minute - Self.minute }
        return (min(minute, lastTime.integer(0)) - 1) / Self.minute * Self.minute
    }

    private func nextState(_ processor: Int32, after minute: Int64) throws(StoreError) -> Int64? {
        try nextState.bind(.integer(Int64(processor)), at: 1)
        try nextState.bind(.integer(minute), at: 2)
        defer { nextState.reset() }
        return try nextState.step() ? nextState.integer(0) : nil
    }

    private func count(
        _ minute: Int64, _ units: [MinuteCounter.Unit], _ leftOut: inout MinutesLeftOut?
    ) throws(StoreError) -> Int {
        try meters.bind(.integer(minute), at: 1)
        var known: [(id: Int64, processor: Int32, slot: Int)] = []
        while try meters.step() {
            known.append((meters.integer(0), Int32(meters.integer(1)), Int(meters.integer(2))))
        }
        var counter = MinuteCounter(minute: minute, units: units, meters: known)
        for source in Set(units.compactMap(\.source)) {
            try last.bind(.integer(source), at: 1)
            while try last.step() {
                if let level = Level(last, 1) { counter.carry(level, to: last.integer(0), from: source) }
            }
        }
        for statement in [frames, samples] {
            try statement.bind(.integer(units.map(\.base).min() ?? minute), at: 1)
            try statement.bind(.integer(minute + Self.minute), at: 2)
        }
        try counter.take(frames: frames, samples: samples)
        try counter.finish { (meter, count, last) throws(StoreError) in
            let isKnown = count.known > 0
            try Self.orLeaveOut(minute, &leftOut) { () throws(StoreError) in
                try insert.run(
                    .integer(minute), .integer(meter), .integer(count.samples),
                    isKnown ? Level(count.low).stored : .null, isKnown ? Level(count.high).stored : .null, count.level,
                    .integer(count.silent), .integer(count.known), last?.stored ?? .null)
            }
        }
        return counter.rows
    }

    /// Runs `write`, one statement. What breaks a constraint is undone by SQLite alone, and the transaction goes on.
    private static func orLeaveOut(
        _ time: Int64, _ leftOut: inout MinutesLeftOut?, _ write: () throws(StoreError) -> Void
    ) throws(StoreError) {
        do throws(StoreError) {
            try write()
        } catch {
            guard error.code & 0xFF == SQLITE_CONSTRAINT else { throw error }
            leftOut = MinutesLeftOut(
                count: (leftOut?.count ?? 0) + 1, first: leftOut?.first ?? time, error: leftOut?.error ?? error)
        }
    }

    /// Passes over time that nobody recorded.
    private func pass(_ minute: Int64, to next: Int64, _ leftOut: inout MinutesLeftOut?) throws(StoreError) -> Int {
        try isThere.bind(.integer(minute), at: 1)
        try isThere.bind(.integer(next), at: 2)
        let hasRows = try isThere.step()
        isThere.reset()
        let next = hasRows ? min(next, minute + Self.clearing) : next
        if hasRows { try clear.run(.integer(minute), .integer(next)) }
        try move(minute, to: next, &leftOut)
        return 1
    }

    /// The minutes from `minute` to `next` are counted; with the last of an hour the hour is.
    private func move(_ minute: Int64, to next: Int64, _ leftOut: inout MinutesLeftOut?) throws(StoreError) {
        let (first, last) = (minute / Self.hour * Self.hour, next / Self.hour * Self.hour)
        if first < last {
            let (ours, hour) = (SQLValue.integer(minute), SQLValue.integer(first))
            try clearHours.run(ours, hour, .integer(last))
            try Self.orLeaveOut(first, &leftOut) { () throws(StoreError) in
                try insertHour.run(ours, hour, .integer(first + Self.hour))
            }
        }
        try advance.run(.integer(minute), .integer(next))
    }
}
