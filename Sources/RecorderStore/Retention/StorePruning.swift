import AtlasProtocol

/// Prunes a store that nobody records into, for the command `prune`; or counts what would go, beside a recorder too.
package final class StorePruning {
    /// What of one kind goes, or went.
    package struct Share: Sendable, Equatable {
        package let kind: RetainedKind
        package let rows: Int64
        /// Microseconds since 1970 UTC: the first row's time, and the cut.
        package let from, until: Int64
    }

    private let database: Database
    private let pruner: Pruner
    private let checkpoint: Checkpointer
    private let now: Int64
    /// Rows that had been removed by then.
    private let before: [RetainedKind: Int64]

    /// Bytes in use where they are too many, and nothing is left that may go for it.
    package private(set) var exceeded: Int64?

    // MARK: looking

    /// What `prune` would delete now for its age, by kind; none: nothing. `bytes`: those in use, for the size that is then left
    /// to be seen to. Reads only. Throws as `StoreReader`.
    package static func preview(
        _ path: String, _ retention: Retention, at now: Int64
    ) throws(StoreError) -> (shares: [Share], bytes: Int64, mayHave: Int64?) {
        _ = try StoreReader(path: path)
        let database = try Database(path: path, mode: .readOnly)
        try database.execute("PRAGMA query_only = ON; BEGIN", doing: doing)
        let pruner = Pruner(database, retention, lived: 0, isTrusted: true)
        var holdings = try pruner.holdings()
        // What a run that was killed left uncounted is counted first.
        let counted = try database.integer(lastHeartbeat, doing: doing) / UpTime.minute * UpTime.minute
        holdings.countedUntil = holdings.countedUntil.map { max($0, counted) }
        holdings.usedBytes = 0
        var shares: [Share] = []
        var plan = pruner.plan
        while case .cut(let cut) = plan.next(holdings, now: now, lived: 0) {
            var rows: Int64 = 0
            for table in PrunedTable.all(of: cut.kind) { rows += try table.count(before: cut.before, in: database) }
            let from = holdings.oldest[cut.kind] ?? cut.before
            shares.append(Share(kind: cut.kind, rows: rows, from: from, until: cut.before))
            holdings.oldest[cut.kind] = nil
        }
        return (shares, try pruner.bytesInUse(), plan.budget)
    }

    /// What the recorder that ran last was told to keep; nil: it knew nothing of that. Throws as `StoreReader`.
    package static func told(_ path: String) throws(StoreError) -> Retention? {
        let rows = try StoreReader(path: path).query(
            """
            SELECT r.kind, r.keep_us, (SELECT max_bytes FROM recorder_run ORDER BY run DESC LIMIT 1) FROM retained r
             WHERE r.by_run
            """
        ).rows
        var retention = Retention.none
        func number(_ value: SQLValue) -> Int64? { if case .integer(let number) = value { number } else { nil } }
        for row in rows {
            retention.size = number(row[2])
            switch row[0] {
            case .text(RetainedKind.samples.rawValue): retention.samples = number(row[1])
            case .text(RetainedKind.minutes.rawValue): retention.minutes = number(row[1])
            case .text(RetainedKind.events.rawValue): retention.events = number(row[1])
            default: break
            }
        }
        return rows.isEmpty ? nil : retention
    }

    private static let doing = "look for what is not kept any more"
    private static let lastHeartbeat = "SELECT max(coalesce(ended_us, heartbeat_us)) FROM recorder_run"

    private static let latestHeartbeat = """
        SELECT coalesce((SELECT coalesce(ended_us, heartbeat_us) FROM recorder_run ORDER BY run DESC LIMIT 1), 0)
        """

    /// When a recorder wrote last, microseconds since 1970 UTC; nil: none ever did. Throws as `StoreReader`.
    package static func lastRecorded(_ path: String) throws(StoreError) -> Int64? {
        let value = try StoreReader(path: path).query(lastHeartbeat).rows.first?.first
        return if case .integer(let time) = value { time } else { nil }
    }

    // MARK: doing

    /// Takes the store's lock. Throws `.lockHeld` where a recorder has it, `.missing` where there is no store.
    package init(_ path: String, _ retention: Retention, holder: String, at now: Int64) throws(StoreError) {
        let path = StoreFile.resolved(path)
        guard case .store = try StoreFile.inspect(path) else {
            throw StoreError(.missing, message: "there is no store", doing: "prune the store", path: path)
        }
        let database = try Database(forWriting: path, lock: StoreLock(store: path, holder: holder))
        (self.database, self.now) = (database, now)
        checkpoint = Checkpointer(database)
        pruner = Pruner(database, retention, lived: 0, isTrusted: true)
        before = try Self.removed(database)
        try database.setSynchronous(full: false)
        // What a run that was killed left uncounted.
        let minutes = try MinuteRows(database)
        let end = try database.integer(Self.lastHeartbeat, doing: "count the minutes")
        let latest = try database.integer(Self.latestHeartbeat, doing: "count the minutes")
        try database.transaction("count the minutes") { () throws(StoreError) in
            try WithdrawnCuts(database).restore(from: latest, to: now)
        }
        var leftOut: MinutesLeftOut?
        var isMore = true
        while isMore {
            try database.transaction("count the minutes") { () throws(StoreError) in
                isMore = try minutes.step(until: end, &leftOut) != nil
            }
        }
    }

    /// One step; false: nothing is left to do. May be ended after each.
    package func step(elapsed: () -> Int64) throws(StoreError) -> Bool {
        if checkpoint.isLong { checkpoint.run(emptyingLog: false) }
        switch try pruner.step(at: now, lived: 0, elapsed: elapsed) {
        case .more, .paused: return true
        case .done: return try pruner.giveAllBack(elapsed: elapsed)
        case .exceeded(let bytes):
            exceeded = bytes
            return try pruner.giveAllBack(elapsed: elapsed)
        }
    }

    /// Moves all into the file; what went, by kind.
    package func finish() throws(StoreError) -> [Share] {
        checkpoint.run(emptyingLog: true)
        let rows = try Statement("SELECT kind, removed, before_us FROM retained ORDER BY kind DESC", on: database)
        var shares: [Share] = []
        while try rows.step() {
            guard let kind = rows.text(0).flatMap(RetainedKind.init) else { continue }
            let removed = rows.integer(1) - (before[kind] ?? 0)
            if removed > 0 { shares.append(Share(kind: kind, rows: removed, from: .min, until: rows.integer(2))) }
        }
        return shares
    }

    private static func removed(_ database: Database) throws(StoreError) -> [RetainedKind: Int64] {
        let rows = try Statement("SELECT kind, removed FROM retained", on: database)
        var removed: [RetainedKind: Int64] = [:]
        while try rows.step() {
            if let kind = rows.text(0).flatMap(RetainedKind.init) { removed[kind] = rows.integer(1) }
        }
        return removed
    }
}

extension PrunedTable {
    fileprivate func count(before: Int64, in database: Database) throws(StoreError) -> Int64 {
        let statement = try Statement(countSQL, on: database)
        try statement.bind(.integer(before), at: 1)
        return try statement.step() ? statement.integer(0) : 0
    }
}

extension Pruner {
    fileprivate func bytesInUse() throws(StoreError) -> Int64 { try pages().used }
}
