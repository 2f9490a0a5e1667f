/// A request's path and query, RFC 9112 section 3.2.1 (origin-form) with the query of an HTML form
/// (application/x-www-form-urlencoded).
package struct RequestTarget: Sendable, Equatable {
    /// Bytes of the longest that is read.
    static let limit = 4096

    package let path: String
    /// By name; of a name that comes twice the first counts. What is empty, as a form sends a field that was left out, is not
    /// here.
    package let query: [String: String]

    /// nil: not of this form, too long, or not UTF-8. Two slashes at the begin would lead a browser that is sent there to
    /// another host.
    package init?(_ target: String) {
        guard target.hasPrefix("/"), !target.hasPrefix("//"), target.utf8.count <= Self.limit,
            target.utf8.allSatisfy({ 0x20 < $0 && $0 < 0x7F })
        else { return nil }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        var query: [String: String] = [:]
        for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(sides[0]) else { return nil }
            guard let value = Self.decoded(sides.count > 1 ? sides[1] : "") else { return nil }
            if !value.isEmpty, query[name] == nil { query[name] = value }
        }
        self.query = query
    }

    /// The target without one name, to send a browser there.
    package func without(_ name: String) -> String {
        let rest = query.filter { $0.key != name }.sorted { $0.key < $1.key }
        let text = rest.map { "\(Self.encoded($0.key))=\(Self.encoded($0.value))" }.joined(separator: "&")
        return text.isEmpty ? path : "\(path)?\(text)"
    }

    package static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += byte < 16 ? "%0\(String(byte, radix: 16))" : "%\(String(byte, radix: 16))"
            }
        }
        return result
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
