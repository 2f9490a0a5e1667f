import RecorderStore

/// How long something is kept: `36h`, `90d`, `12w`, `5y`, `forever`; otherwise as `DurationExpression`. A year is 365.25 days.
package enum AgeExpression {
    package static let forms = "36h, 90d, 12w, 5y, forever"

    /// Microseconds, more than 0, at most 36,500 days; nil: for ever.
    package static func parse(_ text: String, flag: String) throws(TimeExpressionError) -> Int64? {
        var scanner = try ExpressionScanner(text, flag: flag, forms: forms)
        if scanner.word().lowercased() == "forever", scanner.isAtEnd { return nil }
        do throws(TimeExpressionError) {
            let (seconds, attoseconds) = try DurationExpression.parse(text, flag: flag).components
            return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        } catch {
            let reason =
                switch error.kind {
                case .notUnderstood: "no length of time that is known here"
                case .outOfRange: "it is more than 99 years; write forever"
                default: error.reason
                }
            throw TimeExpressionError(kind: error.kind, flag: flag, given: text, reason: reason, forms: forms)
        }
    }

    /// What `parse` reads back: in the largest unit that it is a whole number of.
    package static func text(_ microseconds: Int64?) -> String {
        Retention.text(microseconds)
    }
}
