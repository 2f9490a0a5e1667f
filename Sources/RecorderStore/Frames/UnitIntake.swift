import AtlasProtocol

/// One unit's way from its datagrams into a block: counted first, then gathered into frames. A frame ends with its minute, so
/// that each minute's counts agree by themselves. Both are here in one value because a class that holds it checks the exclusive
/// access to it once a datagram, not for each of the two.
package struct UnitIntake: Sendable {
    package var assembler: FrameAssembler
    private var ledger: ReceiveLedger

    package init(_ registered: RegisteredProcessor, levels: LevelMemory.Row? = nil) {
        ledger = ReceiveLedger(processor: registered.id)
        assembler = FrameAssembler(
            processor: registered.id, slots: registered.slots, latest: registered.latest, levels: levels)
    }

    /// Counts a datagram of `length` bytes and what the reader found in it, before anything else is done with them, and takes
    /// its values. `at`: microseconds since 1970 UTC; `isShared`: as in `FrameAssembler`. True if the block takes no more.
    package mutating func take(
        _ content: DatagramReader.Content, _ readings: UnsafeBufferPointer<Reading>, length: Int, truncated: Bool,
        at: Int64, into block: inout FrameBlock, isShared: () -> Bool
    ) -> Bool {
        if !ledger.covers(at) { beginMinute(of: at, into: &block) }
        ledger.count(content, length: length, truncated: truncated, at: at)
        return gather(readings, at: at, into: &block, isShared: isShared)
    }

    /// Counts and takes values that came by TCP.
    package mutating func take(
        _ readings: UnsafeBufferPointer<Reading>, at: Int64, into block: inout FrameBlock, isShared: () -> Bool
    ) {
        if !ledger.covers(at) { beginMinute(of: at, into: &block) }
        ledger.count(values: readings.count, at: at)
        _ = gather(readings, at: at, into: &block, isShared: isShared)
    }

    @inline(__always)
    private mutating func gather(
        _ readings: UnsafeBufferPointer<Reading>, at: Int64, into block: inout FrameBlock, isShared: () -> Bool
    ) -> Bool {
        guard !readings.isEmpty else { return false }
        let left = assembler.take(readings, at: at, into: &block, isShared: isShared)
        ledger.count(left)
        return left.blockIsFull
    }

    @inline(never)
    private mutating func beginMinute(of at: Int64, into block: inout FrameBlock) {
        assembler.close(into: &block)
        _ = handOverCounts(into: &block)
        ledger.begin(minuteOf: at)
    }

    /// True if nothing is left to hand over.
    package mutating func handOverCounts(into block: inout FrameBlock) -> Bool {
        ledger.handOver(keeping: assembler.values, into: &block)
        return ledger.isEmpty
    }
}
