/// A key that somebody pressed, as far as this program has a use for it.
package enum Key: Equatable, Sendable {
    case character(Character)
    case left, right, up, down, pageUp, pageDown, home, end, enter, tab, backTab, escape
}

/// Reads keys from what a terminal sends: characters, and sequences that begin with ESC (ECMA-48, 5.4; xterm's "PC-Style
/// Function Keys"). A sequence may come in pieces; one that means nothing here is passed over.
package struct KeyReader: Sendable {
    private enum State {
        case plain
        case escape
        case sequence([UInt8])
    }
    private var state = State.plain

    package init() {}

    /// When an ESC is the key of that name, if nothing follows it until then; steady microseconds.
    package private(set) var deadline: Int64?
    /// How long it waits. A sequence in pieces comes faster, also from far away. Microseconds.
    package static let patience: Int64 = 50_000

    /// What an ESC without a sequence means, if it is time.
    package mutating func timeOut(at now: Int64) -> [Key] {
        guard let deadline, now >= deadline else { return [] }
        defer { (state, self.deadline) = (.plain, nil) }
        if case .escape = state { return [.escape] }
        return []
    }

    package mutating func read(_ bytes: some Sequence<UInt8>, at now: Int64) -> [Key] {
        let keys = bytes.compactMap { read($0) }
        if case .plain = state { deadline = nil } else { deadline = now + Self.patience }
        return keys
    }

    private mutating func read(_ byte: UInt8) -> Key? {
        switch state {
        case .plain: return plain(byte)
        case .escape:
            // `ESC [` and, in a keypad's other mode, `ESC O`.
            if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "O") {
                state = .sequence([])
                return nil
            }
            state = .plain
            return plain(byte)
        case .sequence(let bytes):
            guard (0x20...0x3F).contains(byte), bytes.count < 16 else {
                state = .plain
                return Self.key(bytes, final: byte)
            }
            state = .sequence(bytes + [byte])
            return nil
        }
    }

    private mutating func plain(_ byte: UInt8) -> Key? {
        switch byte {
        case 0x1B:
            state = .escape
            return nil
        case 0x0D, 0x0A: return .enter
        case 0x09: return .tab
        case 0x20...0x7E: return .character(Character(Unicode.Scalar(byte)))
        default: return nil
        }
    }

    private static func key(_ parameters: [UInt8], final: UInt8) -> Key? {
        switch final {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): .right
        case UInt8(ascii: "D"): .left
        case UInt8(ascii: "H"): .home
        case UInt8(ascii: "F"): .end
        case UInt8(ascii: "Z"): .backTab
        case UInt8(ascii: "~"):
            switch String(decoding: parameters.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self) {
            case "1", "7": .home
            case "4", "8": .end
            case "5": .pageUp
            case "6": .pageDown
            default: nil
            }
        default: nil
        }
    }
}
