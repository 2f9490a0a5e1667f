import RecorderStore

/// How long something is kept: `36h`, `90d`, `12w`, `5y`, `forever`; otherwise as `DurationExpression`. A year is 365.25 days.
package enum AgeExpression {
    package static let forms = "36h, 90d, 12w, 5y, forever"
    private static let day: Int64 = 86_400_000_000
    private static let year = day / 4 * 1_461

    /// Microseconds, more than 0, at most 36,500 days; nil: for ever.
    package static func parse(_ text: String, flag: String) throws(TimeExpressionError) -> Int64? {
        var scanner = try ExpressionScanner(text, flag: flag, forms: forms)
        let begin = scanner
        if scanner.word().lowercased() == "forever", scanner.isAtEnd { return nil }
        scanner = begin
        if let years = scanner.digits(1...9), isYears(&scanner), scanner.isAtEnd {
            guard years > 0 else { throw scanner.refusal(.notPositive, "it is no time at all") }
            guard years < 100 else { throw scanner.refusal(.outOfRange, "it is more than 99 years; write forever") }
            return Int64(years) * year
        }
        do throws(TimeExpressionError) {
            let (seconds, attoseconds) = try DurationExpression.parse(text, flag: flag).components
            return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        } catch {
            throw TimeExpressionError(
                kind: error.kind, flag: flag, given: text,
                reason: error.kind == .notUnderstood ? "no length of time that is known here" : error.reason,
                forms: forms)
        }
    }

    private static func isYears(_ scanner: inout ExpressionScanner) -> Bool {
        scanner.skipSpaces()
        return ["y", "yr", "yrs", "year", "years"].contains(scanner.word().lowercased())
    }

    /// What `parse` reads back: in the largest unit that it is a whole number of.
    package static func text(_ microseconds: Int64?) -> String {
        Retention.text(microseconds)
    }
}
