import AtlasProtocol
import Testing

@testable import RecorderStore

@Suite struct FrameQueueTests {
    /// A block with `count` frames of three values, `number` telling it from others.
    private func block(_ number: Int, count: Int = 10) -> FrameBlock {
        var (assembler, block) = (FrameAssembler(processor: 1), FrameBlock())
        for index in 0..<count {
            for meter in 0..<3 {
                let at = start + Int64(number) * second + Int64(index) * 20_000
                _ = assembler.take(Reading(meter: Meter(.zone, UInt8(meter)), level: -1), at: at, into: &block)
            }
        }
        assembler.close(into: &block)
        assembler.summarize(into: &block)
        return block
    }

    private func numbers(_ blocks: [FrameBlock]) -> [Int64] { blocks.map { ($0.frames[0].at - start) / second } }

    /// A limit for this many blocks.
    private func queue(blocks: Int) -> FrameQueue { FrameQueue(limit: block(0).footprint * blocks + 1_000) }

    @Test("a full queue sheds the oldest, counts them exactly and goes on")
    func shedsOldest() {
        let queue = queue(blocks: 3)
        for number in 0..<10 { _ = queue.exchange(block(number)) }
        let (blocks, shed) = queue.take()
        #expect(numbers(blocks) == [7, 8, 9])
        #expect(shed.reduce(0) { $0 + ($1.samples ?? 0) } == 7 * 30)
        #expect(shed.allSatisfy { $0.reason == .queueFull && $0.processor == 1 })
        queue.finish(blocks)
        for number in 10..<13 { _ = queue.exchange(block(number)) }
        let (after, shedAfter) = queue.take()
        #expect(numbers(after) == [10, 11, 12] && shedAfter.isEmpty)
    }

    @Test("what is shed is told with the time of its first and last sample")
    func timesOfLosses() {
        let queue = queue(blocks: 1)
        for number in 0..<3 { _ = queue.exchange(block(number)) }
        let shed = queue.take().shed
        #expect(shed.map(\.since) == [start] && shed.map(\.at) == [start + second + 9 * 20_000])
    }

    @Test("what goes while the store refuses is told apart from what goes while the writer is slow")
    func refused() {
        let queue = queue(blocks: 3)
        func shed() -> [String] {
            let (blocks, shed) = queue.take()
            defer { queue.putBack(blocks, shed: shed) }
            return shed.map { "\($0.reason.rawValue) \($0.samples ?? 0)" }
        }
        for number in 0..<4 { _ = queue.exchange(block(number)) }
        // The commit is under way, and what it finds decides what became of the blocks that go meanwhile.
        let (slow, shedBefore) = queue.take()
        #expect(shedBefore.map(\.reason) == [.queueFull])
        for number in 4..<6 { _ = queue.exchange(block(number)) }
        queue.putBack(slow, shed: shedBefore)
        #expect(shed() == ["queue_full 30", "store_refused 30"])
        _ = queue.exchange(block(6))
        #expect(shed() == ["queue_full 30", "store_refused 90"])
        queue.finish(queue.take().blocks)
        for number in 7..<11 { _ = queue.exchange(block(number)) }
        #expect(shed() == ["queue_full 30"])
    }

    @Test("what a shed block knew besides its samples is kept")
    func keepsTheRest() {
        let queue = queue(blocks: 2)
        var first = block(0)
        first.losses = [Loss(processor: 1, reason: .kernelDrop, at: start, datagrams: 5, samples: nil)]
        first.tallies = [.init(processor: 1, minute: start, datagrams: 3, received: 37, duplicates: 7)]
        _ = queue.exchange(first)
        for number in 1..<30 { _ = queue.exchange(block(number)) }
        let blocks = queue.take().blocks
        #expect(blocks[0].newMeters.prefix(3).map(\.meter.name) == ["ZoneMeter_0", "ZoneMeter_1", "ZoneMeter_2"])
        #expect(blocks.flatMap(\.losses).map(\.datagrams) == [5])
        #expect(blocks.flatMap(\.tallies) == first.tallies)
    }

