import AtlasProtocol

/// What becomes of the record when time does not go on as it should: the clock is set, the host sleeps, the recorder is held
/// up. For every link time stays without overlap and without a hole; what was known stays known.
struct WallTimeline {
    private let links: LinkRows
    private let cuts: WithdrawnCuts
    private let ahead, keepAhead, dropAhead, cutAhead: Statement
    private let endPassage, beginPassage: Statement

    init(_ database: Database, _ links: LinkRows) throws(StoreError) {
        let doing = "account for a step of the clock"
        func prepare(_ sql: String) throws(StoreError) -> Statement { try Statement(sql, on: database, doing: doing) }
        (self.links, cuts) = (links, WithdrawnCuts(database))
        ahead = try prepare(
            """
            SELECT max(started_us, ?3), min(ended_us, ?4), state, cause FROM link_state_ahead
             WHERE processor_id = ?1 AND link = ?2 AND ended_us > ?3 AND started_us < ?4 ORDER BY started_us
            """)
        keepAhead = try prepare(
            """
            INSERT INTO link_state_ahead (processor_id, link, started_us, ended_us, state, cause)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """)
        dropAhead = try prepare("DELETE FROM link_state_ahead WHERE ended_us <= ?")
        cutAhead = try prepare("UPDATE link_state_ahead SET started_us = ?1 WHERE started_us < ?1")
        endPassage = try prepare("UPDATE recorder_passage SET until_us = max(from_us, ?) WHERE until_us IS NULL")
        beginPassage = try prepare(
            "INSERT INTO recorder_passage (run, from_us) SELECT max(run), ? FROM recorder_run")
    }

    func beginPassage(at now: Int64) throws(StoreError) { try beginPassage.run(.integer(now)) }
    func endPassage(at end: Int64) throws(StoreError) { try endPassage.run(.integer(end)) }

    /// Nobody recorded in this time; before and after it the links were as they were.
    func paused(from: Int64, until: Int64, _ cause: Cause) throws(StoreError) {
        guard from < until else { return }
        for key in try links.open() {
            try links.takeOut(key, from: from, until: until)
            try links.add(.init(from: from, until: until, .unknown(cause)), to: key)
        }
        try endPassage(at: from)
        try beginPassage(at: until)
    }

    /// The wall clock was set by `step` microseconds and shows `now`. Every state goes on.
    func clockSet(to now: Int64, by step: Int64) throws(StoreError) {
        let before = now - step
        if step > 0 {
            try passOver(from: before, until: now)
            for key in try links.open() {
                try links.takeOut(key, from: before, until: now)
                try fill(key, from: before, until: now, .clockStep)
            }
            try forgetAhead(until: now)
        } else {
            let lasting = try links.open()
            try moveAhead(lasting, from: now, until: before, goesOn: true)
        }
        try endPassage(at: before)
        try beginPassage(at: now)
    }

    /// Comes before what covers this time, which nobody recorded: `fill` has minutes counted again.
    func passOver(from: Int64, until: Int64) throws(StoreError) { try cuts.restore(from: from, to: until) }

    /// The clock was set back from `until` to `from`, so what is known of the time between lies ahead. `goesOn`: the rows
    /// that last go on from now.
    func moveAhead(_ keys: [LinkRows.Key], from: Int64, until: Int64, goesOn: Bool) throws(StoreError) {
        // What was ahead has been lived a second time up to `until`.
        try forgetAhead(until: until)
        for key in keys {
            let taken = try links.takeOut(key, from: from, until: nil)
            for row in taken where row.state != "unknown" && row.started < until {
                try keepAhead.run(
                    key.values + [
                        .integer(row.started), .integer(row.ended ?? until), .text(row.state), .text(row.cause),
                    ])
            }
            if goesOn, let last = taken.first { try links.add(.init(from, nil, last.state, last.cause), to: key) }
        }
    }

    /// Covers time that this passage of the clock did not live through: with what an earlier one saw, the rest unknown.
    func fill(_ key: LinkRows.Key, from: Int64, until: Int64, _ cause: Cause) throws(StoreError) {
        for (index, value) in (key.values + [.integer(from), .integer(until)]).enumerated() {
            try ahead.bind(value, at: Int32(index + 1))
        }
        var known: [LinkRows.Row] = []
        while try ahead.step() {
            known.append(.init(ahead.integer(0), ahead.integer(1), ahead.text(2) ?? "", ahead.text(3)))
        }
        var covered = from
        for row in known {
            if row.started > covered {
                try links.add(.init(from: covered, until: row.started, .unknown(cause)), to: key)
            }
            try links.add(row, to: key)
            covered = row.ended ?? until
        }
        if covered < until { try links.add(.init(from: covered, until: until, .unknown(cause)), to: key) }
    }

    func forgetAhead(until time: Int64) throws(StoreError) {
        try dropAhead.run(.integer(time))
        try cutAhead.run(.integer(time))
    }
}
