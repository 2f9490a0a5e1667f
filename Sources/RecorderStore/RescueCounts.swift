/// Brings the counts of a rescued store in line with the samples that were found: in each minute
/// received = stored + duplicate + lost holds on, and stored is the number of its samples. What was counted as stored and is
/// not found becomes a loss, `store_damaged`.
struct RescueCounts {
    private let target: Database
    /// Rows of `sample_loss`, of `sample_minute` may be lost themselves.
    private let losesLosses, losesMinutes: Bool
    private let doing = "count what was lost"

    init(_ target: Database, losesLosses: Bool, losesMinutes: Bool) {
        (self.target, self.losesLosses, self.losesMinutes) = (target, losesLosses, losesMinutes)
    }

    /// How many samples there are, and how many are lost.
    func run() throws(StoreError) -> (found: Int64, lost: Int64) {
        try target.execute(
            """
            CREATE TEMP TABLE found (start_us INTEGER, processor_id INTEGER, n INTEGER, PRIMARY KEY (start_us, processor_id))
                WITHOUT ROWID;
            INSERT INTO found SELECT start_us, processor_id, sum(n) FROM (
                SELECT at_us / 60000000 * 60000000 AS start_us, processor_id, length(replace(levels, char(1), '')) AS n
                  FROM frame
                UNION ALL
                SELECT s.at_us / 60000000 * 60000000, m.processor_id, 1 FROM sample s JOIN meter m ON m.id = s.meter_id)
             GROUP BY start_us, processor_id;
            CREATE TEMP TABLE missing (processor_id INTEGER, from_us INTEGER, until_us INTEGER, samples INTEGER);
            """, doing: doing)
        try countMinutes()
        try countHours()
        try target.execute(
            """
            INSERT INTO sample_loss (processor_id, reason, from_us, until_us, datagrams, samples)
            SELECT processor_id, '\(LossReason.storeDamaged.rawValue)', from_us, until_us, 0, samples FROM missing
             ORDER BY from_us, processor_id
            """, doing: doing)
        return (
            try target.integer("SELECT sum(n) FROM found", doing: doing),
            try target.integer("SELECT sum(samples) FROM missing", doing: doing)
        )
    }

    private func countMinutes() throws(StoreError) {
        // Where the rows of losses are damaged, what is missing of them is missing in the sum.
        let expected =
            losesLosses
            ? """
            max(m.stored, coalesce(m.received - m.duplicate - (
                SELECT coalesce(sum(l.samples), 0) FROM sample_loss l
                 WHERE l.processor_id = m.processor_id AND l.until_us >= m.start_us AND l.until_us < m.start_us + 60000000), 0))
            """ : "m.stored"
        try target.execute(
            """
            CREATE TEMP TABLE wrong AS
            SELECT m.start_us, m.processor_id, m.stored - coalesce(f.n, 0) AS excess, \(expected) - coalesce(f.n, 0) AS missing
              FROM sample_minute m LEFT JOIN found f ON f.start_us = m.start_us AND f.processor_id = m.processor_id
             WHERE (m.stored <> coalesce(f.n, 0) OR \(expected) > m.stored) AND m.start_us >= \(Self.kept("'samples'"));
            INSERT INTO missing
            SELECT w.processor_id, max(w.start_us, coalesce(min(r.started_us), 0)),
                   min(w.start_us + 59999999, coalesce(max(max(r.heartbeat_us, coalesce(r.ended_us, 0))), w.start_us + 59999999)),
                   w.missing
              FROM wrong w
              LEFT JOIN recorder_run r  -- nothing came while nobody recorded
                ON r.started_us < w.start_us + 60000000 AND max(r.heartbeat_us, coalesce(r.ended_us, 0)) >= w.start_us
             WHERE w.missing > 0 GROUP BY w.start_us, w.processor_id;
            UPDATE sample_minute AS m
               SET stored = m.stored - w.excess, received = m.received - min(w.excess, 0)
              FROM wrong w WHERE w.start_us = m.start_us AND w.processor_id = m.processor_id;
            UPDATE sample_hour AS h SET stored = h.stored - (
                SELECT coalesce(sum(w.excess), 0) FROM wrong w
                 WHERE w.processor_id = h.processor_id AND w.start_us >= h.start_us AND w.start_us < h.start_us + 3600000000);
            """, doing: doing)
        // Minutes whose rows are lost: how many came nobody knows, only what is there.
        try target.execute(
            """
            INSERT INTO sample_minute (start_us, processor_id, stored, duplicate)
            SELECT start_us, processor_id, n, 0 FROM found f
             WHERE NOT EXISTS (SELECT 1 FROM sample_minute m
                                WHERE m.start_us = f.start_us AND m.processor_id = f.processor_id)
               AND f.start_us >= \(Self.kept("'samples', 'minutes'"))
            """, doing: doing)
    }

    /// From when on these kinds are kept: what retention removed is not lost.
    private static func kept(_ kinds: String) -> String {
        "coalesce((SELECT max(before_us) FROM retained WHERE kind IN (\(kinds))), 0)"
    }

    private func countHours() throws(StoreError) {
        try target.execute(
            """
            CREATE TEMP TABLE hour AS
            SELECT start_us / 3600000000 * 3600000000 AS start_us, processor_id, sum(stored) AS n FROM sample_minute
             GROUP BY 1, 2;
            """, doing: doing)
        if losesMinutes {
            // An hour knows of minutes whose rows and samples are both lost, but not which. The loss lies in those that have
            // no row, so that it is in no other one's balance.
            try target.execute(
                """
                WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 59),
                short AS (
                    SELECT h.start_us, h.processor_id, h.stored - coalesce(f.n, 0) AS samples
                      FROM sample_hour h LEFT JOIN hour f ON f.start_us = h.start_us AND f.processor_id = h.processor_id
                     WHERE h.stored > coalesce(f.n, 0) AND h.start_us >= \(Self.kept("'samples', 'minutes'"))
                )
                INSERT INTO missing
                SELECT s.processor_id, min(s.start_us + n * 60000000), max(s.start_us + n * 60000000) + 59999999, s.samples
                  FROM short s CROSS JOIN number
                 WHERE NOT EXISTS (SELECT 1 FROM sample_minute m WHERE m.processor_id = s.processor_id
                                      AND m.start_us = s.start_us + n * 60000000)
                 GROUP BY s.start_us, s.processor_id;
                UPDATE sample_hour AS h SET stored = coalesce((
                    SELECT f.n FROM hour f WHERE f.start_us = h.start_us AND f.processor_id = h.processor_id), 0)
                 WHERE h.start_us >= \(Self.kept("'samples', 'minutes'"));
                """, doing: doing)
        }
        try target.execute(
            """
            INSERT INTO sample_hour (start_us, processor_id, stored) SELECT start_us, processor_id, n FROM hour WHERE true
                ON CONFLICT DO UPDATE SET stored = max(stored, excluded.stored)
            """, doing: doing)
    }
}
