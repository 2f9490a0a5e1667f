import WallTime

/// A point in time as the user wrote it. Parsing is pure: neither the clock nor the zone is asked, so the same text
/// gives the same value everywhere; `ReportWindow` makes instants of it.
package enum TimeExpression: Sendable, Equatable {
    case now
    case ago(microseconds: Int64)  // elapsed time: `1d` is 86,400 s also when summer time begins or ends
    case instant(microseconds: Int64)  // `@1761082200`, or a date and time with an offset; since 1970 UTC
    case clock(ClockTime)  // `16:30`; which day's depends on the flag
    case day(before: Int, ClockTime)  // 0: today, 1: yesterday, on the local calendar; 00:00 if no time was given
    case dated(CivilTime, abbreviation: String?)  // local; `CST` picks one of two instants, `UTC` is UTC

    package static let forms = """
        16:30, 16:30:05, 2025-10-21, '2025-10-21 16:30', 2025-10-21T16:30:05.250, 2025-10-21T16:30:05-05:00, \
        2025-10-21T21:30:05Z, today, yesterday, 'yesterday 16:30', now, 90s, 15m, 2h, 3d, 1w, '2 hours ago', -2h, \
        @1761082200
        """

    /// Reads `text`. `flag` is only for the error.
    package init(_ text: String, flag: String) throws(TimeExpressionError) {
        var scanner = try ExpressionScanner(text, flag: flag, forms: Self.forms)
        self = try scanner.timeExpression()
        guard scanner.isAtEnd else { throw scanner.refusal(.notUnderstood, "no such form") }
    }

    /// The instants that may be named, microseconds since 1970 UTC: until the end of 9999.
    static let instants: ClosedRange<Int64> = 0...253_402_300_799_999_999
}

extension ExpressionScanner {
    fileprivate mutating func timeExpression() throws(TimeExpressionError) -> TimeExpression {
        if nextIsLetter { return try named() }
        if take("@") { return try sinceEpoch() }
        if take("-") { return .ago(microseconds: try elapsedMicroseconds()) }
        guard nextIsDigit else { throw refusal(.notUnderstood, "no such form") }
        switch byteAfterDigits {
        case UInt8(ascii: "-"): return try dated()
        case UInt8(ascii: ":"): return .clock(try clockTime())
        case nil: throw refusal(.notUnderstood, "a number needs a unit (90s, 15m) or, for seconds since 1970, an @")
        default: return .ago(microseconds: try ago())
        }
    }

    private mutating func named() throws(TimeExpressionError) -> TimeExpression {
        let name = word().lowercased()
        switch name {
        case "now": return .now
        case "today", "yesterday":
            let clock = skipSpaces() && nextIsDigit ? try clockTime() : .midnight
            return .day(before: name == "today" ? 0 : 1, clock)
        default: throw refusal(.notUnderstood, "no such form")
        }
    }

    private mutating func sinceEpoch() throws(TimeExpressionError) -> TimeExpression {
        guard let seconds = digits(1...18) else {
            throw refusal(.notUnderstood, "after @ come the seconds since 1970 UTC")
        }
        return .instant(microseconds: try instant(seconds, try microseconds()))
    }

    /// `2h`, `2h ago`, `2 hours ago`: the word is only for the reader.
    private mutating func ago() throws(TimeExpressionError) -> Int64 {
        let elapsed = try elapsedMicroseconds()
        if nextIsLetter, word().lowercased() != "ago" { throw refusal(.notUnderstood, "no such form") }
        return elapsed
    }

    private mutating func dated() throws(TimeExpressionError) -> TimeExpression {
        let date = try calendarDate()
        if isAtEnd { return .dated(CivilTime(date, .midnight), abbreviation: nil) }
        guard take("t") || skipSpaces() else {
            throw refusal(.notUnderstood, "after the date comes a T or a space, then the time")
        }
        let civil = CivilTime(date, try clockTime())
        skipSpaces()
        if nextIsLetter {
            let name = word()
            guard name.lowercased() == "z" else { return .dated(civil, abbreviation: name) }
            return .instant(microseconds: try instant(civil.secondsAsUTC, civil.clock.microsecond))
        }
        guard let offset = try offsetSeconds() else { return .dated(civil, abbreviation: nil) }
        return .instant(microseconds: try instant(civil.secondsAsUTC - offset, civil.clock.microsecond))
    }

