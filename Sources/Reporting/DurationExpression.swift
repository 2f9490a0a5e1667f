import WallTime

/// Lengths of time: `90s`, `15m`, `2h`, `3d`, `1w`, `5y`, `1h30m`, `2 hours`. Whole numbers, units from large to small, each
/// at most once. A day is 86,400 s, a week 7 and a year 365.25 of them, whatever the calendar does meanwhile.
package enum DurationExpression {
    package static let forms = "90s, 15m, 2h, 3d, 1w, 1h30m"

    /// The duration that `text` says: more than 0, at most 36,500 days, so that it fits nanoseconds in 64 bits too.
    package static func parse(_ text: String, flag: String = "--for") throws(TimeExpressionError) -> Duration {
        var scanner = try ExpressionScanner(text, flag: flag, forms: forms)
        let microseconds = try scanner.elapsedMicroseconds()
        guard scanner.isAtEnd else { throw scanner.refusal(.notUnderstood, "something follows the last unit") }
        guard microseconds > 0 else { throw scanner.refusal(.notPositive, "it is no time at all") }
        guard microseconds <= longest else { throw scanner.refusal(.outOfRange, "it is more than 36500 days") }
        return .microseconds(microseconds)
    }

    private static let longest: Int64 = 36_500 * 86_400 * 1_000_000
}

extension ExpressionScanner {
    /// Consumes amounts with their units (`2h`, `1h30m`, `2 hours`); what follows the last is left to the caller.
    mutating func elapsedMicroseconds() throws(TimeExpressionError) -> Int64 {
        var total: Int64 = 0
        var smallest = Int64.max
        repeat {
            guard let amount = digits(1...18) else {
                throw refusal(.notUnderstood, nextIsDigit ? "the number is too large" : "no such form")
            }
            let unit = try unitSeconds()
            guard unit < smallest else {
                throw refusal(.notUnderstood, "units go from large to small, each once, as in 1h30m")
            }
            smallest = unit
            let (part, tooLarge) = Int64(amount).multipliedReportingOverflow(by: unit * 1_000_000)
            let (sum, overflow) = total.addingReportingOverflow(part)
            if tooLarge || overflow { throw refusal(.outOfRange, "the number is too large") }
            total = sum
            skipSpaces()
        } while nextIsDigit
        return total
    }

    private mutating func unitSeconds() throws(TimeExpressionError) -> Int64 {
        if take(".") { throw refusal(.notUnderstood, "only whole numbers have a unit: 90m, not 1.5h") }
        skipSpaces()
        let unit = word()
        // `M` is a month elsewhere: do not take it for a minute.
        switch unit == "M" ? unit : unit.lowercased() {
        case "s", "sec", "secs", "second", "seconds": return 1
        case "m", "min", "mins", "minute", "minutes": return 60
        case "h", "hr", "hrs", "hour", "hours": return 3_600
        case "d", "day", "days": return 86_400
        case "w", "week", "weeks": return 604_800
        case "y", "yr", "yrs", "year", "years": return 31_557_600
        case "": throw refusal(.notUnderstood, "a number needs a unit: s, m, h, d, w or y")
        default: throw refusal(.notUnderstood, "the units are s, m, h, d, w and y")
        }
    }
}
