import AtlasProtocol
import Testing

@testable import RecorderStore

/// A seeded stream of readings of two units, cut into blocks and commits at random.
private struct Stream {
    struct Fed {
        let processor: Int
        let meter: Meter
        let level: Double
        let at: Int64
    }
    var generator: SeededGenerator
    var fed: [Fed] = []
    var duplicates = 0
    var unreadable = 0
    private var assemblers: [FrameAssembler]
    private var ledgers: [ReceiveLedger]
    private var block = FrameBlock()
    private var now = start
    private let queue: FrameQueue

    init(seed: UInt64, _ recording: Recording, otherClient: Bool) {
        generator = SeededGenerator(seed: seed)
        queue = recording.queue
        assemblers = recording.processors.map { FrameAssembler(processor: $0.id, slots: $0.slots) }
        for index in assemblers.indices { assemblers[index].hasOtherClient = otherClient }
        ledgers = recording.processors.map { ReceiveLedger(processor: $0.id) }
    }

    /// One burst of one unit: a full tick, a few values or one alone; now and then a value twice.
    mutating func burst(settingClock: Bool) {
        let processor = Int.random(in: 0..<assemblers.count, using: &generator)
        let count = [1, 1, 3, 10, 38].randomElement(using: &generator)!
        for _ in 0..<count {
            now += Int64.random(in: 0...3_000, using: &generator)
            let meter = Meter(
                ChannelFamily.allCases.randomElement(using: &generator)!, UInt8.random(in: 0..<10, using: &generator))
            let tenths = Double(Int.random(in: -800...0, using: &generator)) / 10
            let level = Int.random(in: 0..<10, using: &generator) == 0 ? tenths - 0.003 : tenths
            take(processor, meter, level)
            if Int.random(in: 0..<20, using: &generator) == 0 { take(processor, meter, level) }
        }
        now += Int64.random(in: 0...200_000, using: &generator)
        if settingClock, Int.random(in: 0..<10, using: &generator) == 0 {
            now += Int64.random(in: -10_000_000...10_000_000, using: &generator)
        }
        if Int.random(in: 0..<4, using: &generator) == 0 { handOver() }
    }

    private mutating func take(_ processor: Int, _ meter: Meter, _ level: Double) {
        let level = level + 0  // -0.0 comes back as 0.0
        fed.append(Fed(processor: processor, meter: meter, level: level, at: now))
        if !ledgers[processor].covers(now) {
            assemblers[processor].close(into: &block)
            ledgers[processor].handOver(keeping: 0, into: &block)
            ledgers[processor].begin(minuteOf: now)
        }
        var content = DatagramReader.Content()
        content.readings = 1
        // Now and then a value beside it that cannot be read.
        content.unreadableValues = Int.random(in: 0..<50, using: &generator) == 0 ? 2 : 0
        unreadable += content.unreadableValues
        ledgers[processor].count(content, length: 60, truncated: false, at: now)
        let reading = [Reading(meter: meter, level: level)]
        let left = reading.withUnsafeBufferPointer {
            assemblers[processor].take($0, at: now, into: &block) { false }
        }
        ledgers[processor].count(left)
        duplicates += left.duplicates
        if block.isFull { handOver() }
    }

    mutating func handOver(ending: Bool = false) {
        for index in assemblers.indices {
            if ending { assemblers[index].close(into: &block) }
            assemblers[index].summarize(into: &block)
            ledgers[index].handOver(keeping: assemblers[index].values, into: &block)
        }
        block = queue.exchange(block)
    }

    var isTimeToCommit: Bool { mutating get { Int.random(in: 0..<6, using: &generator) == 0 } }
    var wall: Int64 { now }
}

@Suite struct StreamTests {
    private let folder = TemporaryFolder()

    private struct Key: Hashable {
        let processor, meter: String
    }

    private func stored() throws -> [Key: [(at: Int64, level: Double)]] {
        var result: [Key: [(Int64, Double)]] = [:]
        for row in try rows(folder.store, "SELECT processor, meter, at_us, level_db FROM meter_samples ORDER BY at_us")
        {
            guard case .integer(let at) = row[2] else { continue }
            result[Key(processor: row[0].shown, meter: row[1].shown), default: []].append((at, row[3].real ?? .nan))
        }
        return result
    }

    @Test("every value comes back once, in order and in time, whatever the batching", arguments: 1...12)
    func everyValueOnce(seed: UInt64) async throws {
        let recording = try await Recording(folder.store, [mainBar, patio])
        var stream = Stream(seed: seed, recording, otherClient: false)
        for _ in 0..<150 {
            stream.burst(settingClock: false)
            if stream.isTimeToCommit { try await recording.commit([], at: stream.wall) }
        }
        stream.handOver(ending: true)
        try await recording.writer.finish([], at: stream.wall)
        let stored = try stored()
        for (key, fed) in Dictionary(
            grouping: stream.fed,
            by: { Key(processor: recording.processors[$0.processor].spec.name, meter: $0.meter.name) })
        {
            let came = stored[key] ?? []
            #expect(came.map(\.level) == fed.map(\.level), "\(key), seed \(seed)")
            for (one, other) in zip(came, fed) where !(other.at - one.at <= 20_000 && one.at - other.at < 1_000) {
                Issue.record("\(other.at - one.at) us early, seed \(seed)")
            }
        }
        #expect(stored.values.reduce(0) { $0 + $1.count } == stream.fed.count, "seed \(seed)")
        #expect(try integer(folder.store, "SELECT sum(stored) FROM sample_minute") == Int64(stream.fed.count))
    }

