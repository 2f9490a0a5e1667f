import Foundation
import Locks
import Testing

@testable import RecorderStore

@Suite struct StoreExaminationTests {
    private let folder = TemporaryFolder()

    @Test("the check of a whole store ends well, one that has no time says so")
    func integrity() async throws {
        let recording = try await Recording(folder.store)
        try await recording.writer.finish([], at: start + second)
        #expect(try StoreIntegrity.check(folder.store, .init(seconds: 60)) == .sound)
        // SQLite asks every 10,000 steps: the store has to be worth some.
        let database = try Database(path: folder.store, mode: .readWrite)
        try database.execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
            INSERT INTO frame (at_us, processor_id, levels) SELECT i, 1, 'x' FROM n
            """, doing: "fill")
        #expect(try StoreIntegrity.check(folder.store, .init(seconds: 60)) == .sound)
        #expect(try StoreIntegrity.check(folder.store, .init(seconds: 0)) == .unfinished)
    }

    @Test("who has the lock is seen without touching it, and how many stand by")
    func lock() async throws {
        #expect(StoreLock.state(forStore: folder.store) == .free)
        do {
            let holder = try StoreLock(store: folder.store, holder: "pid 7 since then")
            #expect(holder.predecessor == nil)
            #expect(StoreLock.state(forStore: folder.store) == .held(by: "pid 7 since then", waiting: 0))
            let store = folder.store
            let next = Mutex<String?>(nil)
            let thread = Thread {
                let lock = try? StoreLock(store: store, holder: "pid 8", waits: true)
                next.withLock { $0 = lock?.predecessor ?? "none" }
            }
            thread.start()
            while StoreLock.state(forStore: store) != .held(by: "pid 7 since then", waiting: 1) { await Task.yield() }
            #expect(next.withLock { $0 } == nil)
            withExtendedLifetime(holder) {}
        }
        // Let go of: whoever waited has had it, and knows after whom.
        while StoreLock.words(forStore: folder.store) != "pid 8" { await Task.yield() }
        while StoreLock.state(forStore: folder.store) != .free { await Task.yield() }
    }

    @Test("a lock on a file that was deleted keeps nobody out, so it is taken anew")
    func deletedLockFile() throws {
        let path = StoreLock.path(forStore: folder.store)
        let first = try StoreLock(store: folder.store, holder: "pid 1")
        #expect(unlink(path) == 0)
        let second = try StoreLock(store: folder.store, holder: "pid 2")
        #expect(StoreLock.state(forStore: folder.store) == .held(by: "pid 2", waiting: 0))
        withExtendedLifetime((first, second)) {}
    }

    @Test("the files with their rights, and what is no store")
    func files() async throws {
        #expect(StoreExamination(path: folder.store).files.isEmpty)
        let recording = try await Recording(folder.store)
        let examination = StoreExamination(path: folder.store)
        #expect(examination.files.map { $0.path.dropFirst(examination.path.count) } == ["", "-wal", "-shm", ".lock"])
        #expect(examination.files.allSatisfy { $0.mode == 0o640 && $0.isReadable })
        #expect(examination.lock == .held(by: "test", waiting: 0))
        let free = try #require(examination.freeBytes)
        #expect(free > 0)
        #expect(StoreExamination(path: folder.path + "/none/s.sqlite").freeBytes == nil)
        try await recording.writer.finish([], at: start + second)
    }

    @Test("the last run and each unit's links, as the last run knew them")
    func state() async throws {
        do {
            let recording = try await Recording(folder.store, [mainBar, patio])
            try await recording.commit(
                [.change(processor: recording.id, link: .control, state: .up, since: start + second)],
                at: start + 2 * second)
            let run = try #require(try StoreReader(path: folder.store).lastRun())
            #expect(run.pid == 4711 && run.ended == nil && run.heartbeat == start + 2 * second)
            let units = try StoreReader(path: folder.store).processorStates()
            #expect(units.map(\.spec.name) == ["Main Bar", "Patio"])
            #expect(units[0].control?.state == "up")
            #expect(units[0].control?.since == start + second)
            #expect(units[1].control?.cause == "recorder_starting")
            #expect(units.map(\.isConfigured) == [true, true])
            try await recording.writer.finish([], at: start + 3 * second)
        }
        await waitUntilFree(folder.store)
        // The next run leaves the second one out.
        let next = try await Recording(folder.store, [mainBar], at: start + minute)
        #expect(try StoreReader(path: folder.store).processorStates().map(\.isConfigured) == [true, false])
        #expect(try StoreReader(path: folder.store).kernelDrops(since: start) == 0)
        try await next.writer.finish([], at: start + 2 * minute)
    }

    @Test(
        "which versions of SQLite are free of the WAL-reset bug",
        arguments: [
            (3_040_001, false), (3_044_005, false), (3_044_006, true), (3_045_000, false), (3_050_006, false),
            (3_050_007, true), (3_051_000, false), (3_051_002, false), (3_051_003, true), (3_053_001, true),
        ])
    func versions(number: Int32, isFree: Bool) {
        #expect(SQLiteLibrary.isFreeOfWALBug(number) == isFree)
    }
}
