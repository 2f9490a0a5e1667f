import Testing

@testable import Reporting
@testable import WallTime

@Suite struct TimeExpressionTests {
    static let refusals: [(String, TimeExpressionError.Kind)] = [
        ("", .notUnderstood), ("  ", .notUnderstood), ("soon", .notUnderstood), ("tomorrow", .notUnderstood),
        ("ago", .notUnderstood), ("1761082200", .notUnderstood), ("16", .notUnderstood), ("16:3", .notUnderstood),
        ("16:30:5", .notUnderstood), ("016:30", .notUnderstood), ("16:30:05.", .notUnderstood),
        ("16:30:05.1234567", .notUnderstood), ("16:30:05,5", .notUnderstood), ("4:30pm", .notUnderstood),
        ("16:30Z", .notUnderstood), ("16:30 17:00", .notUnderstood), ("16.30", .notUnderstood),
        ("2025-1-1", .notUnderstood), ("25-10-21", .notUnderstood), ("21.10.2025", .notUnderstood),
        ("10/21/2025", .notUnderstood), ("20251021T163000Z", .notUnderstood), ("2025-10-21T", .notUnderstood),
        ("2025-10-21T16", .notUnderstood), ("2025-10-21_16:30", .notUnderstood), ("2025-10-21Z", .notUnderstood),
        ("2025-10-21T16:30+2", .notUnderstood), ("2025-10-21T16:30+02:", .notUnderstood),
        ("2025-10-21T16:30Z+02:00", .notUnderstood), ("2025-10-21T16:30:05ZZ x", .notUnderstood),
        ("10000-01-01", .notUnderstood), ("-2025-10-21", .notUnderstood), ("1.5h", .notUnderstood),
        ("2h later", .notUnderstood), ("-2h ago", .notUnderstood), ("+2h", .notUnderstood), ("--2h", .notUnderstood),
        ("1M", .notUnderstood), ("@", .notUnderstood), ("@-1", .notUnderstood), ("@1e9", .notUnderstood),
        ("@1.", .notUnderstood), ("now-2h", .notUnderstood), ("today16:30", .notUnderstood),
        ("16:30\u{0}", .notUnderstood), ("１６:３０", .notUnderstood), ("2025–10–21", .notUnderstood),
        (String(repeating: "9", count: 10_000), .notUnderstood), ("99999999999999999999h", .notUnderstood),
        ("24:00", .outOfRange), ("23:60", .outOfRange), ("23:59:60", .outOfRange), ("99:99:99", .outOfRange),
        ("2025-10-21 24:00", .outOfRange), ("2016-12-31T23:59:60Z", .outOfRange), ("2025-00-10", .outOfRange),
        ("2025-13-01", .outOfRange), ("2025-02-29", .outOfRange), ("2025-04-31", .outOfRange),
        ("2025-01-00", .outOfRange), ("1900-02-29", .outOfRange), ("2100-02-29", .outOfRange),
        ("0000-01-01", .outOfRange), ("1968-12-31", .outOfRange), ("1969-12-31T23:59:59Z", .outOfRange),
        ("1970-01-01T00:00+02:00", .outOfRange), ("9999-12-31T23:00-02:00", .outOfRange),
        ("2025-10-21T16:30+25:00", .outOfRange), ("2025-10-21T16:30+0260", .outOfRange),
        ("@253402300800", .outOfRange), ("@999999999999999999", .outOfRange), ("999999999999999999w", .outOfRange),
        ("153722867281m", .outOfRange), ("today 24:00", .outOfRange),
    ]

    @Test("what no clock shows and no form covers is refused with the forms that work", arguments: refusals)
    func refusing(text: String, kind: TimeExpressionError.Kind) {
        let error = #expect(throws: TimeExpressionError.self) { try TimeExpression(text, flag: "--since") }
        #expect(error?.kind == kind, "\(error?.description ?? "accepted")")
        #expect(error?.flag == "--since" && error?.given == text)
        #expect(error?.description.contains("'2 hours ago'") == true)
    }

    @Test("every form that the refusal offers is understood")
    func offeredForms() throws {
        let forms = TimeExpression.forms.split(separator: ", ").map { $0.filter { $0 != "'" } }
        #expect(forms.count == 19)
        for form in forms { _ = try TimeExpression(form, flag: "--since") }
        for form in DurationExpression.forms.split(separator: ", ") { _ = try DurationExpression.parse(String(form)) }
    }

    static let instants: [(String, Int64)] = [
        ("@1761082200", 1_761_082_200_000_000), ("@1761082200.5", 1_761_082_200_500_000),
        ("@1761082200.000001", 1_761_082_200_000_001), ("@0", 0), ("@253402300799.999999", 253_402_300_799_999_999),
        ("2025-10-21T21:30:00Z", 1_761_082_200_000_000), ("2025-10-21t21:30z", 1_761_082_200_000_000),
        ("2025-10-21 23:30 +02:00", 1_761_082_200_000_000), ("2025-10-21T23:30+0200", 1_761_082_200_000_000),
        ("2025-10-21T23:30+02", 1_761_082_200_000_000), ("2025-10-21T16:30:00.25-05:00", 1_761_082_200_250_000),
        ("2025-10-22T03:15:00+05:45", 1_761_082_200_000_000), ("2025-10-21T21:30-00:00", 1_761_082_200_000_000),
        ("2025-10-21T21:30:00.123456Z", 1_761_082_200_123_456), ("1969-12-31T23:15:30-00:44:30", 0),
        ("2000-02-29T00:00Z", 951_782_400_000_000), ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
    ]

    @Test("a time with an offset, and seconds since 1970, need no zone to be one instant", arguments: instants)
    func namedInstants(text: String, microseconds: Int64) throws {
        #expect(try TimeExpression(text, flag: "--since") == .instant(microseconds: microseconds))
    }

    @Test("a hostile argument is shown short and escaped")
    func escaping() {
        let bell = "\u{7}\u{1B}[2J\u{202E}\n" + String(repeating: "x", count: 5_000)
        let error = #expect(throws: TimeExpressionError.self) { try TimeExpression(bell, flag: "--until") }
        let shown = error?.description ?? ""
        #expect(shown.hasPrefix("--until '") && shown.count < 500)
        #expect(shown.unicodeScalars.allSatisfy { $0.value >= 32 && $0 != "\u{202E}" })
    }

    @Test("an error reads as a sentence and a remedy")
    func wording() {
        let error = #expect(throws: TimeExpressionError.self) { try TimeExpression("25:00", flag: "--since") }
        #expect(
            error?.description
                == "--since '25:00': hours go from 00 to 23. These work: \(TimeExpression.forms).")
    }
}
