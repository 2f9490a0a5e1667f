import NIOCore

extension ByteBuffer {
    /// `scaled` / 10^`decimals`, with all its decimals: -201 with one decimal is `-20.1`, -800 is `-80.0`.
    mutating func writeDecimal(_ scaled: Int, decimals: Int) {
        if scaled < 0 { writeInteger(UInt8(ascii: "-")) }
        let magnitude = scaled.magnitude
        var unit: UInt = 1
        for _ in 0..<decimals { unit *= 10 }
        writeDigits(magnitude / unit, atLeast: 1)
        if decimals > 0 {
            writeInteger(UInt8(ascii: "."))
            writeDigits(magnitude % unit, atLeast: decimals)
        }
    }

    /// The same without zeros at the end: `74.875`, `50`.
    mutating func writeShortDecimal(_ scaled: Int, decimals: Int) {
        var (scaled, decimals) = (scaled, decimals)
        while decimals > 0, scaled % 10 == 0 { (scaled, decimals) = (scaled / 10, decimals - 1) }
        writeDecimal(scaled, decimals: decimals)
    }

    private mutating func writeDigits(_ number: UInt, atLeast width: Int) {
        if number >= 10 || width > 1 { writeDigits(number / 10, atLeast: width - 1) }
        writeInteger(UInt8(ascii: "0") + UInt8(number % 10))
    }

    mutating func writeJSONString(_ text: String) {
        writeInteger(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): writeStaticString("\\\"")
            case UInt8(ascii: "\\"): writeStaticString("\\\\")
            case UInt8(ascii: "\n"): writeStaticString("\\n")
            case 0..<0x20:
                writeStaticString("\\u00")
                for nibble in [byte >> 4, byte & 15] { writeString(String(nibble, radix: 16)) }
            default: writeInteger(byte)
            }
        }
        writeInteger(UInt8(ascii: "\""))
    }

    mutating func writeJSON(_ value: JSONValue) {
        switch value {
        case .null: writeStaticString("null")
        case .bool(let flag): writeString(flag ? "true" : "false")
        case .number(let text): writeString(text)
        case .string(let text): writeJSONString(text)
        case .array(let elements):
            writeStaticString("[")
            for (position, element) in elements.enumerated() {
                if position > 0 { writeStaticString(",") }
                writeJSON(element)
            }
            writeStaticString("]")
        case .object(let members):
            writeStaticString("{")
            for (position, member) in members.enumerated() {
                if position > 0 { writeStaticString(",") }
                writeJSONString(member.name)
                writeStaticString(":")
                writeJSON(member.value)
            }
            writeStaticString("}")
        }
    }
}
