import WallTime

/// What `--since`, `--until` and `--split` mean together: the time that a report is about, up to but not including
/// `untilMicroseconds`. All are microseconds since 1970 UTC.
package struct ReportWindow: Sendable, Equatable {
    package let sinceMicroseconds: Int64
    package let untilMicroseconds: Int64  // after since, never after now
    package let splitMicroseconds: Int64?  // between the two, equal to neither
    package let notes: [String]  // one line each for stderr: where a choice was made for the user

    /// - Parameter now: microseconds since 1970 UTC. The caller reads the clock, once for the whole report.
    package init(since: String?, until: String?, split: String?, now: Int64) throws(TimeExpressionError) {
        // All three are read before any is resolved: a typing error is told as that, not by what follows from it.
        let start = try since.map { given throws(TimeExpressionError) in try Bound("--since", given) }
        let end = try until.map { given throws(TimeExpressionError) in try Bound("--until", given) }
        let middle = try split.map { given throws(TimeExpressionError) in try Bound("--split", given) }

        // A clock before 1970 or after 9999 gives a refusal or a strange window, never a trap.
        let now = min(max(now, TimeExpression.instants.lowerBound), TimeExpression.instants.upperBound)
        var notes: [String] = []
        let from = if let start { try start.asSince(now: now, notes: &notes) } else { max(0, now - Self.day) }
        let to = if let end { try end.asUntil(since: from, now: now, notes: &notes) } else { now }
        guard to > from else { throw Self.empty(start: start, end: end, since: from, until: to) }
        sinceMicroseconds = from
        untilMicroseconds = to
        splitMicroseconds =
            if let middle { try middle.asSplit(since: from, until: to, now: now, notes: &notes) } else { nil }
        self.notes = notes
    }

    private static let day: Int64 = 86_400_000_000

    private static func empty(start: Bound?, end: Bound?, since: Int64, until: Int64) -> TimeExpressionError {
        let from = LocalTime.iso8601(since)
        guard let end else {
            let blamed = start ?? Bound("--since", given: "24h", .ago(microseconds: day))
            return blamed.refusal(.emptyWindow, "\(from) is not before now, \(LocalTime.iso8601(until))")
        }
        let origin = start.map { _ in "what --since says" } ?? "which is 24 hours ago, as no --since was given"
        return end.refusal(.emptyWindow, "\(LocalTime.iso8601(until)) is not after \(from), \(origin)")
    }
}

/// One flag with the expression given for it.
private struct Bound {
    let flag: String
    let given: String
    let expression: TimeExpression

    init(_ flag: String, _ given: String) throws(TimeExpressionError) {
        self.init(flag, given: given, try TimeExpression(given, flag: flag))
    }

    init(_ flag: String, given: String, _ expression: TimeExpression) {
        self.flag = flag
        self.given = given
        self.expression = expression
    }

    func refusal(_ kind: TimeExpressionError.Kind, _ reason: String) -> TimeExpressionError {
        TimeExpressionError(kind: kind, flag: flag, given: given, reason: reason, forms: TimeExpression.forms)
    }

    /// A bare clock time: the latest not after now. Else the earlier of two.
    func asSince(now: Int64, notes: inout [String]) throws(TimeExpressionError) -> Int64 {
        let found = try find(now: now, { $0.last(notAfter: now) }, choosing: { $0.candidates.first })
        let since = try accept(found, orElse: outOfRange, notes: &notes)
        guard since <= now else {
            throw refusal(.inFuture, "\(LocalTime.iso8601(since)) lies in the future, now is \(LocalTime.iso8601(now))")
        }
        return since
    }

    /// A bare clock time: the latest not after now, or where that is not after since, the next after since. Else the
    /// later of two. What lies in the future is cut to now.
    func asUntil(since: Int64, now: Int64, notes: inout [String]) throws(TimeExpressionError) -> Int64 {
        let found = try find(now: now) { clock in
            if let latest = clock.last(notAfter: now), latest.instant > since { return latest }
            return clock.first(after: since)
        } choosing: {
            $0.candidates.last
        }
        let until = try accept(found, orElse: outOfRange, notes: &notes)
        guard until > now else { return until }
        notes.append("\(flag): \(LocalTime.iso8601(until)) lies in the future, cut to now, \(LocalTime.iso8601(now))")
        return now
    }

    /// A bare clock time: the last inside the window. Else the earlier of two, or the later if only that is inside.
    func asSplit(since: Int64, until: Int64, now: Int64, notes: inout [String]) throws(TimeExpressionError) -> Int64 {
        let found = try find(now: now) { clock in
            clock.last(notAfter: until - 1).flatMap { $0.instant > since ? $0 : nil }
        } choosing: { occurrence in
            occurrence.candidates.first { $0 > since && $0 < until }
        }
        let window = "\(LocalTime.iso8601(since)) to \(LocalTime.iso8601(until))"
        let outside = refusal(.splitOutsideWindow, "it does not lie inside the window, \(window)")
        return try accept(found, orElse: outside, notes: &notes)
    }

    private typealias Found = (instant: Int64, of: Occurrence)

    /// Where the expression lies: the day of a bare clock time is up to `place`, which of several instants to `choose`.
    private func find(
        now: Int64, _ place: (ClockTime) -> Found?, choosing choose: (Occurrence) -> Int64?
    ) throws(TimeExpressionError) -> Found? {
        let occurrence: Occurrence
        switch expression {
        case .clock(let clock): return place(clock)
        case .now: occurrence = Occurrence(at: now)
        case .instant(let instant): occurrence = Occurrence(at: instant)
        case .ago(let elapsed):
            let (instant, overflow) = now.subtractingReportingOverflow(elapsed)
            if overflow { throw outOfRange }
            occurrence = Occurrence(at: instant)
        case .day(let before, let clock):
            occurrence = Occurrence(of: CivilTime(LocalTime.civil(at: now).date.adding(days: -before), clock))
        case .dated(let civil, let abbreviation):
            let any = Occurrence(of: civil)
            if let abbreviation { occurrence = try narrow(any, to: abbreviation, civil) } else { occurrence = any }
        }
        return choose(occurrence).map { ($0, occurrence) }
    }

    private func narrow(
        _ occurrence: Occurrence, to abbreviation: String, _ civil: CivilTime
    ) throws(TimeExpressionError) -> Occurrence {
        if let named = occurrence.named(abbreviation) { return named }
        // After the local zone's own names: one made with TZ=UTC+3 is called UTC and is not.
        if ["utc", "gmt"].contains(abbreviation.lowercased()) {
            return Occurrence(at: Int64(civil.secondsAsUTC) * 1_000_000 + Int64(civil.clock.microsecond))
        }
        let names = occurrence.candidates.map { LocalTime.zone(at: $0).abbreviation }.joined(separator: " or ")
        throw refusal(.notUnderstood, "the local zone is called \(names) then; for another zone, give its offset")
    }

    /// The instant that was found, with what must be said about it.
    private func accept(
        _ found: Found?, orElse absent: TimeExpressionError, notes: inout [String]
    ) throws(TimeExpressionError) -> Int64 {
        guard let (instant, occurrence) = found else { throw absent }
        guard TimeExpression.instants.contains(instant) else { throw outOfRange }
        if let remark = occurrence.remark(taking: instant) {
            notes.append("\(flag): \(remark) (\(LocalTime.iso8601(instant)))")
        }
        return instant
    }

    private var outOfRange: TimeExpressionError { refusal(.outOfRange, "it lies outside the years 1970 to 9999") }
}
