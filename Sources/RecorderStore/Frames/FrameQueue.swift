import Locks

/// The bounded way from the receiver to the writer. The receiver never waits: when the queue is full the oldest block
/// goes, is counted, and becomes rows of `sample_losses`. A block leaves only after its commit.
package final class FrameQueue: Sendable {
    private struct State {
        var waiting: [FrameBlock] = []
        var inFlight = 0
        var footprint = 0
        var free: [FrameBlock] = []
        var shed: [Loss] = []
        /// Whether the last commit failed: what is shed then goes because the store refuses.
        var isRefused = false
    }
    private let state = Mutex(State())
    private let limit: Int

    package static let defaultLimit = 16 * 1024 * 1024

    /// `limit`: bytes that may wait. A full 38-meter unit at 10 Hz fills some 1 KB a second.
    package init(limit: Int = defaultLimit) { self.limit = limit }

    /// Whether the writer is behind: then the receiver goes on filling its block instead of handing over a small one. Not
    /// with one or two that wait: of a block that is kept back until the next commit but one, a second would be lost.
    package var isBehind: Bool { state.withLock { $0.waiting.count + $0.inFlight >= 3 } }

    /// Whether more waits than one commit should hold.
    package var isLong: Bool { state.withLock { $0.waiting.count >= 4 } }

    /// Samples in blocks that wait.
    var samplesWaiting: Int { state.withLock { $0.waiting.reduce(0) { $0 + $1.samples } } }
    /// Bytes held by what waits and what is being written.
    package var footprint: Int { state.withLock { $0.footprint } }

    /// Takes a block and gives back an empty one.
    package func exchange(_ block: consuming FrameBlock) -> FrameBlock {
        let block = block
        return state.withLock { state in
            state.footprint += block.footprint
            state.waiting.append(block)
            while state.footprint > limit, state.waiting.count > 1 { Self.shedOldest(&state) }
            return state.free.popLast() ?? FrameBlock()
        }
    }

    private static func shedOldest(_ state: inout State) {
        var oldest = state.waiting.removeFirst()
        state.footprint -= oldest.footprint + state.waiting[0].footprint
        let reason: LossReason = state.isRefused ? .storeRefused : .queueFull
        for loss in oldest.lossesIfShed(reason) { state.shed.merge(loss) }
        // What it carried besides frames is still true.
        state.waiting[0].inherit(from: &oldest)
        state.footprint += state.waiting[0].footprint
    }

    /// Everything that waits, oldest first. It counts against the limit until `finish` or `putBack`.
    package func take() -> (blocks: [FrameBlock], shed: [Loss]) {
        state.withLock { state in
            defer {
                state.inFlight = state.waiting.count
                state.waiting = []
                state.shed = []
            }
            return (state.waiting, state.shed)
        }
    }

    /// The blocks are committed: their memory may be used again.
    func finish(_ blocks: consuming [FrameBlock]) {
        var blocks = blocks
        state.withLock { state in
            (state.inFlight, state.isRefused) = (0, false)
            while var block = blocks.popLast() {
                state.footprint -= block.footprint
                guard state.free.count < 4 else { continue }
                block.clear()
                state.free.append(block)
            }
        }
    }

    /// The commit failed: the blocks wait again, before what came since. What was shed while the store was asked was
    /// shed because it refused.
    func putBack(_ blocks: consuming [FrameBlock], shed: [Loss]) {
        let blocks = blocks
        state.withLock { state in
            (state.inFlight, state.isRefused) = (0, true)
            state.waiting.insert(contentsOf: blocks, at: 0)
            let since = state.shed
            state.shed = shed
            for loss in since { state.shed.merge(loss.with(.storeRefused)) }
        }
    }
}

extension FrameBlock {
    /// What is lost with this block: one entry a unit and minute. Its datagrams were read; only samples are gone.
    func lossesIfShed(_ reason: LossReason) -> [Loss] {
        var lost: [UnitMinute: (since: Int64, at: Int64, samples: Int)] = [:]
        func add(_ processor: Int32, _ at: Int64, _ samples: Int) {
            let key = UnitMinute(processor: processor, minute: at.startOfMinute)
            let entry = lost[key] ?? (at, at, 0)
            lost[key] = (min(entry.since, at), max(entry.at, at), entry.samples + samples)
        }
        for frame in frames { add(frame.processor, frame.at, Int(frame.values)) }
        for value in lone { add(value.processor, value.at, 1) }
        return lost.map { key, entry in
            Loss(
                processor: key.processor, reason: reason, since: entry.since, at: entry.at, datagrams: 0,
                samples: entry.samples)
        }
    }

    /// Takes over what a shed block knew besides its samples, ahead of its own. Summed up, because this may go on for
    /// as long as the store refuses.
    mutating func inherit(from older: inout FrameBlock) {
        newMeters.insert(contentsOf: older.newMeters, at: 0)
        let known = Set(latest.map(\.processor))
        latest.insert(contentsOf: older.latest.filter { !known.contains($0.processor) }, at: 0)
        tallies = (older.tallies + tallies).summedUp()
        for loss in older.losses { losses.merge(loss) }
        completeUntil = completeUntil ?? older.completeUntil
    }
}

private struct UnitMinute: Hashable {
    let processor: Int32
    let minute: Int64
}

extension [FrameBlock.Tally] {
    /// One for each unit and minute.
    fileprivate func summedUp() -> [FrameBlock.Tally] {
        var (sums, places): ([FrameBlock.Tally], [UnitMinute: Int]) = ([], [:])
        for tally in self {
            let key = UnitMinute(processor: tally.processor, minute: tally.minute)
            guard let place = places[key] else {
                places[key] = sums.count
                sums.append(tally)
                continue
            }
            sums[place].datagrams += tally.datagrams
            sums[place].received += tally.received
            sums[place].duplicates += tally.duplicates
        }
        return sums
    }
}

extension [Loss] {
    /// Adds a loss to the one of its unit, reason and minute, as the store would: one row for all of them.
    mutating func merge(_ loss: Loss) {
        let index = lastIndex {
            $0.processor == loss.processor && $0.reason == loss.reason
                && $0.at.startOfMinute == loss.at.startOfMinute
                && ($0.samples == nil) == (loss.samples == nil)
        }
        guard let index else { return append(loss) }
        self[index] = Loss(
            processor: loss.processor, reason: loss.reason, since: Swift.min(self[index].since, loss.since),
            at: Swift.max(self[index].at, loss.at), datagrams: self[index].datagrams + loss.datagrams,
            samples: loss.samples.map { $0 + (self[index].samples ?? 0) })
    }
}
