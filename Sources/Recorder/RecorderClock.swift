import AtlasProtocol
import Glibc
import Synchronization

/// Reads the host's clocks. Rows carry wall time: an anchor plus CLOCK_BOOTTIME, so that a time is the same whenever it
/// is converted, and only a step of the wall clock moves the anchor.
package final class RecorderClock: Sendable {
    /// A change of the wall clock against CLOCK_BOOTTIME beyond this is a step, in microseconds.
    package static let stepThreshold: Int64 = 100_000

    private let anchor: Atomic<Int64>  // wall time minus boot time, microseconds

    package init() { anchor = Atomic(Self.offset()) }

    package var now: Instant { Instant(microseconds: Self.microseconds(CLOCK_BOOTTIME)) }
    /// Microseconds since 1970 UTC.
    package var wallNow: Int64 { wall(of: now) }
    package func wall(of instant: Instant) -> Int64 { instant.microseconds + anchor.load(ordering: .relaxed) }

    /// If the wall clock was set since the last look: anchors anew and tells by how many microseconds.
    package func takeStep() -> Int64? {
        let before = anchor.load(ordering: .relaxed)
        let offset = Self.offset()
        guard abs(offset - before) > Self.stepThreshold else { return nil }
        anchor.store(offset, ordering: .relaxed)
        return offset - before
    }

    private static func offset() -> Int64 { microseconds(CLOCK_REALTIME) - microseconds(CLOCK_BOOTTIME) }

    static func microseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
