/// The members of one JSON object (RFC 8259), read byte by byte. Arrays in it are passed over. Of a name that
/// comes twice the last counts, as in JavaScript.
struct JSONMembers: Sendable {
    private typealias Bytes = UnsafeBufferPointer<UInt8>
    private enum Value: Sendable {
        case text(String)
        case number(double: Double, integer: Int64?)
        case object([UInt8])
        case other
    }

    private(set) var names: [String] = []
    private var values: [Value] = []

    /// nil: these bytes are no object.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        var cursor = Cursor(bytes: bytes)
        guard cursor.take(UInt8(ascii: "{")) else { return nil }
        if !cursor.take(UInt8(ascii: "}")) {
            repeat {
                guard let name = cursor.text(), cursor.take(UInt8(ascii: ":")), let value = cursor.value() else {
                    return nil
                }
                names.append(name)
                values.append(value)
            } while cursor.take(UInt8(ascii: ","))
            guard cursor.take(UInt8(ascii: "}")) else { return nil }
        }
        guard cursor.isAtEnd else { return nil }
    }

    /// nil: there is none, or it is no text.
    func text(_ name: String) -> String? {
        if case .text(let text)? = value(name) { text } else { nil }
    }
    /// nil: there is none, or it is no number that a Double holds.
    func number(_ name: String) -> Double? {
        if case .number(let double, _)? = value(name) { double } else { nil }
    }
    /// nil: there is none, or it is no whole number written as one.
    func integer(_ name: String) -> Int64? {
        if case .number(_, let integer)? = value(name) { integer } else { nil }
    }
    /// nil: there is none, or it is no object.
    func object(_ name: String) -> JSONMembers? {
        guard case .object(let bytes)? = value(name) else { return nil }
        return bytes.withUnsafeBufferPointer { JSONMembers($0) }
    }
    private func value(_ name: String) -> Value? { names.lastIndex(of: name).map { values[$0] } }

    private struct Cursor {
        let bytes: Bytes
        var place = 0

        /// How deep objects and arrays may lie in one another.
        private static let depth = 64

        private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

        private mutating func passSpace() {
            while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { place += 1 }
        }
        var isAtEnd: Bool {
            mutating get {
                passSpace()
                return place == bytes.count
            }
        }
        mutating func take(_ byte: UInt8) -> Bool {
            passSpace()
            guard next == byte else { return false }
            place += 1
            return true
        }

        mutating func value(within depth: Int = 0) -> Value? {
            passSpace()
            switch next {
            case UInt8(ascii: "\""): return text().map { .text($0) }
            case UInt8(ascii: "n"): return word("null")
            case UInt8(ascii: "t"): return word("true")
            case UInt8(ascii: "f"): return word("false")
            case UInt8(ascii: "{"):
                let start = place
                guard passOver(until: UInt8(ascii: "}"), areNamed: true, depth) != nil else { return nil }
                return depth == 0 ? .object(Array(bytes[start..<place])) : .other
            case UInt8(ascii: "["): return passOver(until: UInt8(ascii: "]"), areNamed: false, depth)
            default: return number()
            }
        }

        private mutating func passOver(until end: UInt8, areNamed: Bool, _ depth: Int) -> Value? {
            guard depth < Self.depth else { return nil }
            place += 1
            if take(end) { return .other }
            repeat {
                if areNamed { guard text() != nil, take(UInt8(ascii: ":")) else { return nil } }
                guard value(within: depth + 1) != nil else { return nil }
            } while take(UInt8(ascii: ","))
            return take(end) ? .other : nil
        }

        private mutating func word(_ word: StaticString) -> Value? {
            let count = word.utf8CodeUnitCount
            guard bytes.count - place >= count,
                bytes[place..<(place + count)].elementsEqual(
                    UnsafeBufferPointer(start: word.utf8Start, count: count))
            else { return nil }
            place += count
            return .other
        }

        private mutating func number() -> Value? {
            let start = place
            while let byte = next, JSONNumber.isPart(byte) { place += 1 }
            let written = Bytes(rebasing: bytes[start..<place])
            return JSONNumber.double(written).map { .number(double: $0, integer: JSONNumber.integer(written)) }
        }

        mutating func text() -> String? {
            guard take(UInt8(ascii: "\"")) else { return nil }
            let start = place
            while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\\") {
                place += 1
                if byte == UInt8(ascii: "\"") { return String(decoding: bytes[start..<(place - 1)], as: UTF8.self) }
            }
            var text = Array(bytes[start..<place])
            while let byte = next, byte >= 0x20 {
                place += 1
                if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
                if byte == UInt8(ascii: "\\") {
                    guard let scalar = escaped() else { return nil }
                    text += Array(String(scalar).utf8)
                } else {
                    text.append(byte)
                }
            }
            return nil
        }

        /// What follows a backslash. Half of a surrogate pair is U+FFFD.
        private mutating func escaped() -> Unicode.Scalar? {
            guard let byte = next else { return nil }
            place += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "u"): break
            default: return nil
            }
            guard let first = codeUnit() else { return nil }
            guard first & 0xFC00 == 0xD800 else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
            let behind = place
            guard next == UInt8(ascii: "\\") else { return "\u{FFFD}" }
            place += 1
            guard next == UInt8(ascii: "u") else {
                place = behind
                return "\u{FFFD}"
            }
            place += 1
            guard let second = codeUnit() else { return nil }
            guard second & 0xFC00 == 0xDC00 else {
                place = behind
                return "\u{FFFD}"
            }
            return Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + (second & 0x3FF))
        }

        /// Four hexadecimal digits.
        private mutating func codeUnit() -> UInt32? {
            guard bytes.count - place >= 4 else { return nil }
            var unit: UInt32 = 0
            for byte in bytes[place..<(place + 4)] {
                let digit: UInt8? =
                    switch byte {
                    case 0x30...0x39: byte - 0x30
                    case 0x41...0x46: byte - 0x41 + 10
                    case 0x61...0x66: byte - 0x61 + 10
                    default: nil
                    }
                guard let digit else { return nil }
                unit = unit << 4 | UInt32(digit)
            }
            place += 4
            return unit
        }
    }
}