    @Test("stored + duplicate + lost = fed: with copies, a full queue and a clock that is set", arguments: 1...12)
    func nothingUnaccounted(seed: UInt64) async throws {
        let recording = try await Recording(folder.store, [mainBar, patio], queue: FrameQueue(limit: 400_000))
        var stream = Stream(seed: seed, recording, otherClient: true)
        for round in 0..<300 {
            stream.burst(settingClock: true)
            // Long stretches without a commit: the queue overflows.
            if round % 100 > 80, stream.isTimeToCommit { try await recording.commit([], at: stream.wall) }
        }
        stream.handOver(ending: true)
        try await recording.writer.finish([], at: stream.wall)
        let kept = try integer(folder.store, "SELECT count(*) FROM meter_samples")
        let counts = try rows(folder.store, "SELECT sum(stored), sum(duplicate) FROM sample_minute")
        #expect(counts == [[.integer(kept), .integer(Int64(stream.duplicates))]], "seed \(seed)")
        let lost = try integer(
            folder.store, "SELECT coalesce(sum(samples), 0) FROM sample_losses WHERE reason = 'queue_full'")
        #expect(lost > 0 && stream.duplicates > 0, "seed \(seed)")
        #expect(kept + Int64(stream.duplicates) + lost == Int64(stream.fed.count), "seed \(seed)")
        let sums = try lines(
            folder.store, "SELECT sum(received), sum(received - stored - duplicate - lost) FROM sample_counts")
        #expect(sums == ["\(stream.fed.count + stream.unreadable)|0"], "seed \(seed)")
        #expect(try integer(folder.store, "SELECT sum(datagrams) FROM sample_counts") == Int64(stream.fed.count))
    }

    @Test("after any commit, as a crash would leave it, each minute's counts agree", arguments: 1...6)
    func balancedAtAnyTime(seed: UInt64) async throws {
        let recording = try await Recording(folder.store, [mainBar, patio], queue: FrameQueue(limit: 600_000))
        var stream = Stream(seed: seed, recording, otherClient: true)
        var (received, lost): (Int64, Int64) = (0, 0)
        for round in 0..<40 {
            for _ in 0..<20 { stream.burst(settingClock: false) }
            let check = round % 3 == 0 ? 200 + 7 * round : 10_000_000  // a third of the commits breaks off somewhere
            _ = await recording.writer.commit([], at: stream.wall, interruptedAtCheck: check)
            let off = try lines(
                folder.store,
                "SELECT * FROM sample_counts WHERE received <> stored + duplicate + lost OR received IS NULL")
            #expect(off.isEmpty, "round \(round), seed \(seed)")
            received = try integer(folder.store, "SELECT coalesce(sum(received), 0) FROM sample_counts")
            lost = try integer(folder.store, "SELECT coalesce(sum(lost), 0) FROM sample_counts")
            #expect(received <= Int64(stream.fed.count + stream.unreadable), "round \(round), seed \(seed)")
        }
        #expect(received > 0 && lost > 0, "seed \(seed)")
        let minutes = try integer(folder.store, "SELECT count(*) FROM sample_counts")
        #expect(minutes >= 4)
    }

    @Test("the last values are each meter's last, and the slots outlive a restart")
    func restart() async throws {
        var slots: [String] = []
        for round in 0..<3 {
            await waitUntilFree(folder.store)
            let recording = try await Recording(folder.store, at: start + Int64(round) * hour)
            let meters = (0...round).map { Meter(.zone, UInt8($0)) } + [Meter(.mix, 9)]
            recording.feed(meters.shuffled().map { ($0, Double(-round), start + Int64(round) * hour) })
            try await recording.writer.finish([], at: start + Int64(round) * hour + second)
            let now = try lines(folder.store, "SELECT slot, name FROM meter ORDER BY slot")
            #expect(Array(now.prefix(slots.count)) == slots)
            slots = now
        }
        let last = try lines(
            folder.store, "SELECT meter, level_db, at_us - \(start), current FROM latest_levels ORDER BY meter")
        let at = 2 * hour
        #expect(
            last.map { $0.split(separator: "|")[0] } == ["MixMeter_9", "ZoneMeter_0", "ZoneMeter_1", "ZoneMeter_2"])
        #expect(last.first == "MixMeter_9|-2.0|\(at)|0")
    }
}
