import AtlasProtocol
import Locks
import Testing

@testable import RecorderStore

/// What the sweep over every fault (EveryFaultTests) has found, one by one.
@Suite(.timeLimit(.minutes(5)))
struct StoreFaultTests {
    private let folder = TemporaryFolder()

    @Test(
        "out of memory, so that not even ROLLBACK is possible: nothing is taken for stored that is not, and recording goes on"
    )
    func noMemoryToRollBack() async throws {
        let told = Mutex(0)
        let recording = try await Recording(folder.store) { entries in told.withLock { $0 += entries.count } }
        var (number, hits, point) = (Int64(0), 1, 1)
        while hits > 0 {
            number += 1
            let now = start + number * second
            let event = Entry.event(.init(processor: nil, at: now, link: nil, name: .clockStep))
            recording.feed([(Meter(.zone, 0), -1, now)])
            let outcome = await recording.writer.under(Injection(.noMemory, lasting: true, atPoint: point)) {
                writer throws(StoreError) in try writer.commit([event], samples: true, at: now)
            }
            (hits, point) = (outcome.0.hits, point + 1)
            try await recording.commit([], at: now)
            #expect(told.withLock { $0 } == Int(number), "point \(point)")
            #expect(try integer(folder.store, "SELECT count(*) FROM event") == number, "point \(point)")
            #expect(try integer(folder.store, "SELECT count(*) FROM meter_samples") == number, "point \(point)")
        }
        #expect(number > 20)
    }

