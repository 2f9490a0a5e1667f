import AtlasProtocol

/// What one unit sent, counted where it is read and before anything else is done with it, until the next block takes it
/// along. Each count belongs to the minute in which its datagrams arrived. So for every block, and therefore for every
/// commit, a crash included: received = stored + duplicate + lost.
package struct ReceiveLedger: Sendable {
    private let processor: Int32
    /// Of the minute that is counted, microseconds since 1970 UTC.
    private var minute: Int64 = 0
    private var firstAt: Int64 = 0
    private var lastAt: Int64 = 0
    private var datagrams = 0
    private var received = 0
    private var duplicates = 0
    private var noRoom = 0
    private var unreadableValues = 0
    private var unreadableDatagrams = 0
    private var truncatedDatagrams = 0

    package init(processor: Int32) { self.processor = processor }

    /// Whether there is nothing to hand over.
    @inline(__always)
    package var isEmpty: Bool { datagrams == 0 && received == 0 }

    /// Whether what arrives at `at` (microseconds since 1970 UTC) belongs to the minute that is counted.
    @inline(__always)
    package func covers(_ at: Int64) -> Bool { at >= minute && at < minute + 60_000_000 }

    /// Begins the minute of `at`. What was counted before is handed over first.
    package mutating func begin(minuteOf at: Int64) { minute = at.startOfMinute }

    /// Counts a datagram of this length in bytes that arrived at `at`.
    @inline(__always)
    package mutating func count(_ content: DatagramReader.Content, length: Int, truncated: Bool, at: Int64) {
        count(values: content.readings + content.unreadableValues, at: at)
        datagrams += 1
        unreadableValues += content.unreadableValues
        if truncated {
            truncatedDatagrams += 1
        } else if content.unreadableLines > 0 || length == 0 {
            unreadableDatagrams += 1
        }
    }

    /// Counts values that arrived at `at`.
    @inline(__always)
    package mutating func count(values: Int, at: Int64) {
        if isEmpty { firstAt = at }
        lastAt = at
        received += values
    }

    /// Counts what the assembler did not take.
    @inline(__always)
    package mutating func count(_ left: FrameAssembler.Left) {
        duplicates += left.duplicates
        noRoom += left.noRoom
    }

    /// Hands the counts over but for those values that wait in the unit's open frame: they go with that frame.
    package mutating func handOver(keeping open: Int, into block: inout FrameBlock) {
        guard !isEmpty else { return }
        block.tallies.append(
            FrameBlock.Tally(
                processor: processor, minute: minute, datagrams: datagrams, received: received - open,
                duplicates: duplicates))
        lose(.unreadable, datagrams: unreadableDatagrams, samples: nil, &block)
        lose(.unreadable, samples: unreadableValues, &block)
        lose(.truncated, datagrams: truncatedDatagrams, samples: nil, &block)
        lose(.tooManyMeters, samples: noRoom, &block)
        (datagrams, received, duplicates, noRoom) = (0, open, 0, 0)
        (unreadableValues, unreadableDatagrams, truncatedDatagrams) = (0, 0, 0)
        firstAt = lastAt
    }

    private func lose(_ reason: LossReason, datagrams: Int = 0, samples: Int?, _ block: inout FrameBlock) {
        guard datagrams + (samples ?? 0) > 0 else { return }
        block.losses.append(
            Loss(
                processor: processor, reason: reason, since: firstAt, at: lastAt, datagrams: datagrams,
                samples: samples))
    }
}

extension Int64 {
    /// Of a time in microseconds since 1970 UTC.
    @inline(__always)
    var startOfMinute: Int64 { self / 60_000_000 * 60_000_000 }
}
