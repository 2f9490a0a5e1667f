import Glibc

/// The host's clocks, in microseconds. A test passes its own to set the wall clock or to put the host to sleep.
package struct HostClocks: Sendable {
    /// CLOCK_REALTIME: since 1970 UTC. May be set at any time.
    package let wall: @Sendable () -> Int64
    /// CLOCK_BOOTTIME: never set, goes on while the host sleeps.
    package let boot: @Sendable () -> Int64
    /// CLOCK_MONOTONIC: the same, but stands still while the host sleeps (clock_gettime(2)).
    package let awake: @Sendable () -> Int64
    /// What the kernel stamps datagrams with: the wall clock, also where a test has another one.
    package let stamping: @Sendable () -> Int64

    package init(
        wall: @escaping @Sendable () -> Int64, boot: @escaping @Sendable () -> Int64,
        awake: @escaping @Sendable () -> Int64, stamping: (@Sendable () -> Int64)? = nil
    ) {
        (self.wall, self.boot, self.awake, self.stamping) = (wall, boot, awake, stamping ?? wall)
    }

    package static let system = HostClocks(
        wall: { microseconds(CLOCK_REALTIME) }, boot: { microseconds(CLOCK_BOOTTIME) },
        awake: { microseconds(CLOCK_MONOTONIC) })

    private static func microseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
