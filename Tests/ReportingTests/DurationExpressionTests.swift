import Testing

@testable import Reporting
@testable import WallTime

@Suite struct DurationExpressionTests {
    static let durations: [(String, Int)] = [
        ("1s", 1), ("90s", 90), ("15m", 900), ("2h", 7_200), ("3d", 259_200), ("1w", 604_800),
        ("1h30m", 5_400), ("1d12h", 129_600), ("1w1d1h1m1s", 694_861), ("1h 30m", 5_400), ("2 hours", 7_200),
        ("1 hour 30 minutes", 5_400), (" 10s ", 10), ("0h5s", 5), ("007m", 420), ("36500d", 3_153_600_000),
    ]

    @Test("a duration is the sum of its whole amounts", arguments: durations)
    func parsing(text: String, seconds: Int) throws {
        #expect(try DurationExpression.parse(text) == .seconds(seconds))
    }

    static let refusals: [(String, TimeExpressionError.Kind)] = [
        ("", .notUnderstood), ("   ", .notUnderstood), ("s", .notUnderstood), ("90", .notUnderstood),
        ("-90s", .notUnderstood), ("1.5h", .notUnderstood), ("90x", .notUnderstood), ("1M", .notUnderstood),
        ("500ms", .notUnderstood), ("30m1h", .notUnderstood), ("1m1m", .notUnderstood), ("2h ago", .notUnderstood),
        ("1h30", .notUnderstood), ("9999999999999999999s", .notUnderstood), ("0s", .notPositive),
        ("0h0m", .notPositive), ("36501d", .outOfRange), ("99999999999999w", .outOfRange),
        ("999999999999999999s", .outOfRange), ("9223372036854s9s", .notUnderstood), ("1h\u{0}", .notUnderstood),
    ]

    @Test("what is no duration, or none above zero, is refused with the forms that work", arguments: refusals)
    func refusing(text: String, kind: TimeExpressionError.Kind) {
        let error = #expect(throws: TimeExpressionError.self) { try DurationExpression.parse(text) }
        #expect(error?.kind == kind)
        #expect(error?.flag == "--for" && error?.given == text)
        #expect(error?.description.contains("1h30m") == true)
    }
}
