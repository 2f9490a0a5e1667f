import AtlasProtocol
import Foundation
import Locks
import Testing

@testable import RecorderStore

/// What a failed commit must not do: lose, double or reorder anything.
@Suite struct WriterTests {
    private let folder = TemporaryFolder()

    /// One of everything: two units' frames, lone values, an event, a state, errors, parameters and losses.
    private static func entries(_ id: Int32, at now: Int64) -> [Entry] {
        [
            .event(.init(processor: id, at: now, link: .control, name: .connected)),
            .change(processor: id, link: .control, state: .up, since: now),
            .fault(fault(id, at: now)), .fault(fault(id, at: now + 1)),
            .parameter(processor: id, at: now, name: "ZoneName_0", value: .text("Main Bar")),
            .parameter(processor: id, at: now + 1, name: "ZoneName_0", value: .text("Front Bar")),
            .parameter(processor: id, at: now, name: "ZoneGain_0", value: .real(-3.5)),
            .seen(processor: id, at: now),
            .loss(Loss(processor: id, reason: .unreadable, at: now, datagrams: 0, samples: 2)),
        ]
    }

    private static func fault(_ id: Int32, at now: Int64) -> SocketFault {
        SocketFault(
            processor: id, socket: .udp, operation: .bind, code: "EADDRINUSE", errno: 98, address: "0.0.0.0:3131",
            holder: "node (pid 2211)", message: "Address already in use", at: now)
    }

    private static func readings(at now: Int64) -> [(Meter, Double, Int64)] {
        let tick = (0..<12).map { (Meter(.zone, UInt8($0)), -Double($0), now) }
        return tick + [(Meter(.mix, 0), -20.15, now + 100_000), (Meter(.mix, 0), -20.25, now + 200_000)]
    }

    /// Everything that the tables hold, as one list; without the heartbeat and the batch, which count the tries.
    private func contents() throws -> [String] {
        let tables = [
            "event", "link_state", "socket_error", "socket_error_minute", "meter_label", "parameter_change",
            "processor",
            "meter", "frame", "sample", "latest_level", "sample_minute", "sample_loss",
        ]
        return try tables.flatMap { table in try lines(folder.store, "SELECT '\(table)', * FROM \(table)") }
    }

    @Test("a commit cut off at any point stores all or nothing, and a retry completes it", .timeLimit(.minutes(5)))
    func cutOffAtAnyPoint() async throws {
        let now = start + minute
        var wanted: [String]?
        var check = 1
        while check < 100_000 {
            defer { check += check < 60 ? 1 : 31 }  // a prime, so that loops are cut at each of their instructions
            let folder = TemporaryFolder()
            let told = Mutex<Int>(0)
            let recording = try await Recording(folder.store, [mainBar, patio]) { entries in
                told.withLock { $0 += entries.count }
            }
            recording.feed(Self.readings(at: now))
            recording.feed(Self.readings(at: now + 7), processor: 1)
            let entries = Self.entries(recording.id, at: now)
            let before = try await recording.writer.contents()
            let outcome = await recording.writer.commit(entries, at: now, interruptedAtCheck: check)
            if outcome.failure != nil {
                #expect(try await recording.writer.contents() == before, "check \(check)")
                #expect(told.withLock { $0 } == 0)
                try await recording.commit([], at: now)
            }
            let after = try await recording.writer.contents()
            wanted = wanted ?? after
            #expect(after == wanted, "check \(check)")
            #expect(told.withLock { $0 } == entries.count)
            #expect(recording.queue.take().blocks.isEmpty)
            if outcome.isPast { return }
        }
        Issue.record("never ran to the end")
    }

