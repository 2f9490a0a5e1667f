import AtlasProtocol

/// Cuts that lie in the future of a clock that was set back. Nothing can be recorded, counted or cut behind them, so they are
/// withdrawn to the time it shows; but what was deleted stays deleted, so `withdrawn_us` keeps them for the clock that is put
/// right: the minutes up to there must not be counted again from samples that are gone.
struct WithdrawnCuts {
    /// Rows of more time than this, recorded since, do not go at once with a cut that comes back: age decides on them.
    private static let relived = RetentionPlan.settling

    private let database: Database
    private let doing = "keep what retention deleted from being counted again"

    init(_ database: Database) { self.database = database }

    /// The clock shows `now`, which may be earlier than it was. In a transaction of the caller's.
    func withdraw(to now: Int64) throws(StoreError) {
        func withdrawn(_ cut: String) -> String { "withdrawn_us = max(coalesce(withdrawn_us, 0), \(cut)), \(cut) = ?1" }
        for sql in [
            "UPDATE retained SET \(withdrawn("before_us")) WHERE before_us > ?1",
            """
            UPDATE minute_coverage SET \(withdrawn("fixed_us")), withdrawn_from_us = coalesce(withdrawn_from_us, from_us)
             WHERE fixed_us > ?1
            """,
        ] { try Statement(sql, on: database, doing: doing).run(Self.minute(now)) }
    }

    /// The clock went from `before` to `now`, which is later, without living through the time between. Comes before anything
    /// is written of that time. In a transaction of the caller's.
    func restore(from before: Int64, to now: Int64) throws(StoreError) {
        guard before < now else { return }
        let returning = "withdrawn_us > ?1 AND min(withdrawn_us, ?2) >"
        for sql in [
            """
            UPDATE minute_coverage
               SET fixed_us = min(withdrawn_us, ?2), until_us = max(until_us, min(withdrawn_us, ?2)),
                   from_us = max(from_us, min(withdrawn_from_us, ?2))
             WHERE \(returning) fixed_us
            """,
            """
            UPDATE retained SET before_us = min(withdrawn_us, ?2)
             WHERE \(returning) before_us AND ?1 - before_us <= \(Self.relived)
            """,
        ] {
            let update = try Statement(sql, on: database, doing: doing)
            try update.run(.integer(before), Self.minute(now))
        }
        // What the clock has reached is no longer ahead of it, whether it was lived through or passed over.
        for sql in [
            "UPDATE retained SET withdrawn_us = NULL WHERE withdrawn_us <= ?1",
            "UPDATE minute_coverage SET withdrawn_us = NULL, withdrawn_from_us = NULL WHERE withdrawn_us <= ?1",
        ] { try Statement(sql, on: database, doing: doing).run(Self.minute(now)) }
    }

    private static func minute(_ time: Int64) -> SQLValue { .integer(time / UpTime.minute * UpTime.minute) }
}
