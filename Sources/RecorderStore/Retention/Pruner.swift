import CSQLite

/// What a step of pruning did.
package enum PruneOutcome: Sendable, Equatable {
    /// Something was done, and there may be more.
    case more
    /// Nothing was done: the write-ahead log is moved into the file first, by the next commit.
    case paused
    /// Nothing is due.
    case done
    /// The store is too large by what retention does not delete; bytes in use.
    case exceeded(Int64)
}

/// Does what the plan says, on the writer's connection, in steps that are each a short transaction: whatever ends the program
/// between two of them, the store is whole, and the next run goes on.
final class Pruner {
    /// A cut that is being made: the tables that are left, and where the walk through the first of them stands.
    private struct Work {
        let before: Int64
        var tables: ArraySlice<PrunedTable>
        var cursor: PrunedTable.Cursor = nil
        var removed = 0
    }

    private let database: Database
    private(set) var plan: RetentionPlan
    private var work: [RetainedKind: Work] = [:]
    private var space: SpaceReturn
    private var rows = StepSize(8...100_000, first: 64)
    private let doing = "delete what is not kept any more"
    /// Rows of samples that go at once when there is too little room.
    private static let lumpRows = 5_000

    /// What a run is told to keep is on record; what a person deletes for once is not.
    private let isRun: Bool
    private var isBegun = false
    private var isClockSetBack = false
    /// What a size that is not in force yet will cost, bytes; nil: it is in force.
    private(set) var bytesToGo: Int64?

    /// `isTrusted`: as of `RetentionPlan`.
    init(_ database: Database, _ retention: Retention, lived: Int64, isTrusted: Bool = false) {
        self.database = database
        // 2: INCREMENTAL, as recorders make their stores.
        space = SpaceReturn(isPossible: (try? database.integer("PRAGMA auto_vacuum", doing: doing)) == 2)
        plan = RetentionPlan(retention, lived: lived, isTrusted: isTrusted)
        isRun = !isTrusted
    }

    /// The clock was set.
    func clockSet(by step: Int64, lived: Int64) {
        plan.clockSet(by: step, lived: lived)
        if step < 0 { isClockSetBack = true }
    }

    /// Writes what is kept; what an earlier run had begun to delete goes on.
    private func begin(at now: Int64, lived: Int64) throws(StoreError) {
        let retention = plan.retention
        try database.transaction("write what is kept") { () throws(StoreError) in
            let write = try Statement(
                """
                INSERT INTO retained (kind, keep_us, by_run) VALUES (?1, ?2, ?3)
                ON CONFLICT DO UPDATE SET keep_us = ?2, by_run = 1 WHERE ?3
                """, on: database, doing: doing)
            for (kind, keep) in zip(RetainedKind.allCases, [retention.samples, retention.minutes, retention.events]) {
                try write.run(.text(kind.rawValue), .integer(isRun ? keep : nil), .integer(isRun ? 1 : 0))
            }
            try WithdrawnCuts(database).withdraw(to: now)
            guard isRun else { return }
            let inForce = try Statement(Self.sizeInForce, on: database, doing: doing)
            let size = try inForce.step() && !inForce.isNull(0) ? inForce.integer(0) : nil
            inForce.reset()
            bytesToGo = plan.sizeSet(inForce: size, usedBytes: try pages().used, lived: lived)
            if bytesToGo == nil { try setSizeInForce() }
        }
        for (kind, before) in try cuts() { open(kind, before) }
        (isBegun, isClockSetBack) = (true, false)
    }

    private static let sizeInForce = "SELECT max_bytes FROM recorder_run ORDER BY run DESC LIMIT 1"

    private func setSizeInForce() throws(StoreError) {
        try Statement(
            "UPDATE recorder_run SET max_bytes = ? WHERE run = (SELECT max(run) FROM recorder_run)", on: database,
            doing: doing
        ).run(.integer(plan.retention.size))
    }

    // MARK: steps

