import AtlasProtocol

/// Why something that arrived, or should have, did not become a sample (column `reason` of `sample_losses`).
package enum LossReason: String, Sendable {
    /// The kernel had no room left in the socket's receive buffer.
    case kernelDrop = "kernel_drop"
    /// A datagram longer than the largest that UDP can carry was cut; the whole values in it are samples.
    case truncated
    /// A datagram or a value of a known unit that could not be read.
    case unreadable
    /// Samples waited for a writer that was too slow until the queue was full; the oldest went.
    case queueFull = "queue_full"
    /// The same while the store took nothing: the disk was full, another program held the lock.
    case storeRefused = "store_refused"
    /// The recorder ended without notice; what arrived after `from_us` and was still in memory is gone.
    case recorderKilled = "recorder_killed"
    /// What waited when the store was found damaged; nobody can say how many samples that were. In a rescued store, what was
    /// stored and could not be read any more.
    case storeDamaged = "store_damaged"
    /// Values of parameters, not samples: more came than a unit has, or than the store took. Counted in `datagrams`.
    case parametersDropped = "parameters_dropped"
    /// More meters than a unit can have.
    case tooManyMeters = "too_many_meters"
}

/// A number of datagrams or samples lost between two moments of one minute.
package struct Loss: Sendable, Equatable {
    package let processor: Int32?
    package let reason: LossReason
    /// Microseconds since 1970 UTC.
    package let since, at: Int64
    package let datagrams: Int
    /// nil: only the datagrams could be counted.
    package let samples: Int?

    /// `since` nil, or not in the minute of `at`: `at`, or that minute's start.
    package init(
        processor: Int32?, reason: LossReason, since: Int64? = nil, at: Int64, datagrams: Int, samples: Int?
    ) {
        (self.processor, self.reason, self.datagrams, self.samples) = (processor, reason, datagrams, samples)
        (self.since, self.at) = (min(at, max(since ?? at, at.startOfMinute)), at)
    }

    func with(_ reason: LossReason) -> Loss {
        Loss(processor: processor, reason: reason, since: since, at: at, datagrams: datagrams, samples: samples)
    }
}

/// What the receiver hands to the writer: frames in the order of their time, in a few flat arrays that are used again,
/// so that nothing is allocated for a sample.
package struct FrameBlock: Sendable {
    struct Frame {
        let at: Int64  // microseconds since 1970 UTC
        let processor: Int32  // row id
        let levels: Int32  // where its characters begin in `bytes`
        let levelsCount: Int32
        let exactCount: Int32  // bytes of JSON right after the levels; 0: none
        let values: Int32
    }
    struct LoneValue {
        let at: Int64
        let processor: Int32
        let slot: UInt16
        let code: UInt16  // LevelCode; where that is .exact, `level` counts
        let level: Double
    }
    struct NewMeter {
        let processor: Int32
        let slot: UInt16
        let meter: Meter
    }
    struct Latest {
        let processor: Int32
        let values: [(at: Int64, level: Double)?]
    }
    /// What one unit's datagrams of one minute brought.
    struct Tally: Equatable {
        let processor: Int32
        let minute: Int64  // its start, microseconds since 1970 UTC
        var datagrams: Int
        var received: Int  // values, counted as they were read
        var duplicates: Int  // of them, what another program's subscription brought a second time
    }

    var frames: [Frame] = []
    var bytes: [UInt8] = []
    var lone: [LoneValue] = []
    var newMeters: [NewMeter] = []
    var latest: [Latest] = []
    var tallies: [Tally] = []
    package var losses: [Loss] = []
    /// Whatever arrived before this is in this block or went before it; microseconds since 1970 UTC. nil: nobody knows.
    package var completeUntil: Int64?

    package init() {
        frames.reserveCapacity(Self.frameLimit)
        bytes.reserveCapacity(Self.byteLimit)
    }

    static let frameLimit = 1024
    static let byteLimit = 64 * 1024

    package var isEmpty: Bool {
        frames.isEmpty && lone.isEmpty && newMeters.isEmpty && latest.isEmpty && tallies.isEmpty && losses.isEmpty
    }
    @inline(__always)
    package var isFull: Bool {
        frames.count >= Self.frameLimit || bytes.count >= Self.byteLimit - 4096 || lone.count >= Self.frameLimit
            || losses.count >= Self.frameLimit || tallies.count >= Self.frameLimit
    }
    /// Values in it that the store is to keep.
    package var samples: Int { frames.reduce(lone.count) { $0 + Int($1.values) } }

    /// What it holds on to, in bytes.
    var footprint: Int {
        frames.capacity * MemoryLayout<Frame>.stride + bytes.capacity + lone.capacity * MemoryLayout<LoneValue>.stride
            + losses.capacity * MemoryLayout<Loss>.stride + tallies.capacity * MemoryLayout<Tally>.stride
    }

    /// Frames of several units close up to 20 ms out of turn; rows written in the order of their key fill their pages.
    var framesInOrder: [Frame] {
        isSorted(frames.lazy.map(\.at)) ? frames : frames.sorted { $0.at < $1.at }
    }
    var loneInOrder: [LoneValue] { isSorted(lone.lazy.map(\.at)) ? lone : lone.sorted { $0.at < $1.at } }

    private func isSorted(_ times: some Sequence<Int64>) -> Bool {
        var last = Int64.min
        for time in times {
            guard time >= last else { return false }
            last = time
        }
        return true
    }

    /// Empties it and keeps the memory.
    mutating func clear() {
        frames.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        lone.removeAll(keepingCapacity: true)
        newMeters.removeAll()
        latest.removeAll()
        tallies.removeAll(keepingCapacity: true)
        losses.removeAll(keepingCapacity: true)
        completeUntil = nil
    }
}
