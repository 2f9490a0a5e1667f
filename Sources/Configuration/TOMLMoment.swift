/// Dates and times of TOML 1.0 (RFC 3339; an offset, or the date, or the time may be missing). No key of ours is one, so
/// they are only told from what is none.
enum TOMLMoment {
    static func isMoment(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        if takeTime(&rest) { return rest.isEmpty }
        rest = text
        guard takeDate(&rest) else { return false }
        guard !rest.isEmpty else { return true }
        guard take(&rest, oneOf: "Tt "), takeTime(&rest) else { return false }
        return rest.isEmpty || takeOffset(&rest) && rest.isEmpty
    }

    static func isDate(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        return takeDate(&rest) && rest.isEmpty
    }

    private static func takeDate(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard let year = take(&rest, digits: 4, 1...9999), take(&rest, oneOf: "-"),
            let month = take(&rest, digits: 2, 1...12), take(&rest, oneOf: "-")
        else { return false }
        let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return take(&rest, digits: 2, 1...days[month - 1]) != nil
    }

    private static func takeTime(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard take(&rest, digits: 2, 0...23) != nil, take(&rest, oneOf: ":"), take(&rest, digits: 2, 0...59) != nil,
            take(&rest, oneOf: ":"), take(&rest, digits: 2, 0...59) != nil
        else { return false }
        guard take(&rest, oneOf: ".") else { return true }
        let digits = rest.prefix { ("0"..."9").contains(Unicode.Scalar($0)) }
        rest = rest[digits.endIndex...]
        return !digits.isEmpty
    }

    private static func takeOffset(_ rest: inout ArraySlice<UInt8>) -> Bool {
        if take(&rest, oneOf: "Zz") { return true }
        return take(&rest, oneOf: "+-") && take(&rest, digits: 2, 0...23) != nil && take(&rest, oneOf: ":")
            && take(&rest, digits: 2, 0...59) != nil
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, digits count: Int, _ range: ClosedRange<Int>) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ ("0"..."9").contains(Unicode.Scalar($0)) }) else { return nil }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard range.contains(number) else { return nil }
        rest = rest[digits.endIndex...]
        return number
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, oneOf scalars: String) -> Bool {
        guard let first = rest.first, scalars.unicodeScalars.contains(Unicode.Scalar(first)) else { return false }
        rest = rest.dropFirst()
        return true
    }
}
