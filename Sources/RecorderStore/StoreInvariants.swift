import CSQLite

/// What is true of every whole store, whenever it is looked at, beside a running recorder too: each an SQL query for what
/// breaks it.
package final class StoreInvariants {
    package struct Invariant: Sendable {
        /// `links`
        package let subject: String
        /// `each link's states follow one another without hole or overlap`
        package let rule: String
        /// Selects one text a violation.
        let sql: String
    }

    package static let all = [
        Invariant(
            subject: "references", rule: "every row's processor, meter and run is there",
            sql:
                "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ' points to a lost row of ' || parent FROM pragma_foreign_key_check"
        ),
        Invariant(
            subject: "links", rule: "each link's states follow one another without hole or overlap",
            sql: """
                SELECT p.name || ' ' || s.link || ' at ' || s.started_us FROM (
                    SELECT *, lead(started_us) OVER (PARTITION BY processor_id, link ORDER BY started_us) AS next_us
                      FROM link_state) s JOIN processor p ON p.id = s.processor_id
                 WHERE (next_us IS NOT NULL AND s.ended_us IS NOT next_us) OR s.ended_us < s.started_us
                """),
        Invariant(
            subject: "runs", rule: "at most the last run lasts, and none ends before it began",
            sql: """
                SELECT 'run ' || run FROM recorder_run
                 WHERE (ended_us IS NULL AND run <> (SELECT max(run) FROM recorder_run)) OR ended_us < started_us
                """),
        Invariant(
            subject: "samples", rule: "each minute's count is that of its samples",
            sql: """
                WITH found AS (
                    SELECT at_us / 60000000 * 60000000 AS start_us, processor_id, length(replace(levels, char(1), '')) AS n
                      FROM frame
                    UNION ALL
                    SELECT s.at_us / 60000000 * 60000000, m.processor_id, 1 FROM sample s JOIN meter m ON m.id = s.meter_id
                ), counted AS (
                    SELECT start_us, processor_id, sum(n) AS n FROM found GROUP BY start_us, processor_id
                )
                SELECT p.name || ' minute ' || c.start_us || ': ' || c.n || ' samples, counted ' || coalesce(m.stored, 0)
                  FROM counted c JOIN processor p ON p.id = c.processor_id
                  LEFT JOIN sample_minute m ON m.start_us = c.start_us AND m.processor_id = c.processor_id
                 WHERE c.n IS NOT m.stored
                   AND c.start_us >= coalesce((SELECT max(before_us) FROM retained WHERE kind <> 'events'), 0)
                """),
        Invariant(
            subject: "balance", rule: "in each minute received = stored + duplicate + lost",
            sql: """
                SELECT processor || ' minute ' || start_us || ': received ' || received || ', stored ' || stored
                       || ', duplicate ' || duplicate || ', lost ' || lost
                  FROM sample_counts WHERE received <> stored + duplicate + lost
                """),
        Invariant(
            subject: "hours", rule: "an hour holds at least the samples of its minutes",
            sql: """
                SELECT p.name || ' hour ' || h.start_us FROM sample_hour h JOIN processor p ON p.id = h.processor_id
                 WHERE h.stored < (SELECT coalesce(sum(m.stored), 0) FROM sample_minute m
                                    WHERE m.start_us >= h.start_us AND m.start_us < h.start_us + 3600000000
                                      AND m.processor_id = h.processor_id)
                """),
        Invariant(
            subject: "frames", rule: "each frame's characters belong to meters that are known",
            sql: """
                SELECT p.name || ' frame ' || f.at_us FROM frame f JOIN processor p ON p.id = f.processor_id
                 WHERE length(f.levels) > (SELECT coalesce(max(slot), 0) FROM meter m WHERE m.processor_id = f.processor_id)
                    OR (f.exact IS NOT NULL AND NOT json_valid(f.exact))
                """),
    ]

    private let database: Database

    /// Throws as `StoreReader` does.
    package init(path: String) throws(StoreError) {
        _ = try StoreReader(path: path)
        database = try Database(path: path, mode: .readOnly)
        sqlite3_busy_timeout(database.handle, Database.patience)
        try database.execute("PRAGMA query_only = ON; BEGIN", doing: "check the store")
    }

    /// SQLite's own words for what is wrong with the file, at most ten; empty: nothing.
    package func faults() throws(StoreError) -> [String] {
        let check = try Statement("PRAGMA integrity_check(10)", on: database, doing: "check the store")
        var words: [String] = []
        while try check.step() { if let text = check.text(0), text != "ok" { words.append(text) } }
        return words
    }

    /// When and from what it was rescued, if anything was lost then; nil: nothing was.
    package func rescued() throws(StoreError) -> (at: Int64, detail: String)? {
        let row = try Statement(
            """
            SELECT at_us, detail FROM event WHERE event = 'store_rescued'
               AND (detail NOT LIKE '%, 0 of those that were stored are lost%' OR detail LIKE '%;%') ORDER BY id DESC LIMIT 1
            """, on: database, doing: "check the store")
        return try row.step() ? (row.integer(0), row.text(1) ?? "") : nil
    }

    /// How often it is broken, and the first three.
    package func violations(of invariant: Invariant) throws(StoreError) -> (count: Int, first: [String]) {
        let rows = try Statement(invariant.sql, on: database, doing: "check that \(invariant.rule)")
        var (count, first): (Int, [String]) = (0, [])
        while try rows.step() {
            count += 1
            if count <= 3 { first.append(rows.text(0) ?? "?") }
        }
        return (count, first)
    }
}
