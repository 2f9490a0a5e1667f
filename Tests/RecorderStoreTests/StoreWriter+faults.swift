import CSQLite

@testable import RecorderStore

/// Real faults, put into the writer's own connection.
extension StoreWriter {
    func contents() throws -> [String] {
        let tables = try Statement(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'recorder_run'", on: database)
        var result: [String] = []
        while try tables.step() {
            let name = tables.text(0) ?? ""
            let all = try Statement("SELECT * FROM \(name)", on: database)
            while try all.step() {
                result.append(name + (0..<Int32(all.columnCount)).map { all.value($0).shown }.joined(separator: "|"))
            }
        }
        return result
    }

    /// A commit that SQLite is told to break off at its `check`-th look.
    func commit(
        _ entries: [Entry], registering units: [Registration] = [], at now: Int64, interruptedAtCheck check: Int
    ) -> (failure: StoreError?, isPast: Bool) {
        let interruption = Interruption(database, atCheck: check)
        var failure: StoreError?
        do throws(StoreError) { try commit(entries, registering: units, samples: true, at: now) } catch {
            failure = error
        }
        return (failure, interruption.isAhead)
    }

    /// The same for the minutes.
    func countMinutes(interruptedAtCheck check: Int) -> (failure: StoreError?, isPast: Bool) {
        let interruption = Interruption(database, atCheck: check)
        var failure: StoreError?
        do throws(StoreError) { while try countMinutes() {} } catch { failure = error }
        return (failure, interruption.isAhead)
    }

    func setBusyTimeout(_ milliseconds: Int32) { sqlite3_busy_timeout(database.handle, milliseconds) }

    /// Ends the run, and counts how often SQLite asked whether to wait for somebody else.
    func finishCountingWaits(at now: Int64) throws -> Int {
        let count = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        count.initialize(to: 0)
        defer { count.deallocate() }
        sqlite3_busy_handler(database.handle, countWait, count)
        try finish([], at: now)
        sqlite3_busy_handler(database.handle, nil, nil)
        return count.pointee
    }

    /// The number of pages it has now; it may have no more than `count` (or what it has).
    func limitPages(to count: Int64) throws -> Int64 {
        try database.integer("PRAGMA max_page_count = \(count)", doing: "fill the disk")
    }

    /// SQLite's own hook after a commit to the log: what it returns becomes COMMIT's result, though all is written.
    /// `alsoReading`: nothing can be read from then on.
    func failAfterCommit(_ on: Bool = true, alsoReading: Bool = false) {
        switch (on, alsoReading) {
        case (false, _): sqlite3_wal_hook(database.handle, nil, nil)
        case (true, false): sqlite3_wal_hook(database.handle, refuse, nil)
        case (true, true): sqlite3_wal_hook(database.handle, refuseAll, nil)
        }
        sqlite3_progress_handler(database.handle, 0, nil, nil)
    }
}

private func countWait(_ context: UnsafeMutableRawPointer?, _: Int32) -> Int32 {
    context?.assumingMemoryBound(to: Int.self).pointee += 1
    return 0  // do not wait
}

private func refuse(_: UnsafeMutableRawPointer?, _: OpaquePointer?, _: UnsafePointer<CChar>?, _: Int32) -> Int32 {
    SQLITE_IOERR
}

private func refuseAll(
    _: UnsafeMutableRawPointer?, _ database: OpaquePointer?, _: UnsafePointer<CChar>?, _: Int32
) -> Int32 {
    sqlite3_progress_handler(database, 1, { _ in 1 }, nil)
    return SQLITE_IOERR
}
