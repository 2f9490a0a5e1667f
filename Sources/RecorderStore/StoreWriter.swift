import AtlasProtocol
import CSQLite

/// Writes the store; owns the only read-write connection. Everything that fails to commit stays in memory and is tried
/// again: samples in the bounded `FrameQueue`, the rest in `pending`.
package actor StoreWriter {
    private let executor = StoreExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    let database: Database
    private let checkpoint: Checkpointer
    private let queue: FrameQueue
    private let runs: RunRows
    private let frames: FrameRows
    private let losses: LossRows
    private var entries: EntryRows
    private var pending: [Entry] = []
    private var run: RunRows.Open?
    private let committed: @Sendable ([Entry]) -> Void

    /// Opens or makes the store and takes its lock. Throws `.lockHeld` if another recorder writes it, `.notOurs` and
    /// `.schemaTooNew` for a file that is then left untouched, `.cannotOpen`.
    /// `committed` is told of entries once they are safely stored, in order.
    package init(
        path: String, holder: String, queue: FrameQueue, committed: @escaping @Sendable ([Entry]) -> Void
    ) throws(StoreError) {
        _ = try StoreFile.inspect(path)
        database = try Database(forWriting: path, lock: StoreLock(store: path, holder: holder))
        checkpoint = Checkpointer(database)
        runs = try RunRows(database)
        frames = try FrameRows(database)
        losses = try LossRows(database)
        entries = try EntryRows(database)
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
        }
        run = opened
        try entries.load()
        return registered
    }

    /// Runs `body` on the store's own thread, where waiting is allowed, until it returns; other calls wait for it.
    package func occupy(_ body: @Sendable (isolated StoreWriter) -> Void) { body(self) }

    /// Commits these entries with all that waited before them, and the samples that wait if `samples`. Called at least
    /// each second with `samples`, which writes the heartbeat too.
    package func commit(_ new: [Entry], samples: Bool, at now: Int64) throws(StoreError) {
        pending += new
        try commit(samples: samples, at: now)
    }

    /// How many entries wait for a store that refuses them.
    package var backlog: Int { pending.count }

    /// Commits what waits, ends the run as clean and gives the write-ahead log back to the file.
    package func finish(_ last: [Entry], at now: Int64) throws(StoreError) {
        pending += last
        try commit(samples: true, at: now)
        guard let run else { return }
        try database.setSynchronous(full: true)
        try database.transaction("end the run") { () throws(StoreError) in
            try runs.end(run, at: now)
        }
        self.run = nil
        checkpoint.run(emptyingLog: true)
    }

    private func commit(samples: Bool, at now: Int64) throws(StoreError) {
        guard var run else { return }
        let (blocks, shed) = samples ? queue.take() : ([], [])
        let batch = pending
        let before = entries.state
        // SQLite refuses this pragma inside a transaction. Events wait for the disk, samples do not.
        let doing = "write \(batch.count) entries and \(blocks.count) blocks of frames"
        do throws(StoreError) {
            try database.setSynchronous(full: batch.contains(where: \.isUrgent))
            do throws(StoreError) {
                try database.transaction(doing) { () throws(StoreError) in
                    for entry in batch { try write(entry) }
                    for block in blocks { try frames.write(block) }
                    for block in blocks { for loss in block.losses { try losses.add(loss) } }
                    for loss in shed { try losses.add(loss) }
                    try frames.writeCounts()
                    try runs.beat(&run, at: now)
                }
            } catch {
                // A COMMIT that reports an error may be durable all the same; its number tells.
                guard try runs.lastBatch(run) == run.batch, run.batch > self.run!.batch else { throw error }
            }
        } catch {
            entries.state = before
            frames.forgetCounts()
            if samples { queue.putBack(blocks, shed: shed) }
            throw error
        }
        self.run = run
        if samples { queue.finish(blocks) }
        pending.removeFirst(batch.count)
        checkpoint.runIfDue()
        if !batch.isEmpty { committed(batch) }
    }

    private func write(_ entry: Entry) throws(StoreError) {
        if case .loss(let loss) = entry { try losses.add(loss) } else { try entries.write(entry) }
    }
}
