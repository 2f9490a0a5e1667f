import AtlasProtocol
import Foundation
import Locks
import Logging
import RecorderStore
import Testing

@testable import Recorder

/// The writer as it runs in a recorder, with more to write than it has time for.
@Suite(.timeLimit(.minutes(5)))
struct PruningUnderLoadTests {
    private let path = NSTemporaryDirectory() + "pruning-\(UUID().uuidString).sqlite"
    private static let limit = 20_000

    /// Puts the next entry as soon as one is stored, so that there is always one, until something was deleted.
    private final class Load: Sendable {
        let outbox = EntryOutbox()
        let commits = Mutex(0)
        let path: String

        init(_ path: String) { self.path = path }

        func next() {
            let count = commits.withLock { commits in
                commits += 1
                return commits
            }
            guard count < PruningUnderLoadTests.limit, count % 200 != 0 || !isPruned else { return outbox.close() }
            outbox.put([.event(.init(processor: nil, at: Int64(count), link: nil, name: .renamed, detail: nil))])
        }

        private var isPruned: Bool {
            let rows = try? StoreReader(path: path).query("SELECT sum(removed) > 0 FROM retention").rows
            return rows?.first?.first == .integer(1)
        }
    }

    @Test("a store is pruned also where an entry waits after each commit")
    func entries() async throws {
        defer {
            for suffix in ["", "-wal", "-shm", ".lock"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }
        let load = Load(path)
        let queue = FrameQueue()
        let writer = try StoreWriter(path: path, holder: "test", queue: queue) { _ in load.next() }
        let clock = RecorderClock()
        let retention = Retention(samples: nil, minutes: nil, events: nil, size: 10_000_000)
        _ = try await writer.begin(
            RunStart(version: "test", pid: 1, host: "test"),
            processors: [ProcessorSpec(name: "Bar", host: "127.0.0.1", controlPort: 5321)], at: clock.wallNow)
        // The limit is in force before there is more than that.
        try await writer.occupy { writer in
            writer.retain(retention, lived: 0)
            return Result { _ = try writer.prune(at: clock.wallNow, lived: 0) { 0 } }
        }.get()
        let other = try Process.run(URL(fileURLWithPath: "/usr/bin/env"), arguments: ["sqlite3", path, Self.minutes])
        other.waitUntilExit()
        try #require(other.terminationStatus == 0)
        load.next()
        let loop = WriterLoop(
            writer: writer, verdict: StoreVerdict(), outbox: load.outbox, queue: queue, clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, retention: retention,
            feed: Feed())
        guard case .closed = await loop.run() else {
            Issue.record("it ended otherwise")
            return
        }
        #expect(load.commits.withLock { $0 } < Self.limit)
    }

    @Test("what is not urgent waits for what is, or for the next samples, and is then written with it, in order")
    func together() {
        let outbox = EntryOutbox()
        func put(_ at: Int64, _ name: LinkEvent.Name?) {
            outbox.put([
                name.map { .event(.init(processor: nil, at: at, link: nil, name: $0, detail: nil)) }
                    ?? .parameter(processor: 1, at: at, name: "ZoneGain_0", value: .integer(at))
            ])
        }
        put(1, nil)
        #expect(outbox.take(at: 0, onlyUrgent: true).isEmpty)
        put(2, .renamed)
        put(3, nil)
        #expect(outbox.take(at: 0, onlyUrgent: true).map(\.isUrgent) == [false, true, false])
        put(4, nil)
        #expect(outbox.take(at: 0, onlyUrgent: true).isEmpty)
        #expect(outbox.take(at: 0).count == 1)
    }

    /// More than the limit of meters' minutes from long ago.
    private static let minutes = """
        INSERT INTO meter (id, processor_id, slot, name) VALUES (1, 1, 1, 'ZoneMeter_0');
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
        INSERT INTO meter_minute (start_us, meter_id, samples, level_us, silent_us, known_us)
        SELECT i * 60000000, 1, 1, -1000000, 0, 60000000 FROM n;
        """
}
