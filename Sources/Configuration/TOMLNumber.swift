/// Numbers as TOML 1.0 writes them.
enum TOMLNumber {
    enum Whole: Equatable {
        case number(Int)
        /// Well written, but over 64 bits.
        case tooLarge
    }

    /// nil: it is no whole number.
    static func whole(_ text: String) -> Whole? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
            return digits(text.dropFirst(2), radix: radix).map { whole($0, radix: radix) }
        }
        let (sign, rest) = signed(text[...])
        return digits(rest).flatMap { isLedByZero($0) ? nil : whole(sign + $0, radix: 10) }
    }

    /// nil: it is none. What a Double cannot hold is rounded, and infinity where it is too large, as anywhere.
    static func decimal(_ text: String) -> Double? {
        let (sign, rest) = signed(text[...])
        if rest == "inf" { return sign == "-" ? -.infinity : .infinity }
        if rest == "nan" { return .nan }
        let mantissa = rest.prefix { $0 != "e" && $0 != "E" }
        var number = sign
        let parts = mantissa.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let before = digits(parts[0]), !isLedByZero(before) else { return nil }
        number += before
        if parts.count == 2 {
            guard let after = digits(parts[1]) else { return nil }
            number += "." + after
        }
        if mantissa.endIndex < rest.endIndex {
            let (sign, exponent) = signed(rest[mantissa.endIndex...].dropFirst())
            guard let exponent = digits(exponent) else { return nil }
            number += "e" + sign + exponent
        }
        return Double(number)
    }

    private static func whole(_ digits: String, radix: Int) -> Whole {
        Int(digits, radix: radix).map { .number($0) } ?? .tooLarge
    }

    private static func isLedByZero(_ digits: String) -> Bool { digits.utf8.count > 1 && digits.hasPrefix("0") }

    private static func signed(_ text: Substring) -> (sign: String, rest: Substring) {
        switch text.first {
        case "-": ("-", text.dropFirst())
        case "+": ("", text.dropFirst())
        default: ("", text)
        }
    }

    /// Without the underscores, each of which stands between two digits; nil: something else is there.
    private static func digits(_ text: Substring, radix: Int = 10) -> String? {
        let groups = text.split(separator: "_", omittingEmptySubsequences: false)
        guard groups.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { isDigit($0, radix) } }) else { return nil }
        return groups.joined()
    }

    private static func isDigit(_ byte: UInt8, _ radix: Int) -> Bool {
        let scalar = Unicode.Scalar(byte)
        return switch radix {
        case 16: scalar.properties.isASCIIHexDigit
        case 10: ("0"..."9").contains(scalar)
        case 8: ("0"..."7").contains(scalar)
        default: scalar == "0" || scalar == "1"
        }
    }
}
