import AtlasProtocol
import CSQLite
import Foundation
import Testing

@testable import RecorderStore

/// The limit of a store's size.
@Suite(.timeLimit(.minutes(5)))
struct RetentionSizeTests: PruningBench {
    let folder = TemporaryFolder()

    /// Bytes of the store and its write-ahead log.
    private var size: Int64 {
        ["", "-wal"].reduce(0) { sum, suffix in
            let attributes = try? FileManager.default.attributesOfItem(atPath: folder.store + suffix)
            return sum + ((attributes?[.size] as? Int64) ?? 0)
        }
    }

    @Test("under load the files never take more than the limit and one commit; the newest samples are kept")
    func limit() async throws {
        let limit: Int64 = 10_000_000
        let recording = try await Recording(folder.store)
        try await recording.commit(
            [.change(processor: recording.id, link: .meters, state: .up, since: start)], at: start)
        let writer = recording.writer
        await writer.retain(Retention(samples: nil, minutes: nil, events: nil, size: limit), lived: 0)
        var unit = BusyUnit(recording, meters: 38)
        var (largest, written, now) = (Int64(0), 0, start)
        while now < start + 50 * minute {
            unit.feed(from: now, until: now + 15 * second, every: 20_000)
            now += 15 * second
            written += 750
            try await recording.commit([], at: now)
            _ = try await writer.countMinutes()
            var steps = 0
            while steps < 500, try await writer.pruned(at: now, lived: 0) == .more { steps += 1 }
            largest = max(largest, size)
        }
        print(
            "limit \(limit): at most \(largest) bytes, \(written) frames written, \(try integer(folder.store, "SELECT count(*) FROM frame")) left"
        )
        #expect(largest <= limit)
        #expect(largest > limit / 2)
        let left = try integer(folder.store, "SELECT count(*) FROM frame")
        #expect(left > 10_000 && left < written / 2)
        #expect(try integer(folder.store, "SELECT max(at_us) FROM frame") == now - 20_000)
        #expect(try lines(folder.store, "SELECT reason FROM retention WHERE kind = 'samples'") == ["size"])
        #expect(try lines(folder.store, "SELECT removed FROM retention WHERE kind <> 'samples'") == ["0", "0"])
        try expectSound()
    }

    @Test("a store that is larger than it may be from now on shrinks to that, file and all")
    func shrinks() async throws {
        var recording: Recording? = try await busy(minutes: 300, meters: 100)
        try await recording?.writer.finish([], at: start + 301 * minute)
        recording = nil
        let before = size
        #expect(before > 8_000_000)
        let again = try await again()
        try await again.writer.pruneAll(
            Retention(samples: nil, minutes: nil, events: nil, size: 10_000_000), at: start + 302 * minute)
        try await again.writer.finish([], at: start + 303 * minute)
        print("from \(before) to \(size) bytes")
        #expect(size <= 10_000_000 - RetentionPlan.logReserve)
        try expectSound()
    }

    private func again() async throws -> Recording {
        await waitUntilFree(folder.store)
        return try await Recording(folder.store, at: start + 302 * minute)
    }

    @Test("events alone that are too large are not deleted, and it is said how large they are")
    func exceeded() async throws {
        let recording = try await Recording(folder.store)
        for index in 0..<60 {
            try await recording.commit(
                [
                    .event(
                        .init(
                            processor: nil, at: start + Int64(index), link: nil, name: .renamed,
                            detail: String(repeating: "x", count: 100_000)))
                ],
                at: start + Int64(index))
        }
        await recording.writer.retain(Retention(samples: nil, minutes: nil, events: nil, size: 10_000_000), lived: 0)
        var outcome = PruneOutcome.more
        _ = try await recording.writer.pruned(at: start + hour, lived: 0)
        #expect(await recording.writer.bytesToGo ?? 0 > 1_000_000)
        // The size counts once there was time to see what it costs.
        let settled = RetentionPlan.settling
        while outcome == .more { outcome = try await recording.writer.pruned(at: start + hour, lived: settled) }
        #expect(await recording.writer.bytesToGo == nil)
        guard case .exceeded(let bytes) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(bytes > 6_000_000)
        #expect(try integer(folder.store, "SELECT count(*) FROM connection_events") == 60)
    }

    @Test("pages that nothing needs are given back, all but those that what comes next will need")
    func givenBack() async throws {
        let recording = try await busy(minutes: 300, meters: 100)
        let before = try integer(folder.store, "PRAGMA page_count")
        try await recording.writer.pruneAll(
            Retention(samples: minute, minutes: nil, events: nil, size: nil), at: start + 300 * minute)
        let (pages, free) = (
            try integer(folder.store, "PRAGMA page_count"), try integer(folder.store, "PRAGMA freelist_count")
        )
        #expect(before - pages > 500)
        #expect((400...1_024).contains(free))
        try expectSound()
    }
}
