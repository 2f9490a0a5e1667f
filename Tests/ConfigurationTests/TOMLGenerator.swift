/// Texts that are TOML, nearly TOML, and hardly TOML.
struct TOMLGenerator {
    var random: Seeded

    init(seed: UInt64) { random = Seeded(state: seed) }

    /// Half are as they were made; the others have a few places changed, byte by byte.
    mutating func document() -> [UInt8] {
        var text = ""
        for _ in 0..<number(1...5) { text += statement() + pick(["", " ", " # comment", "\t#é"]) + "\n" }
        if number(1...4) == 1 {
            text = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        }
        var bytes = Array(text.utf8)
        if number(1...2) == 1 { return bytes }
        for _ in 0..<pick([1, 1, 1, 2, 3]) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = number(0...bytes.count)
        switch number(1...5) {
        case 1 where place < bytes.count: bytes.remove(at: place)
        case 2 where place < bytes.count: bytes[place] = UInt8(number(0...255))
        case 3 where place < bytes.count: bytes.insert(bytes[place], at: place)
        case 4: bytes.removeSubrange(place..<min(bytes.count, place + number(0...6)))
        default: bytes.insert(contentsOf: Array(pick(Self.parts).utf8), at: place)
        }
    }

    private static let parts = [
        "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "'''", "\\", "\\u00", "\\e", "#", "\n",
        "\r", "\r\n", "\0",
        "_", "+", "-", "0", "0x", "e", "inf", "nan", "true", "1979-05-27", "07:32:00", "\u{7F}", "é", "a.b", " ", "\t",
    ]

    private mutating func statement() -> String {
        switch number(1...8) {
        case 1: "[\(space())\(key())\(space())]"
        case 2: "[[\(key())]]"
        case 3: ""
        default: "\(space())\(key())\(space())=\(space())\(value(3))"
        }
    }

    /// Few names, so that they meet.
    private mutating func key() -> String {
        var parts: [String] = []
        for _ in 0..<pick([1, 1, 1, 2, 3]) {
            parts.append(
                pick([
                    "a", "a", "b", "b", "c", "d", "e", "f", "g", "h", "i", "j", "1", "-_", "\"a\"", "'b'",
                    "\"\\u0061\"", "é", "\"é\"", "\"e\\u0301\"", "\"\"", "''",
                ]))
        }
        return parts.joined(separator: pick([".", ".", " . "]))
    }

    private mutating func value(_ depth: Int) -> String {
        // One in twenty is wrong as a whole.
        if number(1...20) == 1 {
            return pick([
                "", "yes", "True", "01", "1_", "_1", "1__2", "1.", ".1", "1.e2", "0x", "0xg", "+0x1", "0b2", "1e",
                "1e1_", "'", "\"",
            ])
        }
        switch number(1...(depth > 0 ? 9 : 7)) {
        case 1, 2: return text()
        case 3: return whole()
        case 4: return decimal()
        case 5: return moment()
        case 6: return pick(["true", "false"])
        case 7:
            return pick([
                "inf", "-inf", "+inf", "nan", "-nan", "0", "-0", "+0", "-0.0", "9223372036854775807",
                "-9223372036854775808", "9223372036854775808", "1e999",
            ])
        case 8:
            let items = (0..<number(0...3)).map { _ in value(depth - 1) }
            let comma = pick([",", ", ", " , ", ",\n", " # here\n,"])
            return "[" + space() + items.joined(separator: comma) + pick(["", ",", "\n", ", # last\n"]) + "]"
        default:
            let pairs = (0..<number(0...3)).map { _ in "\(key()) = \(value(depth - 1))" }
            return "{" + space() + pairs.joined(separator: pick([",", ", "])) + space() + "}"
        }
    }

    private mutating func text() -> String {
        let parts = (0..<number(0...4)).map { _ in
            pick([
                "a", "bc ", "é", "🎵", "#", "=", "\t", "[", "'", "\"", "\\n", "\\\\", "\\\"", "\\u00e9", "\\U0001F3B5",
                pick(["\\f", "\\b", "\\ud800", "\\x41", "\\"]),
            ])
        }
        let lines = (0..<number(0...4)).map { _ in
            pick(["a", "\n", "\n\n", "\\\n  ", "\\  \n\n b", "'", "''", "\"", "\"\"", "\\t", pick(["c", "\\r", "\\"])])
        }
        return switch number(1...4) {
        case 1: "\"\(parts.filter { $0 != "\"" }.joined())\""
        case 2: "'\(parts.filter { $0 != "'" }.joined())'"
        case 3: "\"\"\"\(lines.joined())\"\"\""
        default: "'''\(lines.joined())'''"
        }
    }

    private mutating func whole() -> String {
        switch number(1...4) {
        case 1: pick(["", "+", "-"]) + "\(number(0...99_999))"
        case 2: "0x" + pick(["dead_beef", "FF", "7fffffffffffffff", "8000000000000000"])
        case 3: pick(["0o755", "0o0", "0b1010", "0b1_0"])
        default: pick(["1_000", "-1_2_3", "12_34"])
        }
    }

    private mutating func decimal() -> String {
        pick(["", "+", "-"]) + "\(number(0...999))" + pick(["", ".5", ".0_1", ".125"])
            + pick(["", "e3", "E-7", "e+0_9", "e007"])
    }

    private mutating func moment() -> String {
        let date = pick([
            "1979-05-27", "1979-05-27", "2024-12-31", "2024-02-29", "2023-02-29", "2023-04-31", "2023-13-01",
            "2023-00-10", "979-05-27",
        ])
        let time = pick([
            "07:32:00", "07:32:00", "00:00:00", "07:32:00.5", "23:59:59.999999999", "00:00:00.", "24:00:00", "12:60:00",
            "12:00:60", "12:00",
        ])
        return switch number(1...3) {
        case 1: date
        case 2: time
        default:
            date + pick(["T", "t", " ", "T", "t", " ", "  ", ""]) + time
                + pick(["", "", "", "Z", "Z", "z", "+01:00", "-23:59", "+24:00", "+1:00", "+0100"])
        }
    }

    private mutating func space() -> String { pick(["", "", " ", "\t "]) }
    private mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
    private mutating func pick<T>(_ items: [T]) -> T { items.randomElement(using: &random)! }
}
