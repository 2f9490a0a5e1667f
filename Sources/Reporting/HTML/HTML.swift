/// Text of a page. Literals are markup; what is put into them with `\(…)` is text and is escaped, so that nothing that came
/// from the store or the command line can be markup. WHATWG HTML, 13.1.
package struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
    package private(set) var markup: String

    /// What is markup already. Never for a text from elsewhere.
    package init(markup: String) { self.markup = markup }
    package init(stringLiteral value: String) { markup = value }
    package init(stringInterpolation: StringInterpolation) { markup = stringInterpolation.markup }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var markup = ""
        package init(literalCapacity: Int, interpolationCount: Int) {
            markup.reserveCapacity(literalCapacity + interpolationCount * 12)
        }
        package mutating func appendLiteral(_ literal: String) { markup += literal }
        package mutating func appendInterpolation(_ text: some StringProtocol) { markup += HTML.escaped(String(text)) }
        package mutating func appendInterpolation(_ number: some BinaryInteger) { markup += "\(number)" }
        package mutating func appendInterpolation(_ html: HTML) { markup += html.markup }
        package mutating func appendInterpolation(_ parts: [HTML]) { for part in parts { markup += part.markup } }
    }

    package static func + (left: HTML, right: HTML) -> HTML { HTML(markup: left.markup + right.markup) }
    package static func += (left: inout HTML, right: HTML) { left.markup += right.markup }

    /// A name that somebody else chose: in an element of its own, so that letters that are written from right to left do not
    /// turn the words beside it.
    static func name(_ text: String) -> HTML { text.isEmpty ? "" : "<bdi>\(text)</bdi>" }

    /// The text as an element's content and as an attribute's value in either quotes. What no page may hold, or would not
    /// show as what it is - control characters, noncharacters, those that turn the direction of what follows - is U+FFFD.
    package static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { isSuspect($0) }) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            default: result.append(isShown(scalar) ? scalar : "\u{FFFD}")
            }
        }
        return String(result)
    }

    private static func isSuspect(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte >= 0x7F || byte == UInt8(ascii: "&") || byte == UInt8(ascii: "<")
            || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: true
        case 0..<0x20, 0x7F...0x9F: false
        case 0xFDD0...0xFDEF: false
        case 0x202A...0x202E, 0x2066...0x2069: false
        default: scalar.value & 0xFFFE != 0xFFFE
        }
    }
}

extension Array where Element == HTML {
    func joined(_ separator: HTML = "") -> HTML {
        HTML(markup: map(\.markup).joined(separator: separator.markup))
    }
}
