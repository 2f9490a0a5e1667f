import Testing

@testable import Reporting

@Suite struct HTMLTests {
    @Test(
        "what is put into a page is text, whatever it looks like",
        arguments: [
            ("Main Bar", "Main Bar"), ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("O'Brien & \"Sons\"", "O&#39;Brien &amp; &quot;Sons&quot;"), ("&amp;", "&amp;amp;"),
            ("東京 Ñandú 🎧", "東京 Ñandú 🎧"), ("tab\tline\n", "tab\tline\n"),
            ("a\u{0}b\u{1B}[31m\u{7F}\u{85}", "a\u{FFFD}b\u{FFFD}[31m\u{FFFD}\u{FFFD}"),
            ("\u{202E}rab", "\u{FFFD}rab"), ("e\u{301}<", "e\u{301}&lt;"), ("a\u{338}<\u{338}", "a\u{338}&lt;\u{338}"),
            ("", ""),
        ])
    func escaping(text: String, markup: String) {
        let html: HTML = "<p title=\"\(text)\">\(text)</p>"
        // Byte by byte: Swift takes a letter and the mark on it for one.
        #expect(Array(html.markup.utf8) == Array("<p title=\"\(markup)\">\(markup)</p>".utf8))
    }

    @Test(
        "what no page may hold is shown as what it is not",
        arguments: [0xFDD0, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF, 0x2066])
    func noncharacters(value: UInt32) throws {
        let text = String(Character(try #require(Unicode.Scalar(value))))
        #expect(HTML.escaped("a\(text)b") == "a\u{FFFD}b")
    }

    @Test("no byte of a text can end the element or the attribute it stands in")
    func everyByte() {
        for scalar in (0...0x2FF).compactMap(Unicode.Scalar.init) {
            let escaped = HTML.escaped("x\(Character(scalar))")
            #expect(!escaped.utf8.contains { "<>\"'".utf8.contains($0) }, "U+\(String(scalar.value, radix: 16))")
            #expect(!escaped.unicodeScalars.contains { $0.value < 0x20 && $0 != "\t" && $0 != "\n" })
        }
    }

    @Test("markup that is put into markup stays what it is")
    func nested() {
        let cells: [HTML] = ["<td>\("<")</td>", "<td>\(5)</td>"]
        let row: HTML = "<tr>\(cells)</tr>"
        #expect(row.markup == "<tr><td>&lt;</td><td>5</td></tr>")
    }
}
