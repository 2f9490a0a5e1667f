import AtlasProtocol
import Testing

@testable import RecorderStore

@Suite struct FrameTests {
    private func zone(_ index: UInt8) -> Meter { Meter(.zone, index) }

    /// The frames of a block: time and number of values.
    private func frames(_ block: FrameBlock) -> [String] { block.frames.map { "\($0.at - start) \($0.values)" } }

    private func take(_ readings: [(Meter, Double, Int64)], otherClient: Bool = false) -> (
        FrameBlock, [FrameAssembler.Outcome]
    ) {
        var (assembler, block) = (FrameAssembler(processor: 1), FrameBlock())
        assembler.hasOtherClient = otherClient
        let outcomes = readings.map {
            assembler.take(Reading(meter: $0.0, level: $0.1), at: start + $0.2, into: &block)
        }
        assembler.close(into: &block)
        assembler.summarize(into: &block)
        return (block, outcomes)
    }

    @Test("several datagrams of one tick are one frame, at the time of the first")
    func oneTick() {
        let readings = (0..<30).map { (zone(UInt8($0)), -20.0, Int64($0 / 10) * 6_000) }
        #expect(frames(take(readings).0) == ["0 30"])
    }

    @Test("a meter that comes again begins the next frame")
    func meterTwice() {
        let meters = [zone(0), zone(1), zone(2)]
        let readings = (0..<3).flatMap { round in meters.map { ($0, Double(-round), Int64(round) * 5_000) } }
        #expect(frames(take(readings).0) == ["0 3", "5000 3", "10000 3"])
    }

    @Test("a frame ends 20 ms after its first value, not before", arguments: [(19_999, 1), (20_000, 2), (20_001, 2)])
    func twentyMilliseconds(later: Int64, count: Int) {
        let first = (0..<3).map { (zone($0), -1.0, Int64(0)) }
        let rest = (3..<6).map { (zone($0), -1.0, later) }
        #expect(take(first + rest).0.frames.count == count)
    }

    @Test("frames of the same microsecond are told apart, and a clock set back begins another")
    func collisions() {
        func tick(_ at: Int64) -> [(Meter, Double, Int64)] { (0..<3).map { (zone($0), -1.0, at) } }
        #expect(frames(take(tick(0) + tick(0) + tick(0)).0) == ["0 3", "1 3", "2 3"])
        #expect(frames(take(tick(0) + tick(-5_000_000)).0) == ["0 3", "-5000000 3"])
        // Set back by a little: its own row stays after the one before it.
        #expect(frames(take(tick(0) + tick(-500)).0) == ["0 3", "1 3"])
    }

    @Test("values are written as rows of their own where that is smaller", arguments: 1...60)
    func cheaper(meters: Int) {
        for values in 1...meters {
            let all = (0..<meters).map { (Meter(.zone, UInt8($0)), -1.0, Int64(0)) }
            let some = (meters - values..<meters).map { (Meter(.zone, UInt8($0)), -2.0, Int64(100_000)) }
            let block = take(all + some).0
            let narrow = block.lone.filter { $0.at >= start + 100_000 }.count
            let width = (meters - values) + 2 * values  // one byte for no value, two for -2.0 dB
            #expect(narrow == (18 * values < 17 + width ? values : 0), "\(values) of \(meters)")
            let times = block.lone.map(\.at)
            #expect(Set(times).count == times.count && times == times.sorted())
        }
    }

    @Test("another client's copy within 20 ms is counted, not stored; another value is stored")
    func duplicates() {
        let readings: [(Meter, Double, Int64)] = [
            (zone(0), -20, 0), (zone(0), -20, 19_999), (zone(0), -20, 20_000), (zone(0), -20.1, 20_001),
        ]
        let (block, outcomes) = take(readings, otherClient: true)
        #expect(outcomes == [.taken, .duplicate, .taken, .taken])
        #expect(block.samples == 3)
        #expect(take(readings).1 == [.taken, .taken, .taken, .taken])
    }

    @Test("a copy that is older than the value, after the clock was set back, is stored")
    func copyFromBefore() {
        let (_, outcomes) = take([(zone(0), -20, 0), (zone(0), -20, -1)], otherClient: true)
        #expect(outcomes == [.taken, .taken])
    }

    @Test("the first value after a restart is no copy, whatever it is", arguments: [0.0, -0.0, -80.0])
    func firstAfterRestart(level: Double) {
        var (assembler, block) = (FrameAssembler(processor: 1, slots: [(1, zone(0))]), FrameBlock())
        assembler.hasOtherClient = true
        #expect(assembler.take(Reading(meter: zone(0), level: level), at: start, into: &block) == .taken)
    }

    @Test("slots are given once: known ones stay, new ones follow the highest")
    func slots() {
        var assembler = FrameAssembler(processor: 1, slots: [(2, zone(7)), (5, zone(1))])
        var block = FrameBlock()
        for meter in [zone(1), zone(3), zone(7), zone(4)] {
            _ = assembler.take(Reading(meter: meter, level: -1), at: start, into: &block)
        }
        assembler.close(into: &block)
        #expect(block.newMeters.map { "\($0.slot) \($0.meter.name)" } == ["6 ZoneMeter_3", "7 ZoneMeter_4"])
    }

    @Test("more meters than a unit can have are told as lost, and the others go on")
    func slotLimit() {
        let readings = (0..<300).map { index in
            (Meter(ChannelFamily.allCases[index / 256], UInt8(index % 256)), -1.0, Int64(0))
        }
        let (block, outcomes) = take(readings + [(Meter(.source, 0), -2.0, 50_000)])
        #expect(outcomes.filter { $0 == .noRoom }.count == 300 - FrameAssembler.slotLimit)
        #expect(outcomes.last == .taken && block.samples == FrameAssembler.slotLimit + 1)
    }

    @Test("of a datagram's values each is in the frame, a copy or without room")
    func left() {
        var (assembler, block) = (FrameAssembler(processor: 1), FrameBlock())
        assembler.hasOtherClient = true
        let known = (0..<FrameAssembler.slotLimit).map { Reading(meter: zone(UInt8($0)), level: -1) }
        let datagram = known + known.prefix(7) + (0..<5).map { Reading(meter: Meter(.mix, $0), level: -1) }
        let left = datagram.withUnsafeBufferPointer {
            assembler.take($0, at: start, into: &block) { false }
        }
        #expect(left == FrameAssembler.Left(duplicates: 7, noRoom: 5))
        #expect(assembler.values + left.duplicates + left.noRoom == datagram.count)
    }
}