    @Test("a store that refuses for days does not fill the memory")
    func staysBounded() {
        let queue = queue(blocks: 2)
        for number in 0..<5_000 {
            var next = block(number, count: 1)
            next.losses = [Loss(processor: 1, reason: .kernelDrop, at: start, datagrams: 1, samples: nil)]
            next.tallies = [.init(processor: 1, minute: start, datagrams: 1, received: 3, duplicates: 1)]
            _ = queue.exchange(next)
        }
        let (blocks, shed) = queue.take()
        #expect(blocks.reduce(0) { $0 + $1.latest.count } <= 4)
        #expect(blocks.reduce(0) { $0 + $1.losses.count } <= 4)
        #expect(blocks.reduce(0) { $0 + $1.tallies.count } <= 4)
        #expect(blocks.flatMap(\.losses).reduce(0) { $0 + $1.datagrams } == 5_000)
        #expect(blocks.flatMap(\.tallies).reduce(0) { $0 + $1.received } == 15_000)
        #expect(shed.reduce(0) { $0 + ($1.samples ?? 0) } == (5_000 - blocks.count) * 3)
        #expect(shed.count <= 5_000 / 60 + 1)
    }

    @Test("the limit holds over any number of overflows")
    func limitHolds() {
        let queue = queue(blocks: 3)
        for round in 0..<50 {
            for number in 0..<8 {
                var next = block(round * 8 + number)
                next.losses = [
                    Loss(processor: 1, reason: .kernelDrop, at: start + Int64(round), datagrams: 1, samples: nil)
                ]
                _ = queue.exchange(next)
            }
            let blocks = queue.take().blocks
            #expect((1...3).contains(blocks.count), "round \(round)")
            queue.finish(blocks)
        }
        #expect(!queue.isBehind)
    }

    @Test("between two commits small blocks are taken, so that none waits for the next commit but one")
    func takesSmallBlocks() {
        let queue = queue(blocks: 10)
        for number in 0..<3 {
            #expect(!queue.isBehind)
            _ = queue.exchange(block(number))
        }
        #expect(queue.isBehind)
        let blocks = queue.take().blocks
        #expect(queue.isBehind, "until they are stored")
        queue.finish(blocks)
        #expect(!queue.isBehind)
    }

    @Test("blocks put back after a failed commit come first, and in their order")
    func putBack() {
        let queue = queue(blocks: 10)
        for number in 0..<3 { _ = queue.exchange(block(number)) }
        let (blocks, shed) = queue.take()
        _ = queue.exchange(block(3))
        #expect(queue.isBehind)
        queue.putBack(blocks, shed: shed)
        _ = queue.exchange(block(4))
        #expect(numbers(queue.take().blocks) == [0, 1, 2, 3, 4])
    }

    @Test("blocks put back into a full queue are shed first, and counted once")
    func putBackIntoFull() {
        let queue = queue(blocks: 3)
        for number in 0..<5 { _ = queue.exchange(block(number)) }
        let (blocks, shed) = queue.take()
        #expect(shed.reduce(0) { $0 + ($1.samples ?? 0) } == 2 * 30)
        queue.putBack(blocks, shed: shed)
        for number in 5..<7 { _ = queue.exchange(block(number)) }
        let (after, allShed) = queue.take()
        #expect(numbers(after) == [4, 5, 6])
        #expect(allShed.reduce(0) { $0 + ($1.samples ?? 0) } == 4 * 30)
    }

    @Test("a receiver and a writer at once lose nothing")
    func concurrent() async {
        let queue = queue(blocks: 4)
        let given = 2_000
        async let seen = Task.detached {
            var seen = 0
            while true {
                let (blocks, shed) = queue.take()
                seen += blocks.reduce(0) { $0 + $1.samples } + shed.reduce(0) { $0 + ($1.samples ?? 0) }
                let last = blocks.contains { $0.frames.last?.processor == 2 }
                queue.finish(blocks)
                if last { return seen }
                await Task.yield()
            }
        }.value
        for number in 0..<given { _ = queue.exchange(block(number, count: 1)) }
        var last = FrameAssembler(processor: 2)
        var end = FrameBlock()
        for meter in UInt8(0)..<3 {
            _ = last.take(Reading(meter: Meter(.zone, meter), level: -1), at: start, into: &end)
        }
        last.close(into: &end)
        _ = queue.exchange(end)
        #expect(await seen == given * 3 + 3)
    }
}
