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
            (
                "name = Main Bar",
                "f:1:8: 'Main' is neither a number nor true or false. Text is in quotes: name = \"Main Bar\""
            ),
            (
                "\r\nhost = 10.0.0.1",
                "f:2:8: '10.0.0.1' is neither a number nor true or false. Text is in quotes: host = \"10.0.0.1\""
            ),
            (
                "host: \"x\"",
                "f:1:5: = is missing here, behind the key; there is :. Write = between a key and its value, not a colon."
            ),
            ("host = “x”", "f:1:8: a value is missing here; there is “. Quotes are straight: \" and not “ or ”."),
            ("relay = yes", "f:1:9: 'yes' is neither a number nor true or false. Write true or false."),
            ("relay =", "f:1:8: a value is missing here; the file ends"),
            ("port = 0123", "f:1:8: '0123' is neither a number nor true or false"),
            (
                "meter port = 3131",
                "f:1:7: = is missing here, behind the key; there is p. A key has no spaces: meter_port."
            ),
            (
                "store = /a.sqlite",
                "f:1:9: a value is missing here; there is /. Text is in quotes: store = \"/a.sqlite\""
            ),
            (
                "relay = true\nrelay = true",
                "f:2:1: \"relay\" is there already, since line 1. A key stands once; of two, which one was meant?"
            ),
            (
                "[processor]\nhost = \"a\"\n[processor]\nhost = \"b\"",
                "f:3:2: \"processor\" is there already, since line 1. Each processor begins with [[processor]], in two pairs of brackets."
            ),
            (
                "[[processor]\n",
                "f:1:13: ]] is missing here; the line ends. Each processor begins with [[processor]], in two pairs of brackets."
            ),
            (
                "keep_alive = 99999999999999999999",
                "f:1:14: 99999999999999999999 is too large for a whole number, which has 64 bits"
            ),
            ("a = [1,\n2", "f:1:5: the list that begins here is not closed with ]"),
            ("a = [1 2]", "f:1:8: a comma, or the list's ], is missing here; there is 2"),
            ("a = {b = 1", "f:1:11: a comma, or the table's }, is missing on this line; the file ends"),
            ("a = 1 b = 2", "f:1:7: nothing more can be on this line; there is b"),
            ("é = 1", "f:1:1: a key is missing here; there is é"),
            (
                "store = \"C:\\data\"",
                "f:1:12: a backslash begins something that has no meaning; write \\\\ for one, or put the text in single quotes"
            ),
            ("a = \"\\ud800\"", "f:1:6: behind \\u stand 4 hexadecimal digits of a character of Unicode"),
            ("# \u{7}", "f:1:3: a control character cannot be in a comment; there is the character U+0007"),
            (
                "a = 'é\u{7}'",
                "f:1:7: a control character cannot be in a text; there is the character U+0007; write it in double quotes, as \\u0007"
            ),
        ])
    func syntax(text: String, says: String) { #expect(fault(Array(text.utf8)) == says) }

    @Test("an open quote is asked for, where it was opened")
    func openQuote() {
        let line = "the text that begins here is not closed where the line ends. Is a quote missing?"
        #expect(fault(Array("host = \"10.0.0.1\nname = \"b\"".utf8)) == "f:1:8: \(line)")
        let file = "the text that begins here is not closed where the file ends. Is a quote missing?"
        #expect(fault(Array("\nname = '''\na\n''".utf8)) == "f:2:8: \(file)")
    }

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
            (
                "relay = true\n\0keep_alive = 1000",
                "2:1: a key is missing here; there is the character U+0000"
            ),
            (
                "[[processor]]\nhost = \"a\"\nname = \"a\\u0000b\"",
                "3:8: processor[1].name: has a control character, such as a new line or a tab; write a name of one line"
            ),
            (
                "store = \"/a\\U00000000\"",
                "1:9: store: has a control character, such as a new line or a tab; write the path on one line"
            ),
            ("[[processor]]\nhost = \"a\\u0000\"", "2:8: processor[1].host: 'a\\u0000' is no host name"),
        ])
    func zero(text: String, says: String) { #expect(fault(Array(text.utf8)) == "f:\(says)") }

    @Test("a file that is nested without end is refused, not followed")
    func depth() {
        let says = "tables and lists are over 100 deep here; no key of this file needs more than two"
        let deep = String(repeating: "a.", count: 20_000) + "a"
        #expect(fault(Array("\(deep) = 1".utf8)) == "f:1:201: \(says)")
        #expect(fault(Array("[\(deep)]".utf8)) == "f:1:202: \(says)")
        #expect(fault(Array(("a = " + String(repeating: "[", count: 60_000)).utf8)) == "f:1:105: \(says)")
        #expect(fault(Array(("a = " + String(repeating: "{a=", count: 20_000)).utf8)).hasSuffix(says))
        // Two ways to be deep, one below the other.
        let parts = String(repeating: "a.", count: 60) + "a"
        #expect(fault(Array("[\(parts)]\n\(parts) = 1".utf8)).hasSuffix(says))
        let some = String(repeating: "a.", count: 99) + "a = 1"
        #expect(fault(Array(some.utf8)).hasPrefix("f:1:1: a: there is no such key;"))
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
