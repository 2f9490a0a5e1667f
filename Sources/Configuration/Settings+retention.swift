import RecorderStore
import Reporting

/// `[retention]`: what it leaves out is as without it.
extension Settings {
    static func retention(_ table: inout TableReader) -> Retention {
        var kept = Retention.default
        if let samples = table.age("samples", example: "90d") { kept.samples = samples.microseconds }
        if let minutes = table.age("minutes", example: "5y") { kept.minutes = minutes.microseconds }
        if let events = table.age("events", example: "forever") { kept.events = events.microseconds }
        if let size = table.size("size", example: "20GB") { kept.size = size }
        guard table.faults.isEmpty else { return kept }
        if let samples = kept.samples, samples < shortest {
            table.refuse(
                "samples",
                "\(AgeExpression.text(samples)) is under an hour; minutes and hours are counted from samples: write 1h or more"
            )
        }
        table.refuse(
            "samples", kept.samples, longerThan: "minutes", kept.minutes,
            "minutes are what is left when samples are gone")
        table.refuse(
            "minutes", kept.minutes, longerThan: "events", kept.events,
            "events say which time is unknown, and what a meter was called")
        return kept
    }

    private static let shortest: Int64 = 3_600_000_000
}

extension TableReader {
    /// Microseconds; nil: for ever.
    fileprivate struct Age { let microseconds: Int64? }

    fileprivate mutating func age(_ key: String, example: String) -> Age? {
        read(key, example: example) { text throws(Refusal) in
            do throws(TimeExpressionError) {
                return Age(microseconds: try AgeExpression.parse(text, flag: key))
            } catch {
                throw Refusal(
                    reason: "'\(text)' cannot be used: \(error.reason); these work: \(AgeExpression.forms)")
            }
        }
    }

    fileprivate mutating func size(_ key: String, example: String) -> Int64? {
        read(key, example: example) { text throws(Refusal) in
            do throws(SizeExpression.Failure) { return try SizeExpression.parse(text) } catch {
                throw Refusal(reason: "\(error)")
            }
        }
    }

    fileprivate mutating func refuse(
        _ key: String, _ age: Int64?, longerThan other: String, _ otherAge: Int64?, _ reason: String
    ) {
        guard age ?? .max > otherAge ?? .max else { return }
        // At the one that was written; the other may be a default.
        let (long, short) = (AgeExpression.text(age), AgeExpression.text(otherAge))
        if has(key) {
            refuse(key, "\(long) is longer than \(other), \(short): \(reason); write \(other) = \"\(long)\" or longer")
        } else {
            refuse(other, "\(short) is shorter than \(key), \(long): \(reason); write \(long) or longer")
        }
    }
}
