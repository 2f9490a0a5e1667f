/// A point on the recorder's own time line: microseconds of CLOCK_BOOTTIME, which never goes back and counts the time
/// that the host sleeps (clock_gettime(2)). Rows carry wall time; the edge converts with one anchor per run.
package struct Instant: Comparable, Hashable, Sendable {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static func < (left: Instant, right: Instant) -> Bool { left.microseconds < right.microseconds }
    package static func + (instant: Instant, span: Span) -> Instant {
        Instant(microseconds: instant.microseconds + span.microseconds)
    }
    package static func - (instant: Instant, span: Span) -> Instant {
        Instant(microseconds: instant.microseconds - span.microseconds)
    }
    package static func - (later: Instant, earlier: Instant) -> Span {
        Span(microseconds: later.microseconds - earlier.microseconds)
    }
}

/// A length of time in whole microseconds, so that sums are exact.
package struct Span: Comparable, Hashable, Sendable {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }
    package static func seconds(_ count: Int) -> Span { Span(microseconds: Int64(count) * 1_000_000) }
    package static func milliseconds(_ count: Int) -> Span { Span(microseconds: Int64(count) * 1_000) }

    package static func < (left: Span, right: Span) -> Bool { left.microseconds < right.microseconds }
    package static func / (span: Span, divisor: Int64) -> Span { Span(microseconds: span.microseconds / divisor) }
    package static func * (span: Span, factor: Int64) -> Span { Span(microseconds: span.microseconds * factor) }
}
