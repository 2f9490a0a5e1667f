import AtlasProtocol
import Locks
import struct Synchronization.Atomic

/// Tells the time of everything that is recorded: an anchor plus CLOCK_BOOTTIME, so that the distance of two times is what
/// passed between them, and only a step of the wall clock moves the anchor.
package final class RecorderClock: Sendable {
    /// A change of the wall clock against CLOCK_BOOTTIME beyond this is a step. Microseconds, like the next two.
    package static let stepThreshold: Int64 = 100_000
    /// Looks are a second apart. Over this the recorder was held up: stopped by a signal, or the host had no time for it.
    package static let stallThreshold: Int64 = 5_000_000
    /// How far CLOCK_BOOTTIME went on alone when the host slept.
    package static let sleepThreshold: Int64 = 1_000_000

    /// What was found at a look: time that cannot be accounted for as usual. Microseconds since 1970 UTC.
    package enum Disruption: Equatable, Sendable {
        /// Nobody recorded: `recorder_stalled` or `host_asleep`.
        case paused(from: Int64, until: Int64, Cause)
        /// The wall clock was set by so many microseconds and shows `at` now.
        case clockSet(at: Int64, by: Int64)
    }

    /// Wall time minus boot time, and from when on it holds.
    private struct Anchor {
        let from: Instant
        let offset: Int64
    }
    private struct History {
        /// Oldest first, at least one. What is told late was seen within minutes: a few are enough.
        var anchors: [Anchor]
        /// At the last look: when it was, and how long the host has slept since it booted.
        var looked: Instant
        var slept: Int64
    }
    private static let anchorsKept = 16

    private let host: HostClocks
    private let offset: Atomic<Int64>  // the last anchor's, for the receiver, which converts at its own pace
    private let history: Mutex<History>

    package init(_ host: HostClocks = .system) {
        self.host = host
        let (boot, offset) = Self.read(host)
        self.offset = Atomic(offset)
        let now = Instant(microseconds: boot)
        history = Mutex(
            History(anchors: [Anchor(from: now, offset: offset)], looked: now, slept: boot - host.awake()))
    }

    package var now: Instant { Instant(microseconds: host.boot()) }
    /// Microseconds since 1970 UTC.
    package var wallNow: Int64 { host.boot() + offset.load(ordering: .relaxed) }
    /// What to add to the wall clock's own time, as the kernel stamps datagrams with it: 0 but for the moment between a
    /// step and the look that finds it. Microseconds.
    package var correction: Int64 {
        let difference = wallNow - host.stamping()
        // Two clocks are not read at one instant.
        return abs(difference) < 1_000 ? 0 : difference
    }

    /// The wall clock is read between two readings of the other, and again if the thread was interrupted there.
    private static func read(_ host: HostClocks) -> (boot: Int64, offset: Int64) {
        var (before, wall, after) = (host.boot(), host.wall(), host.boot())
        for _ in 0..<3 where after - before > 20 { (before, wall, after) = (host.boot(), host.wall(), host.boot()) }
        return (after, wall - (before + after) / 2)
    }

    /// Microseconds since 1970 UTC, as the wall clock was set at that instant. If it was set back since: not after the
    /// moment it was set to, for time that is lived twice belongs to the second passage.
    package func wall(of instant: Instant) -> Int64 {
        history.withLock { history in
            var wall = instant.microseconds + history.anchors[0].offset
            for anchor in history.anchors.dropFirst() {
                if instant >= anchor.from {
                    wall = instant.microseconds + anchor.offset
                } else {
                    wall = min(wall, anchor.from.microseconds + anchor.offset)
                }
            }
            return wall
        }
    }

    /// The beginning of a run, microseconds since 1970 UTC: what was before it is not looked at.
    package func begin() -> Int64 {
        history.withLock { history in
            let (boot, offset) = Self.read(host)
            history.looked = Instant(microseconds: boot)
            history.slept = boot - host.awake()
            history.anchors = [Anchor(from: history.looked, offset: offset)]
            self.offset.store(offset, ordering: .relaxed)
            return boot + offset
        }
    }

    /// Looks whether time went on as it should since the last look; called each second. In order of time.
    package func look() -> [Disruption] {
        history.withLock { history in
            let (boot, offset) = Self.read(host)
            let now = Instant(microseconds: boot)
            var found: [Disruption] = []
            let before = self.offset.load(ordering: .relaxed)
            let (from, until) = (history.looked.microseconds + before, boot + before)
            let slept = boot - host.awake()
            if slept - history.slept > Self.sleepThreshold {
                found.append(.paused(from: from, until: until, .hostAsleep))
            } else if until - from > Self.stallThreshold {
                found.append(.paused(from: from, until: until, .recorderStalled))
            }
            (history.looked, history.slept) = (now, slept)

            if abs(offset - before) > Self.stepThreshold {
                history.anchors.append(Anchor(from: now, offset: offset))
                if history.anchors.count > Self.anchorsKept { history.anchors.removeFirst() }
                self.offset.store(offset, ordering: .relaxed)
                found.append(.clockSet(at: boot + offset, by: offset - before))
            }
            return found
        }
    }
}