    /// One step. `elapsed`: microseconds, of a clock that nobody sets.
    func step(at now: Int64, lived: Int64, elapsed: () -> Int64) throws(StoreError) -> PruneOutcome {
        // Somebody who holds the store holds up commits, which wait; this does not.
        sqlite3_busy_timeout(database.handle, 0)
        defer { sqlite3_busy_timeout(database.handle, Database.patience) }
        if !isBegun {
            try begin(at: now, lived: lived)
            return .more
        }
        if isClockSetBack {
            try database.transaction(doing) { () throws(StoreError) in try WithdrawnCuts(database).withdraw(to: now) }
            // A walk up to a cut that is withdrawn would delete what is recorded from now on.
            work = [:]
            for (kind, before) in try cuts() { open(kind, before) }
            isClockSetBack = false
        }
        if bytesToGo != nil, lived >= plan.sizeCountsFrom {
            try database.transaction(doing) { () throws(StoreError) in try setSizeInForce() }
            bytesToGo = nil
        }
        if work[.samples] != nil {
            try advance(.samples, at: now, elapsed: elapsed)
            return .more
        }
        let decision = plan.next(try holdings(), now: now, lived: lived)
        if case .cut(let cut) = decision, cut.kind == .samples || work[cut.kind] == nil {
            try make(cut)
            return .more
        }
        if let kind = RetainedKind.allCases.first(where: { work[$0] != nil }) {
            try advance(kind, at: now, elapsed: elapsed)
            return .more
        }
        if try giveBack(elapsed: elapsed) { return .more }
        try tell(at: now)
        if decision == .exceeded { return .exceeded(try pages().used) }
        return .done
    }

    private func open(_ kind: RetainedKind, _ before: Int64) {
        work[kind] = Work(before: before, tables: PrunedTable.all(of: kind)[...])
    }

    /// Writes first that what lies before the cut may be gone: from here on nothing is counted from it, and readers know.
    private func make(_ cut: Cut) throws(StoreError) {
        let before = SQLValue.integer(cut.before)
        try database.transaction(doing) { () throws(StoreError) in
            try Statement("UPDATE retained SET before_us = ?1, reason = ?2 WHERE kind = ?3", on: database, doing: doing)
                .run(before, .text(cut.reason.rawValue), .text(cut.kind.rawValue))
            try Statement(
                "UPDATE minute_coverage SET fixed_us = ?1 WHERE fixed_us < ?1 AND until_us >= ?1", on: database,
                doing: doing
            ).run(before)
            switch cut.kind {
            case .samples: break
            case .minutes:
                try Statement(
                    "UPDATE minute_coverage SET from_us = ?1 WHERE from_us < ?1 AND until_us >= ?1", on: database,
                    doing: doing
                ).run(before)
            case .events:
                // Of what was before it this store can no longer tell that nothing was: it counts as not recorded.
                try Statement(
                    """
                    UPDATE recorder_passage SET from_us = ?1
                     WHERE from_us < ?1 AND (until_us IS NULL OR until_us > ?1)
                    """, on: database, doing: doing
                ).run(before)
            }
        }
        open(cut.kind, cut.before)
    }

    private func advance(_ kind: RetainedKind, at now: Int64, elapsed: () -> Int64) throws(StoreError) {
        guard var work = work[kind], let table = work.tables.first else { return }
        if table.isPointedTo { try database.execute("PRAGMA foreign_keys = OFF", doing: doing) }
        defer { if table.isPointedTo { try? database.execute("PRAGMA foreign_keys = ON", doing: doing) } }
        let (begin, count) = (elapsed(), rows.count)
        var isFull = false
        try database.transaction(doing) { () throws(StoreError) in
            let (deleted, cursor, isDone) = try table.delete(
                before: work.before, behind: work.cursor, count: count, in: database)
            work.removed += deleted
            isFull = !isDone
            (work.cursor, work.tables) = isDone ? (nil, work.tables.dropFirst()) : (cursor, work.tables)
            guard deleted > 0 else { return }
            try Statement(
                "UPDATE retained SET removed = removed + ?1, at_us = ?2 WHERE kind = ?3", on: database, doing: doing
            ).run(.integer(Int64(deleted)), .integer(now), .text(kind.rawValue))
        }
        self.work[kind] = work.tables.isEmpty ? nil : work
        if isFull { rows.took(elapsed() - begin) }
    }

    /// False: there is nothing to give back.
    private func giveBack(elapsed: () -> Int64) throws(StoreError) -> Bool {
        let pages = try pages()
        let due = space.due(
            pages: pages.all, free: pages.free, budget: bytesToGo == nil ? plan.budget.map { $0 / pages.size } : nil)
        guard due > 0 else { return false }
        try space.step(due, in: database, elapsed: elapsed)
        return true
    }

    /// Up to where events are being deleted; nil: they are not.
    var eventsBefore: Int64? { work[.events]?.before }

