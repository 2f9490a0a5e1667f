import Testing

@testable import Configuration

/// What is no TOML, and what is no text: line, column, and what was most likely meant.
struct SyntaxTests {
    private func fault(_ bytes: [UInt8]) -> String {
        do throws(ConfigurationFaults) {
            _ = try Settings(text: ConfigurationFile.text(bytes))
            return ""
        } catch {
            return error.faults.map { $0.line(file: "f") }.joined(separator: "\n")
        }
    }

    @Test(
        "a line that is no TOML is named with line, column and advice",
        arguments: [
            ("name = Main Bar", "f:1:8: could not determine value type. Text is in quotes: name = \"Main Bar\""),
            (
                "\r\nhost = 10.0.0.1",
                "f:2:12: expected decimal digit or exponent, saw '.'. Text is in quotes: host = \"10.0.0.1\""
            ),
            ("host: \"x\"", "f:1:5: expected '=', saw ':'. Write = between a key and its value, not a colon."),
            ("host = “x”", "f:1:8: could not determine value type. Quotes are straight: \" and not “ or ”."),
            ("relay = yes", "f:1:9: could not determine value type. Write true or false."),
            ("meter port = 3131", "f:1:7: expected '=', saw 'p'. A key has no spaces: meter_port."),
            ("store = /a.sqlite", "f:1:9: could not determine value type. Text is in quotes: store = \"/a.sqlite\""),
            (
                "relay = true\nrelay = true",
                "f:2:9: cannot redefine existing boolean 'relay'. A key stands once; of two, which one was meant?"
            ),
            (
                "[processor]\nhost = \"a\"\n[processor]\nhost = \"b\"",
                "f:3:1: cannot redefine existing table 'processor'. Each processor begins with [[processor]], in two pairs of brackets."
            ),
            (
                "[[processor]\n",
                "f:1:13: expected ']', saw '\\n'. Each processor begins with [[processor]], in two pairs of brackets."
            ),
            ("keep_alive = 99999999999999999999", "f:1:34: '99999999999999999999' is not representable in 64 bits"),
        ])
    func syntax(text: String, says: String) { #expect(fault(Array(text.utf8)) == says) }

    @Test("an open quote is asked for")
    func openQuote() { #expect(fault(Array("host = \"10.0.0.1\nname = \"b\"".utf8)).hasSuffix("Is a quote missing?")) }

    @Test("a mark at the beginning is skipped; bytes that are no UTF-8, and UTF-16, are refused with their place")
    func encodings() {
        #expect(fault([0xEF, 0xBB, 0xBF] + Array("relay = true".utf8)) == "")
        #expect(
            fault(Array("# é\nname = \"".utf8) + [0xD1]) == "f:2:9: a byte that is no UTF-8; save the file as UTF-8")
        #expect(fault([0xD1]) == "f:1:1: a byte that is no UTF-8; save the file as UTF-8")
        #expect(fault([0xFF, 0xFE, 0x72, 0]) == "f: is in UTF-16; save it as UTF-8")
    }

    @Test(
        "a character 0 does not end the file or a name unseen",
        arguments: [
            ("relay = true\n\0keep_alive = 1000", 2, 1), ("name = \"a\\u0000b\"", 1, 10),
            ("name = \"é\\U00000000\"", 1, 10),
        ])
    func zero(text: String, line: Int, column: Int) {
        #expect(
            fault(Array(text.utf8))
                == "f:\(line):\(column): a character 0 can be in no name and in no path; is this a text file?")
    }

    @Test("a file that is nested without end is refused, not followed")
    func depth() {
        let deep = String(repeating: "a.", count: 20_000) + "a"
        #expect(fault(Array("\(deep) = 1".utf8)) == "f:1:1: a line with over 128 dots; no key and no host has so many")
        #expect(fault(Array("[\(deep)]".utf8)) == "f:1:1: a line with over 128 dots; no key and no host has so many")
        #expect(
            fault(Array(("a = " + String(repeating: "[", count: 60_000)).utf8)).contains("maximum nested value depth"))
        #expect(
            fault(Array(("a = " + String(repeating: "{a=", count: 20_000)).utf8)).contains("maximum nested value depth")
        )
        let some = String(repeating: "a.", count: 100) + "a = 1"
        #expect(fault(Array(some.utf8)).hasPrefix("f: a: there is no such key;"))
    }

    @Test(
        "a header that names nothing is refused",
        arguments: ["[.a]", "[[,]]", " [ = ]", "[#]", "[\u{7F}]", "[é]", "[[[a]]]", "[]", "[", "[[", "[[\r\n", "[\r"])
    func headers(text: String) { #expect(fault(Array(text.utf8)).hasPrefix("f:1:")) }

    @Test("no text at all ends the reader", arguments: [1, 2, 3, 4])
    func anyText(seed: UInt64) {
        var generator = Seeded(state: seed)
        for _ in 1...500 { anyText(&generator, seed) }
    }

    private func anyText(_ generator: inout Seeded, _ seed: UInt64) {
        let parts = [
            "[[processor]]\n", "[processor]\n", "host", "name", "port", "relay", " = ", "\"", "'", "\"\"\"", "\n",
            "\r\n", "{", "}",
            "[", "]", ",", ".", "#", "1", "-1", "1e9", "0x7f", "true", "2025-01-01", "07:30:00", "inf", "nan", "\\",
            "\\u00", "é", "\u{7F}",
        ]
        let text = (0..<Int.random(in: 1...60, using: &generator)).map { _ in parts.randomElement(using: &generator)! }
            .joined()
        for line in fault(Array(text.utf8)).split(separator: "\n") { #expect(line.hasPrefix("f:"), "seed \(seed)") }
    }
}

/// SplitMix64: the same texts at every run.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