    private mutating func calendarDate() throws(TimeExpressionError) -> CivilDate {
        guard let year = digits(4...4), take("-"), let month = digits(2...2), take("-"), let day = digits(2...2)
        else {
            throw refusal(.notUnderstood, "a date is YYYY-MM-DD")
        }
        // West of Greenwich the first hours of 1970 UTC are printed, and so must be read, as 1969.
        guard year >= 1969 else { throw refusal(.outOfRange, "years go from 1970 to 9999") }
        guard 1...12 ~= month else { throw refusal(.outOfRange, "there is no month \(zeroPadded(month, 2))") }
        guard day >= 1, day <= CivilDate.daysIn(month: month, of: year) else {
            throw refusal(
                .outOfRange, "\(zeroPadded(year, 4))-\(zeroPadded(month, 2)) has no day \(zeroPadded(day, 2))")
        }
        return CivilDate(year: year, month: month, day: day)
    }

    private mutating func clockTime() throws(TimeExpressionError) -> ClockTime {
        guard let hour = digits(1...2), take(":"), let minute = digits(2...2) else {
            throw refusal(.notUnderstood, "a time of day is HH:MM, HH:MM:SS or HH:MM:SS.mmm")
        }
        var second = 0
        var microsecond = 0
        if take(":") {
            guard let digits = digits(2...2) else { throw refusal(.notUnderstood, "seconds have two digits") }
            second = digits
            microsecond = try microseconds()
        }
        guard hour <= 23 else { throw refusal(.outOfRange, "hours go from 00 to 23") }
        guard minute <= 59 else { throw refusal(.outOfRange, "minutes go from 00 to 59") }
        guard second <= 59 else { throw refusal(.outOfRange, "seconds go from 00 to 59") }
        return ClockTime(hour: hour, minute: minute, second: second, microsecond: microsecond)
    }

    /// `+02:00`, `+0200`, `+02`, `-00:44:30`: seconds east of UTC; nil if no sign comes next.
    private mutating func offsetSeconds() throws(TimeExpressionError) -> Int? {
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        if sign == 0 { return nil }
        var fields = (hours: 0, minutes: 0, seconds: 0)
        if let together = digits(4...4) {
            (fields.hours, fields.minutes) = (together / 100, together % 100)
        } else if let hours = digits(2...2) {
            fields.hours = hours
            if take(":") { fields.minutes = try offsetField() }
            if take(":") { fields.seconds = try offsetField() }
        } else {
            throw refusal(.notUnderstood, "an offset is +02:00, +0200 or Z")
        }
        // POSIX lets a TZ written by hand be up to 24:59:59 away, and the program prints what it is.
        guard fields.hours <= 24, fields.minutes <= 59, fields.seconds <= 59 else {
            throw refusal(.outOfRange, "no zone is that far from UTC")
        }
        return sign * (fields.hours * 3_600 + fields.minutes * 60 + fields.seconds)
    }

    private mutating func offsetField() throws(TimeExpressionError) -> Int {
        guard let field = digits(2...2) else { throw refusal(.notUnderstood, "an offset is +02:00, +0200 or Z") }
        return field
    }

    private func instant(_ seconds: Int, _ microsecond: Int) throws(TimeExpressionError) -> Int64 {
        let (whole, tooLarge) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000)
        let (instant, overflow) = whole.addingReportingOverflow(Int64(microsecond))
        guard !tooLarge, !overflow, TimeExpression.instants.contains(instant) else {
            throw refusal(.outOfRange, "it lies outside the years 1970 to 9999")
        }
        return instant
    }
}
