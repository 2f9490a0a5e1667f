import Testing

@testable import Reporting

struct AgeExpressionTests {
    private static let cases: [(String, hours: Int64?)] = [
        ("36h", 36), ("90d", 2_160), (" 12 weeks ", 2_016), ("1d12h", 36), ("4y", 35_064), ("1 year", 8_766),
        ("99Y", 867_834), ("forever", nil), ("Forever ", nil),
    ]

    @Test("lengths of time, years and for ever", arguments: cases)
    func parses(text: String, hours: Int64?) throws {
        #expect(try AgeExpression.parse(text, flag: "samples") == hours.map { $0 * 3_600_000_000 })
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "y", "90", "6d1y", "100y", "0y", "-1d", "1.5y", "for ever", "never", "99999999999999999999y", "1M",
        ])
    func refuses(text: String) {
        #expect(throws: TimeExpressionError.self) { try AgeExpression.parse(text, flag: "samples") }
    }

    @Test("what is printed is read back", arguments: ["36h", "90d", "5y", "61m", "forever", "1s", "365d"])
    func readsBack(text: String) throws {
        #expect(AgeExpression.text(try AgeExpression.parse(text, flag: "samples")) == text)
    }
}
