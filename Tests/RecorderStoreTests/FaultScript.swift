import AtlasProtocol
import Locks
import Testing

@testable import RecorderStore

/// Two minutes of a recorder's life with everything that the writer does, from an empty folder to a clean end, and a fault
/// somewhere in it; the writer is driven as the recorder drives it. What must hold in the end is checked by `expectWhole`.
struct FaultScript {
    static let rounds = 9
    /// Room for two blocks: a fault that lasts makes the queue shed.
    static let queueLimit = 260_000
    /// How often a lasting fault is run into before it is lifted.
    static let patience = 3

    let store: String
    private(set) var injection: Injection
    /// A recorder that cannot begin ends, and whoever keeps it running starts it again.
    private(set) var restarts = 0
    private var failures = 0
    private(set) var lastFailure: StoreError?
    private let told = Told()
    private var unit = FedUnit()
    private var events: [Int64] = []
    private var faults = 0

    init(_ store: String, _ injection: Injection) { (self.store, self.injection) = (store, injection) }

    /// The times of the events that the writer has told of.
    private final class Told: Sendable {
        let times = Mutex<[Int64]>([])
        func add(_ entries: [Entry]) {
            let new = entries.compactMap {
                if case .event(let event) = $0, event.name == .connected { event.at } else { nil }
            }
            times.withLock { $0 += new }
        }
    }

    mutating func run() async throws {
        let queue = FrameQueue(limit: Self.queueLimit)
        let (writer, processor) = try await begin(queue)
        for round in 0..<Self.rounds {
            let now = start + Int64(round) * 15 * second
            _ = queue.exchange(unit.block(processor, at: now))
            let entries = entries(processor.id, round: round, at: now)
            await note(
                writer.under(injection) { writer throws(StoreError) in
                    try writer.commit(entries, samples: true, at: now)
                })
            #expect(queue.footprint <= Self.queueLimit)
            await note(
                writer.under(injection) { writer throws(StoreError) in
                    _ = try writer.countMinutes()
                    if round == 6 { writer.checkpoint.run(emptyingLog: false) }
                })
        }
        let end = Self.end
        var isFinished = false
        for _ in 0..<10 where !isFinished {
            let before = failures
            await note(writer.under(injection) { writer throws(StoreError) in try writer.finish([], at: end) })
            isFinished = failures == before
        }
        #expect(isFinished, "\(String(describing: lastFailure))")
        // A fault in the minutes fails no end; they are left for later.
        injection.lift()
        await note(writer.under(injection) { writer throws(StoreError) in try writer.finish([], at: end) })
    }

    static let end = start + Int64(rounds) * 15 * second

    private mutating func note(_ outcome: (Injection, StoreError?)) {
        (injection, lastFailure) = (outcome.0, outcome.1 ?? lastFailure)
        if outcome.1 != nil { failures += 1 }
        if failures >= Self.patience { injection.lift() }
    }

    private mutating func begin(_ queue: FrameQueue) async throws -> (StoreWriter, RegisteredProcessor) {
        for _ in 0..<10 {
            var opened: StoreWriter?
            let failure = injection.during { () throws(StoreError) in
                opened = try StoreWriter(path: store, holder: "test", queue: queue) { [told] in told.add($0) }
            }
            note((injection, failure))
            if let writer = opened {
                let registered = Mutex<RegisteredProcessor?>(nil)
                await note(
                    writer.under(injection) { writer throws(StoreError) in
                        let processors = try writer.begin(.test, processors: [mainBar], at: start)
                        registered.withLock { $0 = processors.first }
                    })
                if let processor = registered.withLock({ $0 }) { return (writer, processor) }
                restarts += 1
            }
            opened = nil
            await waitUntilFree(store)
        }
        throw StoreError(
            .other, message: "it never begins: \(String(describing: lastFailure))", doing: "begin", path: store)
    }

    private mutating func entries(_ id: Int32, round: Int, at now: Int64) -> [Entry] {
        var entries: [Entry] = [
            .parameter(processor: id, at: now, name: "ZoneGain_0", value: .real(Double(-round))),
            .loss(Loss(processor: id, reason: .kernelDrop, at: now, datagrams: 1, samples: nil)),
            .seen(processor: id, at: now),
        ]
        guard round % 3 != 1 else { return entries }  // a commit that does not wait for the disk
        entries += [
            .event(.init(processor: id, at: now, link: .control, name: .connected)),
            .change(processor: id, link: .control, state: round % 2 == 0 ? .up : .down(.refused), since: now),
            .change(processor: id, link: .meters, state: .up, since: now),
            .fault(
                SocketFault(
                    processor: id, socket: .udp, operation: .bind, code: "EADDRINUSE", errno: 98,
                    address: "0.0.0.0:3131", holder: "node (pid 2211)", message: "Address already in use", at: now)),
            .parameter(processor: id, at: now, name: "ZoneName_0", value: .text("Name \(round)")),
        ]
        if round == 5 {
            entries.append(.recovered(processor: id, socket: .udp, operation: .bind, address: "0.0.0.0:3131"))
        }
        events.append(now)
        faults += 1
        return entries
    }