    /// Gives all free pages back, in steps. False: there are none left.
    func giveAllBack(elapsed: () -> Int64) throws(StoreError) -> Bool {
        let free = try pages().free
        guard free > 0, space.isPossible else { return false }
        try space.step(free, in: database, elapsed: elapsed)
        return true
    }

    // MARK: what the store holds

    func pages() throws(StoreError) -> (all: Int64, free: Int64, size: Int64, used: Int64) {
        let all = try database.integer("PRAGMA page_count", doing: doing)
        let free = try database.integer("PRAGMA freelist_count", doing: doing)
        let size = try database.integer("PRAGMA page_size", doing: doing)
        return (all, free, size, (all - free) * size)
    }

    private func cuts() throws(StoreError) -> [(RetainedKind, Int64)] {
        let rows = try Statement("SELECT kind, before_us FROM retained WHERE before_us IS NOT NULL", on: database)
        var cuts: [(RetainedKind, Int64)] = []
        while try rows.step() {
            if let kind = rows.text(0).flatMap(RetainedKind.init) { cuts.append((kind, rows.integer(1))) }
        }
        return cuts
    }

    func holdings() throws(StoreError) -> RetentionPlan.Holdings {
        var holdings = RetentionPlan.Holdings()
        for (kind, before) in try cuts() { holdings.cut[kind] = before }
        holdings.oldest[.samples] = try first("SELECT min(at_us) FROM frame", "SELECT min(at_us) FROM sample")
        holdings.oldest[.minutes] = try first(
            "SELECT min(start_us) FROM meter_minute", "SELECT min(start_us) FROM sample_minute")
        holdings.oldest[.events] = try first(
            "SELECT min(at_us) FROM event", "SELECT min(from_us) FROM recorder_passage")
        holdings.countedUntil = try first("SELECT min(until_us) FROM minute_coverage")
        guard plan.retention.size != nil else { return holdings }
        holdings.usedBytes = try pages().used
        guard plan.isOver(holdings) else { return holdings }
        // Some rows on, and to the end of that minute: each cut costs a page or two itself.
        if let oldest = holdings.oldest[.samples] {
            let there = try first(
                "SELECT max(at_us) FROM (SELECT at_us FROM frame ORDER BY at_us LIMIT \(Self.lumpRows))",
                "SELECT max(at_us) FROM (SELECT at_us FROM sample ORDER BY at_us LIMIT \(Self.lumpRows))")
            holdings.lump[.samples] = max(there ?? oldest, oldest) / UpTime.minute * UpTime.minute + UpTime.minute
        }
        let hour = RetentionPlan.grain(.minutes)
        holdings.lump[.minutes] = holdings.oldest[.minutes].map { $0 / hour * hour + hour }
        return holdings
    }

    /// The least of what these say; nil: none says anything.
    private func first(_ queries: String...) throws(StoreError) -> Int64? {
        var least: Int64?
        for sql in queries {
            let row = try Statement(sql, on: database, doing: doing)
            if try row.step(), !row.isNull(0) { least = min(least ?? .max, row.integer(0)) }
        }
        return least
    }

    // MARK: telling

    /// Between two events of one kind, microseconds.
    private static let tellInterval: Int64 = 86_400_000_000

    /// One event a day for each kind says what went.
    private func tell(at now: Int64) throws(StoreError) {
        let due = try Statement(
            """
            SELECT kind, strftime('%Y-%m-%d %H:%M', before_us / 1000000, 'unixepoch', 'localtime'), removed - told,
                   CASE reason WHEN 'size' THEN 'to stay within the size' ELSE 'for their age' END
              FROM retained
             WHERE removed > told AND (told_us IS NULL OR abs(?1 - told_us) >= \(Self.tellInterval))
            """, on: database, doing: doing)
        try due.bind(.integer(now), at: 1)
        var events: [(kind: SQLValue, detail: String)] = []
        while try due.step() {
            let what = "\(due.text(0) ?? "") before \(due.text(1) ?? "")"
            events.append((due.value(0), "\(what): \(due.integer(2)) rows removed \(due.text(3) ?? "")"))
        }
        guard !events.isEmpty else { return }
        try database.transaction("tell what was deleted") { () throws(StoreError) in
            for event in events {
                try Statement(
                    "INSERT INTO event (at_us, event, detail) VALUES (?, 'pruned', ?)", on: database, doing: doing
                )
                .run(.integer(now), .text(event.detail))
                try Statement(
                    "UPDATE retained SET told = removed, told_us = ?1 WHERE kind = ?2", on: database, doing: doing
                )
                .run(.integer(now), event.kind)
            }
        }
    }
}
