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
    /// How many of a datagram's values were not taken, and why; and whether the block takes no more.
    package struct Left: Equatable {
        package var duplicates = 0
        package var noRoom = 0
        package var blockIsFull = false
    }

    /// One meter's place.
    private struct Place {
        /// Its character in the open frame; 0: no value yet.
        var code: UInt16 = 0
        /// The last value, for `latest_levels` and to know a copy.
        var at: Int64 = .min
        var level: Double = .nan  // equal to nothing, so never taken for a copy

        /// Whether this value came within the last 20 ms already: another program's copy, if there is one.
        @inline(__always)
        func isRepeated(by reading: Reading, at now: Int64) -> Bool {
            level == reading.level && now - at < FrameAssembler.span && now >= at
        }

        @inline(__always)
        mutating func take(_ reading: Reading, at now: Int64) {
            (code, at, level) = (LevelCode.code(for: reading), now, reading.level)
        }
    }

    package let processor: Int32
    /// Whether another program of this host has its own subscription, so that values come twice.
    package var hasOtherClient = false

    private var slots: [UInt16]  // by meter key; 0: none yet
    private var places: [Place] = []  // by slot - 1
    /// Where others look at the levels.
    private let levels: LevelMemory.Row?
    // The open frame: when it began, what it holds.
    /// How many values the open frame holds.
    package private(set) var values = 0
    private var highestSlot = 0
    private var began: Int64 = 0
    private var lastFrameAt: Int64 = .min
    private var latestIsDue = false
    /// When another client was looked for last, microseconds since 1970 UTC, and how long not to look again.
    private var lastLook: Int64 = 0
    private var lookPause: Int64 = 0

    /// `slots`: what the store has given to this unit's meters before.
    /// `latest`: their last values then, by slot. `levels`: where each value is shown as it is taken.
    package init(
        processor: Int32, slots known: [(slot: UInt16, meter: Meter)] = [],
        latest: [UInt16: (at: Int64, level: Double)] = [:], levels: LevelMemory.Row? = nil
    ) {
        (self.processor, self.levels) = (processor, levels)
        slots = Array(repeating: 0, count: Meter.limit)
        for (slot, meter) in known { slots[Int(meter.key)] = slot }
        grow(to: known.map { Int($0.slot) }.max() ?? 0)
        for (slot, value) in latest where slot > 0 && Int(slot) <= places.count {
            (places[Int(slot) - 1].at, places[Int(slot) - 1].level) = value
        }
    }

    /// When the open frame's first value arrived, microseconds since 1970 UTC; nil: none is open.
    package var startedAt: Int64? { values > 0 ? began : nil }
    /// When it has to be closed.
    package var closesAt: Int64? { startedAt.map { $0 + Self.span } }

    /// Takes a datagram's values, which arrived at `at` (microseconds since 1970 UTC). A value that comes again may be
    /// another program's: `isShared` tells whether there is one; it costs milliseconds, so after one in vain it is not
    /// asked for 0.2 s, then up to 2 s. Returns how many values were left.
    package mutating func take(
        _ readings: UnsafeBufferPointer<Reading>, at: Int64, into block: inout FrameBlock, isShared: () -> Bool
    ) -> Left {
        var left = Left()
        var next = 0
        while true {
            next = fill(with: readings, from: next, at: at)
            guard next < readings.count else {
                left.blockIsFull = block.isFull
                return left
            }
            let reading = readings[next]
            if isWatchful(at), !hasOtherClient, isRepeat(reading, at: at) {
                hasOtherClient = isShared()
                lookPause = hasOtherClient ? 0 : min(max(200_000, 2 * lookPause), 2_000_000)
                lastLook = at
            }
            switch take(reading, at: at, into: &block) {
            case .taken: break
            case .duplicate: left.duplicates += 1
            case .noRoom: left.noRoom += 1
            }
            next += 1
        }
    }

    /// Whether a value that comes again is looked at: as a copy, or as a sign of another program. Also after the clock was set
    /// back.
    @inline(__always)
    private func isWatchful(_ at: Int64) -> Bool { hasOtherClient || at < lastLook || at - lastLook >= lookPause }

    private func isRepeat(_ reading: Reading, at: Int64) -> Bool {
        let slot = Int(slots[Int(reading.meter.key)])
        return slot > 0 && places[slot - 1].isRepeated(by: reading, at: at)
    }

    /// Puts values where they have a free place in the open frame, which is most of them; returns the first that has none, or
    /// comes again.
    @inline(__always)
    private mutating func fill(with readings: UnsafeBufferPointer<Reading>, from first: Int, at: Int64) -> Int {
        guard values > 0, at - began < Self.span, at >= began else { return first }
        let isWatchful = isWatchful(at)
        let levels = levels
        var next = first
        var highest = highestSlot
        slots.withUnsafeBufferPointer { slots in
            places.withUnsafeMutableBufferPointer { places in
                // Every key is below `Meter.limit`, which `slots` has, and every slot has its place.
                while next < readings.count {
                    let reading = readings[next]
                    let slot = Int(slots[Int(reading.meter.key)])
                    guard slot > 0, places[slot - 1].code == 0,
                        !isWatchful || !places[slot - 1].isRepeated(by: reading, at: at)
                    else { return }
                    places[slot - 1].take(reading, at: at)
                    levels?.set(reading.level, slot: slot)
                    highest = max(highest, slot)
                    next += 1
                }
            }
        }
        guard next > first else { return first }
        highestSlot = highest
        values += next - first
        latestIsDue = true
        return next
    }

    /// Takes one value that arrived at `at` (microseconds since 1970 UTC).
    package mutating func take(_ reading: Reading, at: Int64, into block: inout FrameBlock) -> Outcome {
        if hasOtherClient, isRepeat(reading, at: at) { return .duplicate }
        var slot = Int(slots[Int(reading.meter.key)])
        if slot == 0 {
            guard places.count < Self.slotLimit else { return .noRoom }
            slot = assignSlot(to: reading.meter, &block)
        }
        if values > 0, places[slot - 1].code != 0 || at - began >= Self.span || at < began { close(into: &block) }
        if values == 0 { began = at }
        places[slot - 1].take(reading, at: at)
        levels?.set(reading.level, slot: slot)
        values += 1
        highestSlot = max(highestSlot, slot)
        latestIsDue = true
        return .taken
    }

    /// Closes the open frame, if there is one.
    package mutating func close(into block: inout FrameBlock) {
        guard values > 0 else { return }
        // Rows are told apart by their time: two frames of one microsecond are set one apart.
        let at = began <= lastFrameAt && lastFrameAt - began < 1_000_000 ? lastFrameAt + 1 : began
        lastFrameAt = at
        let start = block.bytes.count
        appendLevels(to: &block.bytes)
        if values * Self.loneCost < Self.frameCost + block.bytes.count - start {
            // Rows are told apart by their time, so each of them takes the next microsecond.
            block.bytes.removeSubrange(start...)
            appendLone(at, &block)
            lastFrameAt = at + Int64(values - 1)
        } else {
            appendFrame(at, from: start, &block)
        }
        for slot in 0..<highestSlot { places[slot].code = 0 }
        values = 0
        highestSlot = 0
    }

    /// Hands over the last values, if there are new ones. Called about once a second.
    package mutating func summarize(into block: inout FrameBlock) {
        guard latestIsDue else { return }
        latestIsDue = false
        let values = places.map { $0.at == .min ? nil : (at: $0.at, level: $0.level) }
        // One for each unit: a store that refuses for long must not make them pile up.
        block.latest.removeAll { $0.processor == processor }
        block.latest.append(FrameBlock.Latest(processor: processor, values: values))
    }

    /// The open frame's characters.
    @inline(__always)
    private func appendLevels(to bytes: inout [UInt8]) {
        // A character takes two bytes at most.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * highestSlot) { text in
            var width = 0
            for slot in 0..<highestSlot {
                let code = places[slot].code
                width += LevelCode.write(code == 0 ? LevelCode.none : code, to: text, at: width)
            }
            bytes.append(contentsOf: text[..<width])
        }
    }

    private func appendFrame(_ at: Int64, from start: Int, _ block: inout FrameBlock) {
        let levelsCount = block.bytes.count - start
        if places[..<highestSlot].contains(where: { $0.code == LevelCode.exact }) { appendExact(from: start, &block) }
        block.frames.append(
            FrameBlock.Frame(
                at: at, processor: processor, levels: Int32(start), levelsCount: Int32(levelsCount),
                exactCount: Int32(block.bytes.count - start - levelsCount), values: Int32(values)))
    }

    /// `{"3":-20.15,…}` for the slots whose character is U+0002; Swift writes the shortest text that reads back the same.
    private func appendExact(from start: Int, _ block: inout FrameBlock) {
        var separator = "{"
        for slot in 0..<highestSlot where places[slot].code == LevelCode.exact {
            block.bytes.append(contentsOf: "\(separator)\"\(slot + 1)\":\(places[slot].level)".utf8)
            separator = ","
        }
        block.bytes.append(UInt8(ascii: "}"))
    }

    private func appendLone(_ at: Int64, _ block: inout FrameBlock) {
        var at = at
        for (slot, place) in places[..<highestSlot].enumerated() where place.code != 0 {
            defer { at += 1 }
            block.lone.append(
                FrameBlock.LoneValue(
                    at: at, processor: processor, slot: UInt16(slot + 1), code: place.code, level: place.level))
        }
    }

    @inline(never)
    private mutating func assignSlot(to meter: Meter, _ block: inout FrameBlock) -> Int {
        grow(to: places.count + 1)
        slots[Int(meter.key)] = UInt16(places.count)
        block.newMeters.append(FrameBlock.NewMeter(processor: processor, slot: UInt16(places.count), meter: meter))
        return places.count
    }

    private mutating func grow(to count: Int) {
        let missing = count - places.count
        guard missing > 0 else { return }
        places += Array(repeating: Place(), count: missing)
    }
}
