import AtlasProtocol

/// Turns the kernel's time stamps into the recorder's time. The kernel stamps a datagram by the wall clock, which may have
/// been set between that moment and now: a stamp that cannot be is replaced by the time of reading. All in microseconds.
struct Stamps {
    /// How long a datagram may have waited beyond the last round: the loop reads each socket at least once a second.
    private static let patience: Int64 = 1_000_000
    /// Two clocks are not read at one instant.
    private static let tolerance: Int64 = 1_000

    private let shift: Int64
    private let earliest: Int64
    private let latest: Int64

    /// For what is read at `now`; `since`: when the last round began.
    @inline(__always)
    init(_ clock: RecorderClock, _ now: Instant, since: Instant) {
        latest = clock.wallNow
        earliest = latest - (now - since).microseconds - Self.patience
        shift = clock.correction
    }

    /// Microseconds since 1970 UTC.
    @inline(__always)
    func wall(of stamp: Int64) -> Int64 {
        let at = stamp + shift
        return at > latest + Self.tolerance || at < earliest ? latest : at
    }
}
