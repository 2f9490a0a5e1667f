import AtlasProtocol
import CSQLite

/// Writes the store; owns the only read-write connection. Everything that fails to commit stays in memory and is tried
/// again: samples in the bounded `FrameQueue`, the rest in `pending`.
package actor StoreWriter {
    private let executor = StoreExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    let database: Database
    let checkpoint: Checkpointer
    private let queue: FrameQueue
    private let runs: RunRows
    private let frames: FrameRows
    private let losses: LossRows
    private let minutes: MinuteRows
    private var entries: EntryRows
    private var pending: [Entry] = []
    private var registrations: [Registration] = []
    private var run: RunRows.Open?
    private var hasEnded = false
    /// The time of the last commit, microseconds since 1970 UTC: up to there everything is known.
    private var committedAt = Int64.min
    private var unsettled: Attempt?
    /// Whatever arrived before this is stored, microseconds since 1970 UTC; nil: nobody hands over anything.
    private var completeUntil: Int64?
    private let committed: @Sendable ([Entry]) -> Void
    private var place: StorePlace?
    /// Whether all of the log is in the file since the run's end.
    private var isWhole = false
    /// Ends when the store's files are closed: once the writer is let go of, and everything that it read with.
    package nonisolated let closed: AsyncStream<Void>
    private var minutesLeftOut: MinutesLeftOut?
    private var pruner: Pruner?
    package var totals = StoreTotals()

    /// Opens or makes the store and takes its lock. Throws `.lockHeld` if another recorder writes it, `.notOurs` and
    /// `.schemaTooNew` for a file that is then left untouched, `.cannotOpen`.
    /// `committed` is told of entries once they are safely stored, in order.
    package init(
        path: String, holder: String, queue: FrameQueue, committed: @escaping @Sendable ([Entry]) -> Void
    ) throws(StoreError) {
        _ = try StoreFile.inspect(path)
        let lock = try StoreLock(store: StoreFile.resolved(path), holder: holder)
        try self.init(path: path, lock: lock, queue: queue, committed: committed)
    }

    /// The same, with the lock of this store, which the caller has taken.
    package init(
        path: String, lock: StoreLock, queue: FrameQueue, committed: @escaping @Sendable ([Entry]) -> Void
    ) throws(StoreError) {
        let path = StoreFile.resolved(path)
        let (closed, closing) = AsyncStream<Void>.makeStream()
        self.closed = closed
        database = try Database(forWriting: path, lock: lock) { closing.finish() }
        checkpoint = Checkpointer(database)
        let links = try LinkRows(database)
        let timeline = try WallTimeline(database, links)
        runs = try RunRows(database, links, timeline)
        frames = try FrameRows(database)
        losses = try LossRows(database)
        minutes = try MinuteRows(database)
        entries = try EntryRows(database, links, timeline)
        self.queue = queue
        self.committed = committed
    }

    /// Begins a run at `now` with these units; closes what an earlier run left open.
    package func begin(_ start: RunStart, processors: [ProcessorSpec], at now: Int64) throws(StoreError)
        -> [RegisteredProcessor]
    {
        var registered: [RegisteredProcessor] = []
        try database.setSynchronous(full: true)
        var opened: RunRows.Open?
        try database.transaction("begin a run") { () throws(StoreError) in
            (opened, registered) = try runs.begin(start, processors: processors, at: now)
            try minutes.begin(registered, at: now)
        }
        run = opened
        try entries.load()
        place = StorePlace(database.path)
        return registered
    }

    /// Whether the run before this one ended without notice: then the file should be checked.
    package var followsCrash: Bool { run?.followsCrash ?? false }

    /// What somebody did to the store's files while they are open here; nil: nothing.
    package func displacement() -> StorePlace.Displacement? { place?.displacement(database.lock) }

    /// What waits that this store will never have.
    package func abandoned(_ last: [Entry]) -> StoreDeparture {
        let samples = queue.samplesWaiting + (unsettled?.blocks.reduce(0) { $0 + $1.samples } ?? 0)
        return StoreDeparture(samplesLeft: samples, entriesLeft: pending.count + last.count)
    }

    /// Ends the run in a store whose files are not where they were, as `finish`, but without another try, and puts right what
    /// is left of them.
    package func leave(
        _ displacement: StorePlace.Displacement, _ last: [Entry], at now: Int64, stamp: String
    ) -> StoreDeparture {
        var departure = StoreDeparture()
        do throws(StoreError) {
            try finish(last, at: now)
        } catch {
            departure = abandoned([])
            departure.refusal = error
        }
        departure.isWhole = isWhole
        departure.fate = displacement == .store ? place?.fate() : nil
        do throws(StoreError) {
            departure.log = try place?.putRight(displacement, isWhole: isWhole, stamp: stamp)
        } catch {
            departure.obstacle = error
        }
        return departure
    }

    /// Runs `body` on the store's own thread, where waiting is allowed, until it returns; other calls wait for it.
    package func occupy<Result: Sendable>(_ body: @Sendable (isolated StoreWriter) -> Result) -> Result { body(self) }

    /// Commits these entries with all that waited before them, and the samples that wait if `samples`. Called at least
    /// each second with `samples`, which writes the heartbeat too. Units are registered only with samples: a unit that comes
    /// back must find the slots that its last ones were given.
    package func commit(
        _ new: [Entry], registering units: [Registration] = [], samples: Bool, at now: Int64
    ) throws(StoreError) {
        pending += new
        registrations += units
        try commit(samples: samples, at: now)
    }

    /// How many entries wait for a store that refuses them.
    package var backlog: Int { pending.count }

    /// Commits what waits, ends the run as clean and gives the write-ahead log back to the file. If it throws, the next call
    /// goes on where it failed.
    package func finish(_ last: [Entry], at now: Int64) throws(StoreError) {
        pending += last
        try commit(samples: true, at: now)
        if let run {
            try database.setSynchronous(full: true)
            try database.transaction("end the run") { () throws(StoreError) in
                try runs.end(run, at: now)
            }
            (self.run, hasEnded) = (nil, true)
        }
        guard hasEnded else { return }
        defer { isWhole = checkpoint.run(emptyingLog: true) }
        // After a long time without minutes a stop does not wait for all of them, nor does it fail over them: everything that
        // they are counted from is stored, and the next run goes on.
        var turns = 20
        while turns > 0, (try? countMinutes(until: now + UpTime.minute)) == true { turns -= 1 }
    }

    /// What was left out of the minutes since this was asked last.
    package func takeMinutesLeftOut() -> MinutesLeftOut? {
        defer { minutesLeftOut = nil }
        return minutesLeftOut
    }

    /// Counts the meters' minutes that were over at the last commit. True: there are more, for the next call. Throws as a
    /// commit does; nothing is lost then, and the next call tries again.
    package func countMinutes() throws(StoreError) -> Bool {
        guard run != nil, unsettled == nil, committedAt != .min else { return false }
        return try countMinutes(until: committedAt - MinuteRows.settling)
    }

    /// Rows of samples that are read in one go: about a tenth of a second.
    private static let minuteRows = 100_000

    private func countMinutes(until limit: Int64) throws(StoreError) -> Bool {
        guard try minutes.isDue(limit) else { return false }
        try database.setSynchronous(full: false)
        var isMore = true
        var leftOut = minutesLeftOut  // kept only with the transaction
        try database.transaction("count the minutes") { () throws(StoreError) in
            var rows = 0
            while rows < Self.minuteRows, isMore {
                if let read = try minutes.step(until: limit, &leftOut) { rows += read } else { isMore = false }
            }
        }
        minutesLeftOut = leftOut
        checkpoint.runIfDue()
        return isMore
    }

    // MARK: retention

    /// Keeps the store within `retention` from now on, by `prune`. `lived`: microseconds of a clock that nobody sets.
    package func retain(_ retention: Retention, lived: Int64) {
        pruner = Pruner(database, retention, lived: lived)
    }

    /// The clock was set by `step` microseconds.
    package func clockSet(by step: Int64, lived: Int64) { pruner?.clockSet(by: step, lived: lived) }

    /// What a smaller size will cost once it is in force, bytes; nil: it is, or was never asked for.
    package var bytesToGo: Int64? { pruner?.bytesToGo }

    /// Deletes a little of what is not kept any more, or gives a little room back: some milliseconds. Throws as a commit does;
    /// the next call goes on. `elapsed`: microseconds, of a clock that nobody sets.
    package func prune(at now: Int64, lived: Int64, elapsed: () -> Int64) throws(StoreError) -> PruneOutcome {
        guard let pruner, run != nil, unsettled == nil else { return .done }
        guard !checkpoint.isLong else { return .paused }
        try database.setSynchronous(full: false)
        let outcome = try pruner.step(at: now, lived: lived, elapsed: elapsed)
        if let before = pruner.eventsBefore { entries.forgetEpisodes(before: before) }
        return outcome
    }

    // MARK: commits

    /// What one commit holds, until it is known whether the store has it.
    private struct Attempt {
        var run: RunRows.Open
        let at: Int64
        let entries: Int
        var blocks: [FrameBlock]
        var shed: [Loss]
        let before: EntryRows.State
        var registered: [(done: Registration, units: [RegisteredProcessor])] = []
        /// What the receiver said of the last block.
        var completeUntil: Int64?
    }

    private func commit(samples: Bool, at now: Int64) throws(StoreError) {
        if unsettled != nil { try settle() }
        guard let run else { return }
        let batch = pending
        var attempt = Attempt(run: run, at: now, entries: batch.count, blocks: [], shed: [], before: entries.state)
        if samples { (attempt.blocks, attempt.shed) = queue.take() }
        attempt.completeUntil = attempt.blocks.last { $0.completeUntil != nil }?.completeUntil ?? completeUntil
        // Up to its last heartbeat a run that is killed counts as recorded: so nothing before it may still wait.
        let heartbeat = min(now, attempt.completeUntil ?? now)
        let doing = "write \(batch.count) entries and \(attempt.blocks.count) blocks of frames"
        do throws(StoreError) {
            // Events wait for the disk, samples do not.
            try database.setSynchronous(full: batch.contains(where: \.isUrgent))
            try database.transaction(doing) { () throws(StoreError) in
                for entry in batch { try write(entry) }
                for block in attempt.blocks { try frames.write(block) }
                for block in attempt.blocks { for loss in block.losses { try losses.add(loss) } }
                for loss in attempt.shed { try losses.add(loss) }
                try frames.writeCounts()
                for registration in samples ? registrations : [] {
                    let units = try runs.register(registration.processors, at: now)
                    try minutes.begin(units, at: now)
                    attempt.registered.append((registration, units))
                }
                try runs.beat(&attempt.run, at: heartbeat)
            }
        } catch {
            unsettled = attempt
            if try settle() { return }
            throw error
        }
        keep(&attempt)
    }

    /// A COMMIT that reports an error may be durable all the same; its number tells. Until that can be read, nothing is
    /// written. True: the store has it.
    @discardableResult
    private func settle() throws(StoreError) -> Bool {
        guard var attempt = unsettled, let run else { return false }
        try database.rollBack()
        let isStored = try runs.lastBatch(run) == attempt.run.batch && attempt.run.batch > run.batch
        unsettled = nil
        if isStored {
            keep(&attempt)
        } else {
            entries.state = attempt.before
            frames.forgetCounts()
            queue.putBack(attempt.blocks, shed: attempt.shed)
            pending = pending.condensed()
        }
        return isStored
    }

    private func keep(_ attempt: inout Attempt) {
        (run, committedAt, completeUntil) = (attempt.run, attempt.at, attempt.completeUntil)
        let blocks = attempt.blocks
        for block in blocks { totals.add(block) }
        for loss in attempt.shed { totals.add(loss) }
        attempt.blocks = []  // the queue uses their memory again only if nobody else holds it
        queue.finish(blocks)
        let stored = Array(pending.prefix(attempt.entries))
        for entry in stored { totals.add(entry) }
        pending.removeFirst(attempt.entries)
        checkpoint.runIfDue()
        if !stored.isEmpty { committed(stored) }
        registrations.removeFirst(attempt.registered.count)
        for (registration, units) in attempt.registered { registration.done(units) }
    }

    private func write(_ entry: Entry) throws(StoreError) {
        if let loss = try entries.write(entry) { try losses.add(loss) }
    }
}
