/// A JSON number (RFC 8259, section 6) from its bytes.
enum JSONNumber {
    private typealias Bytes = UnsafeBufferPointer<UInt8>

    /// nil: this is no number, or a larger one than a Double holds.
    static func double(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        if let short = short(bytes) { return short }
        guard isNumber(bytes), let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else {
            return nil
        }
        return value
    }

    /// nil: this is no whole number written as one, or not one of 64 bits.
    static func integer(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        let isNegative = bytes.first == UInt8(ascii: "-")
        let digits = bytes[(isNegative ? 1 : 0)...]
        guard !digits.isEmpty, digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        var value: Int64 = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflows) =
                isNegative
                ? tens.subtractingReportingOverflow(Int64(digit)) : tens.addingReportingOverflow(Int64(digit))
            guard !isTooLarge, !overflows else { return nil }
            value = sum
        }
        return value
    }

    static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// Up to 15 digits without an exponent: digits and power of ten are both exact, so their quotient is the nearest.
    private static func short(_ bytes: Bytes) -> Double? {
        var place = bytes.first == UInt8(ascii: "-") ? 1 : 0
        let (isNegative, first) = (place == 1, place)
        guard bytes.count - place <= 16, place < bytes.count else { return nil }
        var value: Int64 = 0
        var point: Int?
        while place < bytes.count {
            let digit = bytes[place] &- UInt8(ascii: "0")
            if digit < 10 {
                value = value * 10 + Int64(digit)
            } else if bytes[place] == UInt8(ascii: "."), point == nil {
                point = place
            } else {
                return nil
            }
            place += 1
        }
        let whole = (point ?? bytes.count) - first
        let fraction = point.map { bytes.count - $0 - 1 } ?? 0
        guard whole + fraction <= 15, whole == 1 || bytes[first] != UInt8(ascii: "0"), whole > 0,
            point == nil || fraction > 0
        else { return nil }
        let number = Double(value) / powers[fraction]
        return isNegative ? -number : number
    }

    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]

    private static func isNumber(_ bytes: Bytes) -> Bool {
        var rest = bytes[...]
        func digits() -> Int {
            let count = rest.prefix { $0 &- UInt8(ascii: "0") < 10 }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let startsWithZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        guard whole == 1 || (whole > 1 && !startsWithZero) else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
