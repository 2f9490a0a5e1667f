/// Makes bytes that are almost JSON readable, so that one bad value does not cost the message it stands in: a bare word
/// that is no JSON value (`nan`, `-inf`, `1.#IND`, as C libraries print what is no number) becomes `null`, a number that
/// JSON would spell otherwise (`.5`, `+5`, `05`) a text, and a control character between values (the NUL of a C string
/// sent whole) a space. Texts stay as they are.
enum JSONRepair {
    /// nil if there is nothing to repair.
    static func repaired(_ bytes: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            let end: Int
            switch byte {
            case UInt8(ascii: "\""):
                end = endOfString(bytes, position)
                result += bytes[position..<end]
            case _ where isWordByte(byte):
                end = bytes[position...].firstIndex { !isWordByte($0) } ?? bytes.count
                let word = bytes[position..<end]
                result += value(word)
            default:
                end = position + 1
                result.append(byte < 0x20 ? UInt8(ascii: " ") : byte)
            }
            position = end
        }
        return result == bytes ? nil : result
    }

    private static let nullWord = Array("null".utf8)[...]

    /// Just behind the closing quote, or the end of the bytes.
    private static func endOfString(_ bytes: [UInt8], _ start: Int) -> Int {
        var position = start + 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(position + 1, bytes.count)
    }

    /// Whether a byte outside strings belongs to a bare word: anything but white space, punctuation and quotes.
    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case ...UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"):
            false
        default: true
        }
    }

    /// `true`, `false`, `null` as they are, and what reads as a number in decimal.
    private static func value(_ word: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let text = String(decoding: word, as: UTF8.self)
        if ["true", "false"].contains(text) { return word }
        guard word.allSatisfy({ Array("0123456789+-.eE".utf8).contains($0) }), Double(text) != nil else {
            return nullWord
        }
        let digits = word.first == UInt8(ascii: "-") ? word.dropFirst() : word
        let whole = digits.prefix(while: isDigit)
        let fraction = digits.dropFirst(whole.count)
        let isJSON =
            !whole.isEmpty && (whole.count == 1 || whole.first != UInt8(ascii: "0"))
            && (fraction.first != UInt8(ascii: ".") || fraction.dropFirst().first.map(isDigit) == true)
        return isJSON ? word : [UInt8(ascii: "\"")] + word + [UInt8(ascii: "\"")]
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
}
