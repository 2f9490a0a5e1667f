import AtlasProtocol

/// Why something that arrived, or should have, did not become a sample (column `reason` of `sample_losses`).
package enum LossReason: String, Sendable {
    /// The kernel had no room left in the socket's receive buffer.
    case kernelDrop = "kernel_drop"
    /// A datagram longer than the largest that UDP can carry was cut.
    case truncated
    /// A datagram or a value of a known unit that could not be read.
    case unreadable
    /// Samples waited for the store until the queue was full; the oldest went.
    case queueFull = "queue_full"
    /// Values of parameters, not samples: more came than a unit has, or than the store took. Counted in `datagrams`.
    case parametersDropped = "parameters_dropped"
    /// More meters than a unit can have.
    case tooManyMeters = "too_many_meters"
}

/// A number of datagrams or samples lost at one moment.
package struct Loss: Sendable, Equatable {
    package let processor: Int32?
    package let reason: LossReason
    /// Microseconds since 1970 UTC.
    package let at: Int64
    package let datagrams: Int
    /// nil: only the datagrams could be counted.
    package let samples: Int?

    package init(processor: Int32?, reason: LossReason, at: Int64, datagrams: Int, samples: Int?) {
        (self.processor, self.reason, self.at, self.datagrams, self.samples) = (
            processor, reason, at, datagrams, samples
        )
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

    var frames: [Frame] = []
    var bytes: [UInt8] = []
    var lone: [LoneValue] = []
    var newMeters: [NewMeter] = []
    var latest: [Latest] = []
    /// Samples that another program's subscription brought a second time, by unit and time.
    var duplicates: [(processor: Int32, at: Int64, count: Int)] = []
    package var losses: [Loss] = []

    package init() {
        frames.reserveCapacity(Self.frameLimit)
        bytes.reserveCapacity(Self.byteLimit)
    }

    static let frameLimit = 1024
    static let byteLimit = 64 * 1024

    package var isEmpty: Bool {
        frames.isEmpty && lone.isEmpty && newMeters.isEmpty && latest.isEmpty && duplicates.isEmpty && losses.isEmpty
    }
    package var isFull: Bool {
        frames.count >= Self.frameLimit || bytes.count >= Self.byteLimit - 4096 || lone.count >= Self.frameLimit
            || losses.count >= Self.frameLimit || duplicates.count >= Self.frameLimit
    }
    /// Values in it that the store is to keep.
    package var samples: Int { frames.reduce(lone.count) { $0 + Int($1.values) } }

    /// What it holds on to, in bytes.
    var footprint: Int {
        frames.capacity * MemoryLayout<Frame>.stride + bytes.capacity + lone.capacity * MemoryLayout<LoneValue>.stride
            + losses.capacity * MemoryLayout<Loss>.stride
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
        duplicates.removeAll(keepingCapacity: true)
        losses.removeAll(keepingCapacity: true)
    }
}
