extension TOMLReader {
    /// One of the four forms; what is next is its first quote. A key is never one of the long forms, with three quotes.
    mutating func text(isKey: Bool = false) throws(TOMLFault) -> String {
        let start = position()
        let quote = next!
        advance()
        let isLong = !isKey && quotes(quote, atMost: 2) == 2
        if isLong {
            index += 2
            if next == "\n" { advance() }
        }
        var result: [UInt8] = []
        while let next {
            switch next {
            case quote where !isLong:
                advance()
                return String(decoding: result, as: UTF8.self)
            case quote:
                // Up to two of five at the end are the text's own.
                let count = quotes(quote, atMost: 5)
                index += count
                result += [UInt8](repeating: UInt8(ascii: quote), count: count < 3 ? count : count - 3)
                if count >= 3 { return String(decoding: result, as: UTF8.self) }
            case "\\" where quote == "\"": result += try escape(inLong: isLong)
            case "\n" where isLong:
                result.append(UInt8(ascii: "\n"))
                advance()
            case "\n":
                throw fault(.quote, "the text that begins here is not closed where the line ends", at: start)
            case _ where next.isControl && next != "\t":
                let remedy =
                    quote == "\""
                    ? "write \\u\(next.hexadecimal)" : "write it in double quotes, as \\u\(next.hexadecimal)"
                throw fault(.other, "a control character cannot be in a text; \(found); \(remedy)")
            default:
                result.append(bytes[index])
                index += 1
            }
        }
        throw fault(.quote, "the text that begins here is not closed where the file ends", at: start)
    }

    /// How many of these are next.
    private func quotes(_ quote: Unicode.Scalar, atMost limit: Int) -> Int {
        bytes[index...].prefix(limit).prefix { Unicode.Scalar($0) == quote }.count
    }

    /// What is next is the backslash.
    private mutating func escape(inLong isLong: Bool) throws(TOMLFault) -> [UInt8] {
        let start = position()
        advance()
        let letter = next
        if isLong, letter == " " || letter == "\t" || letter == "\n" {
            skipSpace()
            // A backslash that ends a line takes the space up to the next text with it.
            guard next == nil || next == "\n" else { throw noEscape(at: start) }
            while next == " " || next == "\t" || next == "\n" { advance() }
            return []
        }
        let simple: [Unicode.Scalar: UInt8] = [
            "b": 0x08, "t": 0x09, "n": 0x0A, "f": 0x0C, "r": 0x0D, "\"": 0x22, "\\": 0x5C,
        ]
        guard let letter else { throw noEscape(at: start) }
        if let byte = simple[letter] {
            advance()
            return [byte]
        }
        guard letter == "u" || letter == "U" else { throw noEscape(at: start) }
        advance()
        let digits = bytes[index...].prefix(letter == "u" ? 4 : 8).prefix {
            Unicode.Scalar($0).properties.isASCIIHexDigit
        }
        guard digits.count == (letter == "u" ? 4 : 8),
            let scalar = UInt32(String(decoding: digits, as: UTF8.self), radix: 16).flatMap(Unicode.Scalar.init)
        else {
            throw fault(
                .other,
                "behind \\\(letter) stand \(letter == "u" ? 4 : 8) hexadecimal digits of a character of Unicode",
                at: start)
        }
        index += digits.count
        return Array(String(scalar).utf8)
    }

    private mutating func noEscape(at start: Position) -> TOMLFault {
        fault(
            .other,
            "a backslash begins something that has no meaning; write \\\\ for one, or put the text in single quotes",
            at: start)
    }
}
