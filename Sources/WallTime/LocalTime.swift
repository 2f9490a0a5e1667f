import Glibc

/// The local time zone (TZ, else /etc/localtime), read through glibc. Instants are microseconds since 1970 UTC.
///
/// `mktime` is not used: for a time that exists twice its answer with tm_isdst -1 depends on what was asked before, and
/// tm_isdst 0 and 1 cannot tell the two apart where the zone's standard time itself was set back (Moscow 2014).
/// `localtime_r` gives the offset at any instant, and that is all `instants(of:)` needs.
package enum LocalTime {
    /// The instants at which the local clocks show one civil time.
    package enum Instants: Sendable, Equatable {
        case once(Int64)
        case twice(earlier: Int64, later: Int64)  // clocks were set back over it
        case never(change: Int64)  // clocks were set forward over it, at this instant
    }

    /// What the local zone is called and how far east of UTC its clocks are, at one instant.
    package struct Zone: Sendable, Equatable {
        package let abbreviation: String  // "CST", "+0545"
        package let offsetSeconds: Int
    }

    /// Takes the zone from the environment. Once at the program's start: `localtime_r` need not notice a later change.
    package static func readZone() { tzset() }

    package static func zone(at microseconds: Int64) -> Zone {
        let local = broken(flooredDivision(Int(microseconds), by: 1_000_000).quotient)
        return Zone(abbreviation: local.tm_zone.map { String(cString: $0) } ?? "", offsetSeconds: local.tm_gmtoff)
    }

    package static func civil(at microseconds: Int64) -> CivilTime {
        let (seconds, microsecond) = flooredDivision(Int(microseconds), by: 1_000_000)
        return CivilTime(secondsAsUTC: seconds + offset(at: seconds), microsecond: microsecond)
    }

    /// `2025-10-21 16:30:00.000`, local; cut, not rounded, to milliseconds, so never later than the instant.
    package static func text(_ microseconds: Int64) -> String {
        written(civil(at: microseconds), separator: " ")
    }

    /// `2025-10-21 16:30:00.000 CDT`: for people, and still one instant in the hour that comes twice.
    package static func textWithZone(_ microseconds: Int64) -> String {
        "\(text(microseconds)) \(zone(at: microseconds).abbreviation)"
    }

    /// `2025-10-21T16:30:00.000-05:00`, cut to milliseconds. Names one instant wherever it is read.
    package static func iso8601(_ microseconds: Int64) -> String {
        let offset = zone(at: microseconds).offsetSeconds
        let size = abs(offset)
        var suffix = "\(offset < 0 ? "-" : "+")\(zeroPadded(size / 3_600, 2)):\(zeroPadded(size / 60 % 60, 2))"
        if size % 60 != 0 { suffix += ":\(zeroPadded(size % 60, 2))" }  // Monrovia until 1972; a TZ written by hand
        return written(civil(at: microseconds), separator: "T") + suffix
    }

    /// Every instant at which the local clocks show `civil`. The change that skips a time has no fraction of a second.
    package static func instants(of civil: CivilTime) -> Instants {
        let wall = civil.secondsAsUTC
        let offsets = Set(stride(from: wall - reach, through: wall + reach, by: 14_400).map(offset(at:)))
        let found = offsets.map { wall - $0 }.filter { $0 + offset(at: $0) == wall }.sorted()
            .map { Int64($0) * 1_000_000 + Int64(civil.clock.microsecond) }
        guard let first = found.first, let last = found.last else {
            return .never(change: Int64(change(over: wall)) * 1_000_000)
        }
        return first == last ? .once(first) : .twice(earlier: first, later: last)
    }

    /// Seconds by which local clocks may differ from UTC, and a little: POSIX allows a TZ of up to 24:59:59.
    private static let reach = 26 * 3_600

    /// The first second after the clocks jumped over `wall`, by bisection: before it they show less, from it on more.
    private static func change(over wall: Int) -> Int {
        var (before, after) = (wall - reach, wall + reach)
        while after - before > 1 {
            let middle = before + (after - before) / 2
            if middle + offset(at: middle) < wall { before = middle } else { after = middle }
        }
        return after
    }

    private static func offset(at seconds: Int) -> Int { broken(seconds).tm_gmtoff }

    private static func broken(_ seconds: Int) -> tm {
        var (time, local) = (time_t(seconds), tm())
        precondition(localtime_r(&time, &local) != nil, "a year that fits Int64 microseconds fits tm_year")
        return local
    }

    private static func written(_ civil: CivilTime, separator: String) -> String {
        let clock = civil.clock
        let time = "\(zeroPadded(clock.hour, 2)):\(zeroPadded(clock.minute, 2)):\(zeroPadded(clock.second, 2))"
        return "\(civil.date)\(separator)\(time).\(zeroPadded(clock.microsecond / 1_000, 3))"
    }
}
