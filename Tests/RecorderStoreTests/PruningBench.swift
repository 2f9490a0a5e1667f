import AtlasProtocol
import Testing

@testable import RecorderStore

/// A store with something in it that can be deleted.
protocol PruningBench {
    var folder: TemporaryFolder { get }
}

extension PruningBench {
    /// One unit with 12 meters, frames and lone values, two a second, for so many minutes from `start` on; all counted. The
    /// clock shows their end then.
    func busy(minutes: Int, meters count: Int = 12, path: String? = nil) async throws -> Recording {
        let recording = try await Recording(path ?? folder.store)
        try await recording.commit(
            [.change(processor: recording.id, link: .meters, state: .up, since: start)], at: start)
        var unit = BusyUnit(recording, meters: count)
        for index in 0..<minutes {
            let begin = start + Int64(index) * minute
            unit.feed(from: begin, until: begin + minute)
            try await recording.commit([], at: begin + minute + 4 * second)
        }
        while try await recording.writer.countMinutes() {}
        return recording
    }

    /// Ten runs of a day each with everything that is an event.
    func liveThroughDays() async throws {
        for day in 0..<10 {
            let begin = start + Int64(day) * Retention.day
            let recording = try await Recording(folder.store, at: begin)
            let id = recording.id
            for hour in 0..<24 {
                let now = begin + Int64(hour) * 3_600 * second
                try await recording.commit(
                    [
                        .event(.init(processor: id, at: now, link: .control, name: .connected)),
                        .change(
                            processor: id, link: .control, state: hour % 2 == 0 ? .up : .down(.refused), since: now),
                        .change(
                            processor: id, link: .meters, state: hour % 3 == 0 ? .down(.controlDown) : .up, since: now),
                        .fault(
                            SocketFault(
                                processor: id, socket: .udp, operation: .bind, code: "EADDRINUSE", errno: 98,
                                address: "0.0.0.0:3131", message: "Address already in use", at: now, count: 3)),
                        .parameter(processor: id, at: now, name: "ZoneGain_0", value: .integer(Int64(day * 24 + hour))),
                        .loss(Loss(processor: id, reason: .kernelDrop, at: now, datagrams: 1, samples: nil)),
                    ]
                        + (day + hour == 0
                            ? [.parameter(processor: id, at: now, name: "ZoneMute_0", value: .integer(1))] : []),
                    at: now)
                var unit = BusyUnit(recording, meters: 1)
                unit.feed(from: now + second, until: now + second + 1)
                try await recording.commit([], at: now + 10 * second)
            }
            try await recording.writer.finish([], at: begin + Retention.day - second)
        }
        await waitUntilFree(folder.store)
    }

    /// What `check` asks.
    func expectSound(_ place: Comment = "", path: String? = nil) throws {
        let invariants = try StoreInvariants(path: path ?? folder.store)
        #expect(try invariants.faults() == [], place)
        for invariant in StoreInvariants.all {
            let found = try invariants.violations(of: invariant)
            #expect(found.count == 0, "\(invariant.rule): \(found.first) \(place)")
        }
    }
}

/// Feeds a recording: a frame and a lone value each half a second, the same for the same time.
struct BusyUnit {
    private let recording: Recording
    private var assembler: FrameAssembler
    private var generator = SeededGenerator(seed: 6)
    private let meters: [Meter]

    init(_ recording: Recording, meters count: Int) {
        self.recording = recording
        assembler = FrameAssembler(processor: recording.id, slots: recording.processors[0].slots)
        meters = (0..<count).map { Meter(name: "ZoneMeter_\($0)")! }
    }

    /// All within one minute.
    mutating func feed(from: Int64, until: Int64, every step: Int64 = second / 2) {
        var block = FrameBlock()
        var (at, values) = (from, 0)
        while at < until {
            for meter in meters {
                let level = Double(Int.random(in: -800...0, using: &generator)) / 10
                precondition(assembler.take(Reading(meter: meter, level: level), at: at, into: &block) == .taken)
            }
            assembler.close(into: &block)
            precondition(
                assembler.take(Reading(meter: meters[0], level: -12.5), at: at + step / 5, into: &block) == .taken)
            assembler.close(into: &block)
            (at, values) = (at + step, values + meters.count + 1)
        }
        assembler.summarize(into: &block)
        block.tallies.append(
            FrameBlock.Tally(
                processor: recording.id, minute: from / minute * minute, datagrams: 1, received: values, duplicates: 0))
        _ = recording.queue.exchange(block)
    }
}

extension StoreWriter {
    func pruned(at now: Int64, lived: Int64) throws(StoreError) -> PruneOutcome {
        var time: Int64 = 0
        // As if each step took long: they stay small, and are many.
        return try prune(at: now, lived: lived) {
            time += StepSize.target
            return time
        }
    }

    /// All that is due at `now`, after a day of life.
    func pruneAll(_ retention: Retention, at now: Int64) throws(StoreError) {
        _ = try prune(retention, at: now, steps: .max)
    }

    /// At most so many steps; the rows of samples that are left.
    @discardableResult
    func prune(_ retention: Retention, at now: Int64, steps: Int) throws(StoreError) -> Int64 {
        retain(retention, lived: 0)
        var count = 0
        for lived in [RetentionPlan.settling, 1_000 * Retention.day] {
            while count < steps {
                let outcome = try pruned(at: now, lived: lived)
                if outcome == .paused {
                    checkpoint.run(emptyingLog: false)
                } else if outcome != .more {
                    break
                }
                count += 1
            }
        }
        return try database.integer(
            "SELECT count(*) FROM frame WHERE at_us < \(now - (retention.samples ?? now))", doing: "count")
    }
}
