import AtlasProtocol

/// Gathers one unit's values into frames: a frame takes every value until a meter would come twice or 20 ms have passed
/// since its first; so several datagrams of one tick make one row, and no value is dropped or averaged. A datagram's values
/// are taken in one call: the checks of exclusive access and the copies of a call for each were a fifth of the receiver.
package struct FrameAssembler: Sendable {
    /// Microseconds; also how long another program's copy of a value counts as a duplicate.
    package static let span: Int64 = 20_000
    /// More slots than any unit has meters; what a hostile sender adds beyond it is counted as lost.
    package static let slotLimit = 256
    /// What a row of `sample` and a row of `frame` without its characters take, in bytes: measured,
    /// docs/decisions/0001-store-layout.md.
    private static let loneCost = 18
    private static let frameCost = 17

    package enum Outcome { case taken, duplicate, noRoom }
    /// How many of a datagram's values were not taken, and why.
    package struct Left: Equatable {
        package var duplicates = 0
        package var noRoom = 0
        package static let none = Left()
    }

    package let processor: Int32
    /// Whether another program of this host has its own subscription, so that values come twice.
    package var hasOtherClient = false

    private var slots: [UInt16]  // by meter key; 0: none yet
    private var slotCount = 0
    // The open frame: when it began, what it holds.
    private var codes: [UInt16] = []  // by slot - 1; 0: no value yet
    /// How many values the open frame holds.
    package private(set) var values = 0
    private var highestSlot = 0
    private var began: Int64 = 0
    private var lastFrameAt: Int64 = .min
    // The last value of each slot, for `latest_levels` and to know a copy.
    private var lastAt: [Int64] = []
    private var lastLevel: [Double] = []
    private var latestIsDue = false
    /// When another client was looked for last, microseconds since 1970 UTC, and how long not to look again.
    private var lastLook: Int64 = 0
    private var lookPause: Int64 = 0

    /// `slots`: what the store has given to this unit's meters before.
    /// `latest`: their last values then, by slot.
    package init(
        processor: Int32, slots known: [(slot: UInt16, meter: Meter)] = [],
        latest: [UInt16: (at: Int64, level: Double)] = [:]
    ) {
        self.processor = processor
        slots = Array(repeating: 0, count: Meter.limit)
        for (slot, meter) in known { slots[Int(meter.key)] = slot }
        grow(to: known.map { Int($0.slot) }.max() ?? 0)
        for (slot, value) in latest where slot > 0 && Int(slot) <= slotCount {
            (lastAt[Int(slot) - 1], lastLevel[Int(slot) - 1]) = value
        }
    }

    /// When the open frame's first value arrived, microseconds since 1970 UTC; nil: none is open.
    package var startedAt: Int64? { values > 0 ? began : nil }
    /// When it has to be closed.
    package var closesAt: Int64? { startedAt.map { $0 + Self.span } }

    /// Whether this value came within the last 20 ms already: another program's copy, if there is one.
    @inline(__always)
    package func isRepeat(_ reading: Reading, at: Int64) -> Bool {
        let slot = Int(slots[Int(reading.meter.key)])
        return slot > 0 && lastLevel[slot - 1] == reading.level && at - lastAt[slot - 1] < Self.span
            && at >= lastAt[slot - 1]
    }

    /// Takes a datagram's values, which arrived at `at` (microseconds since 1970 UTC). A value that comes again may be
    /// another program's: `isShared` tells whether there is one; it costs milliseconds, so after one in vain it is not
    /// asked for 0.2 s, then up to 2 s. Returns how many values were left.
    package mutating func take(
        _ readings: UnsafeBufferPointer<Reading>, at: Int64, into block: inout FrameBlock, isShared: () -> Bool
    ) -> Left {
        var left = Left()
        for reading in readings {
            // Also after the clock was set back.
            if !hasOtherClient, at < lastLook || at - lastLook >= lookPause, isRepeat(reading, at: at) {
                hasOtherClient = isShared()
                lookPause = hasOtherClient ? 0 : min(max(200_000, 2 * lookPause), 2_000_000)
                lastLook = at
            }
            switch take(reading, at: at, into: &block) {
            case .taken: break
            case .duplicate: left.duplicates += 1
            case .noRoom: left.noRoom += 1
            }
        }
        return left
    }

    /// Takes one value that arrived at `at` (microseconds since 1970 UTC).
    @inline(__always)
    package mutating func take(_ reading: Reading, at: Int64, into block: inout FrameBlock) -> Outcome {
        if hasOtherClient, isRepeat(reading, at: at) { return .duplicate }
        var slot = Int(slots[Int(reading.meter.key)])
        if slot == 0 {
            guard slotCount < Self.slotLimit else { return .noRoom }
            slot = assignSlot(to: reading.meter, &block)
        }
        if values > 0, codes[slot - 1] != 0 || at - began >= Self.span || at < began { close(into: &block) }
        if values == 0 { began = at }
        codes[slot - 1] = LevelCode.code(for: reading.level)
        values += 1
        if slot > highestSlot { highestSlot = slot }
        lastLevel[slot - 1] = reading.level
        lastAt[slot - 1] = at
        latestIsDue = true
        return .taken
    }

    /// Closes the open frame, if there is one.
    package mutating func close(into block: inout FrameBlock) {
        guard values > 0 else { return }
        // Rows are told apart by their time: two frames of one microsecond are set one apart.
        let at = began <= lastFrameAt && lastFrameAt - began < 1_000_000 ? lastFrameAt + 1 : began
        lastFrameAt = at
        var width = 0
        for slot in 0..<highestSlot { width += LevelCode.width(codes[slot]) }
        if values * Self.loneCost < Self.frameCost + width {
            // Rows are told apart by their time, so each of them takes the next microsecond.
            appendLone(at, &block)
            lastFrameAt = at + Int64(values - 1)
        } else {
            appendFrame(at, &block)
        }
        values = 0
        highestSlot = 0
    }

    /// Hands over the last values, if there are new ones. Called about once a second.
    package mutating func summarize(into block: inout FrameBlock) {
        guard latestIsDue else { return }
        latestIsDue = false
        let values = (0..<slotCount).map { lastAt[$0] == .min ? nil : (at: lastAt[$0], level: lastLevel[$0]) }
        // One for each unit: a store that refuses for long must not make them pile up.
        block.latest.removeAll { $0.processor == processor }
        block.latest.append(FrameBlock.Latest(processor: processor, values: values))
    }

    private mutating func appendFrame(_ at: Int64, _ block: inout FrameBlock) {
        let start = block.bytes.count
        var exact = false
        for slot in 0..<highestSlot {
            let code = codes[slot]
            codes[slot] = 0
            LevelCode.append(code == 0 ? LevelCode.none : code, to: &block.bytes)
            if code == LevelCode.exact { exact = true }
        }
        let levelsCount = block.bytes.count - start
        if exact { appendExact(from: start, &block) }
        block.frames.append(
            FrameBlock.Frame(
                at: at, processor: processor, levels: Int32(start), levelsCount: Int32(levelsCount),
                exactCount: Int32(block.bytes.count - start - levelsCount), values: Int32(values)))
    }

    /// `{"3":-20.15,…}` for the slots whose character is U+0002; Swift writes the shortest text that reads back the same.
    private func appendExact(from start: Int, _ block: inout FrameBlock) {
        var separator = "{"
        for (slot, byte) in slotBytes(block.bytes[start...]) where byte == UInt8(LevelCode.exact) {
            block.bytes.append(contentsOf: "\(separator)\"\(slot)\":\(lastLevel[slot - 1])".utf8)
            separator = ","
        }
        block.bytes.append(UInt8(ascii: "}"))
    }

    /// The first byte of each slot's character.
    private func slotBytes(_ bytes: ArraySlice<UInt8>) -> [(slot: Int, byte: UInt8)] {
        bytes.filter { $0 & 0xC0 != 0x80 }.enumerated().map { ($0.offset + 1, $0.element) }
    }

    private mutating func appendLone(_ at: Int64, _ block: inout FrameBlock) {
        var at = at
        for slot in 0..<highestSlot where codes[slot] != 0 {
            defer { at += 1 }
            block.lone.append(
                FrameBlock.LoneValue(
                    at: at, processor: processor, slot: UInt16(slot + 1), code: codes[slot], level: lastLevel[slot]))
            codes[slot] = 0
        }
    }

    @inline(never)
    private mutating func assignSlot(to meter: Meter, _ block: inout FrameBlock) -> Int {
        grow(to: slotCount + 1)
        slots[Int(meter.key)] = UInt16(slotCount)
        block.newMeters.append(FrameBlock.NewMeter(processor: processor, slot: UInt16(slotCount), meter: meter))
        return slotCount
    }

    private mutating func grow(to count: Int) {
        let missing = count - slotCount
        guard missing > 0 else { return }
        codes += Array(repeating: 0, count: missing)
        lastAt += Array(repeating: .min, count: missing)
        lastLevel += Array(repeating: .nan, count: missing)  // equal to nothing, so never taken for a copy
        slotCount = count
    }
}