    @Test("no memory for a text that is read from the store: it is not taken for one that is not there")
    func noMemoryToRead() async throws {
        let recording = try await Recording(folder.store)
        var (number, hits, point) = (0, 1, 0)
        while hits > 0 {
            let now = start + Int64(number) * second
            let entries: [Entry] = [
                .parameter(processor: recording.id, at: now, name: "ZoneName_0", value: .text("Name \(number)")),
                .change(
                    processor: recording.id, link: .control, state: .down(number % 2 == 0 ? .refused : .timeout),
                    since: now),
                .clockSet(at: now + 2, by: 1),
            ]
            let outcome = await recording.writer.under(Injection(.noMemory, lasting: false, atPoint: point)) {
                writer throws(StoreError) in try writer.commit(entries, samples: true, at: now)
            }
            if point > 0 { hits = outcome.0.hits }
            try await recording.commit([], at: now)
            (number, point) = (number + 1, point + 1)
        }
        #expect(
            try lines(folder.store, "SELECT detail FROM event WHERE event = 'renamed' ORDER BY id")
                == (1..<number).map { "ZoneMeter_0: Name \($0 - 1) -> Name \($0)" })
        #expect(
            try integer(folder.store, "SELECT count(*) FROM link_state WHERE link = 'control' AND state = 'down'")
                >= number)
        #expect(
            try integer(
                folder.store,
                """
                SELECT count(*) FROM (SELECT ended_us, lead(started_us) OVER (PARTITION BY link ORDER BY started_us) AS next_us
                                        FROM link_state) WHERE ended_us <> next_us
                """) == 0)
    }

    @Test("a disk that is full for long: the newest samples are kept up to the bound, and the ledger has the rest")
    func newestAreKept() async throws {
        let recording = try await Recording(folder.store, queue: FrameQueue(limit: 300_000))
        var disk = Injection(.noSpace, lasting: true, atPoint: 1)
        let seconds = Int64(90)
        for number in 0..<seconds {
            let now = start + number * second
            recording.feed((0..<12).map { (Meter(.zone, $0), -1, now) })
            let outcome = await recording.writer.under(disk) { writer throws(StoreError) in
                try writer.commit([], samples: true, at: now)
            }
            disk = outcome.0
            #expect(outcome.1?.kind == .full)
            #expect(recording.queue.footprint <= 300_000)
        }
        // There is room again: the next try is enough.
        try await recording.commit([], at: start + seconds * second)
        let kept = try integer(folder.store, "SELECT count(DISTINCT at_us) FROM meter_samples")
        #expect(kept >= 2)
        let first = start + (seconds - kept) * second
        #expect(
            try lines(folder.store, "SELECT DISTINCT at_us FROM meter_samples ORDER BY at_us")
                == (0..<kept).map { "\(first + $0 * second)" })
        #expect(
            try lines(folder.store, "SELECT reason, from_us, until_us, samples FROM sample_losses ORDER BY from_us")
                == [
                    "store_refused|\(start)|\(start + 59 * second)|\(60 * 12)",
                    "store_refused|\(start + minute)|\(first - second)|\((30 - kept) * 12)",
                ])
    }

    @Test("an error that goes on while the store refuses does not fill the memory, and is counted all the same")
    func errorsWhileRefused() async throws {
        func fault(_ seconds: Int64, _ code: String) -> Entry {
            .fault(
                SocketFault(
                    processor: nil, socket: .udp, operation: .bind, code: code, errno: 98, address: "0.0.0.0:3131",
                    message: nil, at: start + seconds * second))
        }
        // Two errors by turns for an hour, with one success in between.
        var entries: [Entry] = []
        for seconds in Int64(0)..<3_600 {
            if seconds == 1_800 {
                entries.append(.recovered(processor: nil, socket: .udp, operation: .bind, address: "0.0.0.0:3131"))
            }
            entries += [
                fault(seconds, seconds % 2 == 0 ? "EADDRINUSE" : "EACCES"), .seen(processor: 1, at: start + seconds),
            ]
        }
        let query = "SELECT code, count, first_us, last_us FROM socket_errors ORDER BY first_us"
        let minutes = "SELECT code, start_us, count FROM socket_error_minutes ORDER BY code, start_us"
        let seen = "SELECT first_seen, last_seen FROM processors"
        let recording = try await Recording(folder.store)
        try await recording.commit(entries, at: start + hour)
        let other = TemporaryFolder()
        let refused = try await Recording(other.store)
        var disk = Injection(.noSpace, lasting: true, atPoint: 1)
        for from in stride(from: 0, to: entries.count, by: 10) {
            let new = Array(entries[from..<min(from + 10, entries.count)])
            disk = await refused.writer.under(disk) { writer throws(StoreError) in
                try writer.commit(new, samples: false, at: start)
            }.0
        }
        #expect(await refused.writer.backlog <= 2 * 2 * 61 + 1 + 2)
        try await refused.commit([], at: start + hour)
        #expect(try lines(folder.store, query).count == 4)
        for query in [query, minutes, seen] {
            #expect(try lines(other.store, query) == lines(folder.store, query))
        }
    }

    @Test(
        "an end that fails anywhere goes on where it failed, and none fails over the minutes: the last are counted and the log is emptied"
    )
    func endGoesOn() async throws {
        let end = start + 5 * minute
        var (point, hits) = (1, 1)
        while hits > 0 {
            let folder = TemporaryFolder()
            let recording = try await Recording(folder.store)
            try await recording.commit(
                [.change(processor: recording.id, link: .meters, state: .up, since: start)], at: start)
            recording.feed([(Meter(.zone, 0), -1, start + second)])
            let outcome = await recording.writer.under(Injection(.busy, lasting: true, atPoint: point)) {
                writer throws(StoreError) in try writer.finish([], at: end)
            }
            (hits, point) = (outcome.0.hits, point + 1)
            let clean = "SELECT clean FROM recorder_run"
            #expect(try integer(folder.store, clean) == (outcome.1 == nil ? 1 : 0), "point \(point)")
            try await recording.writer.finish([], at: end)
            #expect(try integer(folder.store, clean) == 1, "point \(point)")
            try expectMinutes(folder.store, until: end, "point \(point)")
        }
        #expect(point > 10)
    }
}