    // MARK: afterwards

    /// Everything that the store holds but for what tells one run of the program from another.
    func contents() throws -> [String] {
        let tables = try lines(
            store, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'recorder_run' ORDER BY name")
        return try lines(store, "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
            + tables.flatMap { table in try lines(store, "SELECT '\(table)', * FROM \(table)").sorted() }
    }

    /// What holds whatever happened: the file is whole, every value is accounted for, every event is there once and in
    /// order, the links' time has neither hole nor overlap.
    func expectWhole(_ place: Comment) throws {
        #expect(try lines(store, "PRAGMA integrity_check") == ["ok"], place)
        #expect(try rows(store, "PRAGMA foreign_key_check").isEmpty, place)
        let sums = try lines(
            store,
            """
            SELECT sum(received), sum(received - stored - duplicate - lost), sum(stored) - (SELECT count(*) FROM meter_samples),
                   sum(datagrams), sum(received <> stored + duplicate + lost)
              FROM sample_counts
            """)
        #expect(sums == ["\(unit.values)|0|0|\(Self.rounds)|0"], place)
        let lost = try lines(
            store,
            """
            SELECT DISTINCT reason FROM sample_losses
             WHERE samples > 0 AND reason NOT IN ('unreadable', 'kernel_drop')
            """)
        #expect(lost.isEmpty || (lost == ["store_refused"] && injection.isLasting), place)
        #expect(
            try integer(store, "SELECT sum(datagrams) FROM sample_losses WHERE reason = 'kernel_drop'")
                == Int64(Self.rounds), place)
        #expect(told.times.withLock { $0 } == events, place)
        #expect(
            try lines(store, "SELECT at_us FROM event WHERE event = 'connected' ORDER BY id") == events.map { "\($0)" },
            place)
        #expect(try integer(store, "SELECT sum(count) FROM socket_errors") == Int64(faults), place)
        #expect(try integer(store, "SELECT sum(count) FROM socket_error_minutes") == Int64(faults), place)
        #expect(
            try lines(
                store, "SELECT value, coalesce(previous, '') FROM parameter_changes WHERE parameter = 'ZoneGain_0'")
                == (0..<Self.rounds).map { "\(Double(-$0))|\($0 == 0 ? "" : "\(Double(1 - $0))")" }, place)
        #expect(
            try lines(
                store,
                """
                SELECT link, min(started_us), max(ended_us), sum(ended_us - started_us), sum(ended_us IS NULL)
                  FROM link_state GROUP BY link
                """) == ["control", "meters"].map { "\($0)|\(start)|\(Self.end)|\(Self.end - start)|0" }, place)
        #expect(
            try lines(store, "SELECT clean, ended_us FROM recorder_run ORDER BY run DESC LIMIT 1") == ["1|\(Self.end)"],
            place)
        try expectMinutes(store, until: Self.end, place)
    }

    var hasLostSamples: Bool {
        get throws { try integer(store, "SELECT count(*) FROM sample_losses WHERE reason = 'store_refused'") > 0 }
    }
}

/// A unit's datagrams: each with twelve zones, one mix alone and one value that cannot be read.
private struct FedUnit {
    private var assembler: FrameAssembler?
    private var ledger: ReceiveLedger?
    private(set) var values = 0

    mutating func block(_ processor: RegisteredProcessor, at now: Int64) -> FrameBlock {
        var assembler = assembler ?? FrameAssembler(processor: processor.id, slots: processor.slots)
        var ledger = ledger ?? ReceiveLedger(processor: processor.id)
        var block = FrameBlock()
        ledger.begin(minuteOf: now)
        var content = DatagramReader.Content()
        (content.readings, content.unreadableValues) = (13, 1)
        ledger.count(content, length: 600, truncated: false, at: now)
        for zone in UInt8(0)..<12 {
            _ = assembler.take(Reading(meter: Meter(.zone, zone), level: -Double(zone)), at: now, into: &block)
        }
        _ = assembler.take(Reading(meter: Meter(.mix, 0), level: -20.15), at: now + 100_000, into: &block)
        assembler.close(into: &block)
        assembler.summarize(into: &block)
        ledger.handOver(keeping: 0, into: &block)
        (self.assembler, self.ledger) = (assembler, ledger)
        values += 14
        return block
    }
}