    @Test("while another connection holds the write lock nothing is lost, and all is recorded after")
    func busy() async throws {
        let recording = try await Recording(folder.store)
        await recording.writer.setBusyTimeout(0)
        let other = try Database(path: folder.store, mode: .readWrite)
        try other.execute("BEGIN IMMEDIATE", doing: "hold the lock")
        for round in 0..<3 {
            let now = start + Int64(round) * minute
            recording.feed(Self.readings(at: now))
            let error = await #expect(throws: StoreError.self) {
                try await recording.commit(Self.entries(recording.id, at: now), at: now)
            }
            #expect(error?.kind == .busy)
        }
        #expect(await recording.writer.backlog == 3 * 8 + 2)  // of when it was heard from the first and the last wait
        try other.execute("COMMIT", doing: "let go")
        try await recording.commit([], at: start + hour)
        #expect(try integer(folder.store, "SELECT count(*) FROM meter_samples") == 3 * 14)
        #expect(
            try lines(folder.store, "SELECT event FROM connection_events ORDER BY at_us") == [
                "connected", "renamed", "connected", "renamed", "renamed", "connected", "renamed", "renamed",
            ])
        #expect(try integer(folder.store, "SELECT sum(count) FROM socket_errors") == 6)
        #expect(try integer(folder.store, "SELECT sum(samples) FROM sample_losses") == 6)
        #expect(await recording.writer.backlog == 0)
    }

    @Test("what waits for a store that refuses is condensed, and what is dropped is counted")
    func condensed() {
        let entries: [Entry] = (0..<10).flatMap { second in
            [
                .parameter(processor: 1, at: start + second, name: "Made_\(second)", value: .integer(1)),
                .seen(processor: 1, at: start + second), .seen(processor: 2, at: start + second),
                .event(.init(processor: 1, at: start + second, link: .control, name: .connected)),
            ]
        }
        let kept = entries.condensed(limit: 4)
        var (parameters, events, seen, lost) = (0, [Int64](), [Int64](), 0)
        for entry in kept {
            switch entry {
            case .parameter: parameters += 1
            case .event(let event): events.append(event.at - start)
            case .seen(_, let at): seen.append(at - start)
            case .loss(let loss): lost += loss.datagrams
            default: Issue.record("\(entry)")
            }
        }
        #expect(parameters == 4 && lost == 6 && seen == [0, 0, 9, 9] && events == Array(0..<10))
        #expect(kept.condensed(limit: 4).count == kept.count)
    }

    @Test("a full disk loses nothing: what it refused is recorded once there is room")
    func diskFull() async throws {
        let recording = try await Recording(folder.store, queue: FrameQueue(limit: .max))
        let pages = try await recording.writer.limitPages(to: 1)
        var fed = 0
        var failures = 0
        for round in 0..<40 {
            let now = start + Int64(round) * minute
            for tick in 0..<20 { recording.feed(Self.readings(at: now + Int64(tick) * second)) }
            fed += 20 * 14
            do {
                try await recording.commit(Self.entries(recording.id, at: now), at: now)
            } catch let error as StoreError {
                #expect(error.kind == .full)
                failures += 1
            }
        }
        #expect(failures > 0)
        _ = try await recording.writer.limitPages(to: Int64(pages) + 100_000)
        try await recording.writer.finish([], at: start + hour)
        #expect(try integer(folder.store, "SELECT count(*) FROM meter_samples") == Int64(fed))
        #expect(try integer(folder.store, "SELECT sum(stored) FROM sample_minute") == Int64(fed))
        #expect(try integer(folder.store, "SELECT count(*) FROM connection_events WHERE event = 'connected'") == 40)
        #expect(try rows(folder.store, "PRAGMA integrity_check") == [[.text("ok")]])
    }

    @Test("a COMMIT that reports an error though it is durable is not written twice")
    func commitInDoubt() async throws {
        let recording = try await Recording(folder.store)
        let now = start + minute
        recording.feed(Self.readings(at: now))
        await recording.writer.failAfterCommit()
        try await recording.commit(Self.entries(recording.id, at: now), at: now)
        let once = try contents()
        #expect(try integer(folder.store, "SELECT count(*) FROM meter_samples") == 14)
        await recording.writer.failAfterCommit(false)
        try await recording.commit([], at: now + second)
        #expect(try contents() == once)
        #expect(await recording.writer.backlog == 0)
        recording.feed(Self.readings(at: now + minute))
        try await recording.commit([], at: now + minute)
        #expect(try integer(folder.store, "SELECT count(*) FROM meter_samples") == 28)
    }

    @Test("a COMMIT whose outcome cannot be read at first is not written twice either")
    func commitLongInDoubt() async throws {
        let recording = try await Recording(folder.store)
        let now = start + minute
        recording.feed(Self.readings(at: now))
        await recording.writer.failAfterCommit(alsoReading: true)
        for _ in 0..<2 {
            await #expect(throws: StoreError.self) {
                try await recording.commit(Self.entries(recording.id, at: now), at: now)
            }
        }
        recording.feed(Self.readings(at: now + minute))
        await recording.writer.failAfterCommit(false)
        try await recording.commit([], at: now + minute)
        #expect(try integer(folder.store, "SELECT count(*) FROM meter_samples") == 28)
        #expect(try integer(folder.store, "SELECT sum(count) FROM socket_errors") == 4)
        #expect(try integer(folder.store, "SELECT count(*) FROM event WHERE event = 'connected'") == 2)
        #expect(await recording.writer.backlog == 0)
    }

    @Test("after a failed commit the caches hold what the store holds")
    func cachesAfterRollback() async throws {
        let recording = try await Recording(folder.store)
        let now = start + minute
        for check in stride(from: 3, to: 400, by: 13) {
            recording.feed(Self.readings(at: now + Int64(check) * second))
            _ = await recording.writer.commit(Self.entries(recording.id, at: now), at: now, interruptedAtCheck: check)
            try await recording.commit([], at: now)
            let (counted, minutes) = (
                try integer(folder.store, "SELECT sum(count) FROM socket_errors"),
                try integer(folder.store, "SELECT sum(count) FROM socket_error_minutes")
            )
            #expect(counted == minutes && counted % 2 == 0)
            let samples = try integer(folder.store, "SELECT count(*) FROM meter_samples")
            #expect(samples == (try integer(folder.store, "SELECT sum(stored) FROM sample_minute")))
        }
        #expect(try rows(folder.store, "PRAGMA foreign_key_check").isEmpty)
        #expect(try integer(folder.store, "SELECT count(*) FROM socket_errors") == 1)
    }

    @Test("entries are stored and told in the order they came, over commits that fail")
    func order() async throws {
        let told = Mutex<[Int64]>([])
        let recording = try await Recording(folder.store) { entries in
            let times = entries.compactMap { if case .event(let event) = $0 { event.at } else { nil } }
            told.withLock { $0 += times }
        }
        for number in Int64(1)...60 {
            let event = Entry.event(.init(processor: nil, at: start + number, link: nil, name: .clockStep))
            _ = await recording.writer.commit(
                [event], at: start + number, interruptedAtCheck: number % 3 == 0 ? 1_000_000 : 2)
        }
        #expect(told.withLock { $0 } == (1...60).map { start + $0 })
        #expect(try lines(folder.store, "SELECT at_us - \(start) FROM event ORDER BY id") == (1...60).map { "\($0)" })
    }

    @Test("the log is moved into the file now and then, and emptied by a clean end")
    func checkpoints() async throws {
        let recording = try await Recording(folder.store)
        func size(_ suffix: String) -> Int {
            (try? FileManager.default.attributesOfItem(atPath: folder.store + suffix)[.size] as? Int) ?? -1
        }
        var largest = 0
        for round in 0..<400 {
            let now = start + Int64(round) * minute
            for tick in 0..<10 { recording.feed(Self.readings(at: now + Int64(tick) * second)) }
            try await recording.commit(Self.entries(recording.id, at: now), at: now)
            largest = max(largest, size("-wal"))
        }
        #expect(largest > 0 && largest < 6 * 1024 * 1024)
        try await recording.writer.finish([], at: start + hour)
        #expect(size("-wal") == 0 && size("-shm") > 0)
    }
}
