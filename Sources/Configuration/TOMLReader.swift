/// Reads TOML 1.0 (https://toml.io/en/v1.0.0): statement by statement, from the first byte to the last, one fault ends it.
/// Recursion is bounded by `deepest`. Texts and other values are in extensions, the rules for tables in `TOMLTable`.
struct TOMLReader {
    /// Tables and lists within one another, each part of a dotted key counted. Ours need two.
    static let deepest = 100

    let bytes: [UInt8]
    var index = 0
    /// Headers and braces so far: dotted keys go on only with what the same one began.
    var sections = 0
    private var mark = (index: 0, line: 1, column: 1)

    /// `text` is UTF-8 without a byte order mark.
    static func table(_ text: String) throws(TOMLFault) -> TOMLTable {
        var reader = TOMLReader(bytes: Array(text.utf8))
        return try reader.document()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func document() throws(TOMLFault) -> TOMLTable {
        let root = TOMLTable(.header, at: position())
        var (table, section, depth) = (root, sections, 0)
        while true {
            skipSpace()
            switch next {
            case nil: return root
            case "\n", "#": break
            case "[":
                (table, depth) = try header(root)
                section = sections
            default: try pair(into: table, section: section, depth: depth)
            }
            try endLine()
        }
    }

    /// `[a.b]` or `[[a.b]]`.
    private mutating func header(_ root: TOMLTable) throws(TOMLFault) -> (table: TOMLTable, depth: Int) {
        sections += 1
        advance()
        let isItem = next == "["
        if isItem { advance() }
        let path = try key(depth: 0)
        for _ in 0..<(isItem ? 2 : 1) {
            guard next == "]" else { throw fault(.header, "\(isItem ? "]]" : "]") is missing here; \(found)") }
            advance()
        }
        do throws(TOMLTable.Conflict) {
            return (isItem ? try root.append(path) : try root.open(path), path.count + (isItem ? 1 : 0))
        } catch {
            throw again(error)
        }
    }

    /// `a.b = value`.
    mutating func pair(into table: TOMLTable, section: Int, depth: Int) throws(TOMLFault) {
        let path = try key(depth: depth)
        guard next == "=" else { throw fault(.equals, "= is missing here, behind the key; \(found)") }
        advance()
        skipSpace()
        let value = try value(depth: depth + path.count)
        do throws(TOMLTable.Conflict) { try table.set(path, value, section: section) } catch { throw again(error) }
    }

    /// The parts of a key, with the space round each.
    private mutating func key(depth: Int) throws(TOMLFault) -> [TOMLKey] {
        var parts: [TOMLKey] = []
        while true {
            skipSpace()
            let start = position()
            guard depth + parts.count < Self.deepest else { throw tooDeep() }
            parts.append(TOMLKey(text: try keyPart(), position: start))
            skipSpace()
            guard next == "." else { return parts }
            advance()
        }
    }

    private mutating func keyPart() throws(TOMLFault) -> String {
        if next == "\"" || next == "'" { return try text(isKey: true) }
        let start = index
        while let next, next.isWord || next == "-" || next == "_" { advance() }
        guard index > start else { throw fault(.key, "a key is missing here; \(found)") }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func endLine() throws(TOMLFault) {
        skipSpace()
        try skipComment()
        guard let next else { return }
        guard next == "\n" else { throw fault(.ending, "nothing more can be on this line; \(found)") }
        advance()
    }
}

extension TOMLReader {
    /// What is next: a new line also for a carriage return with one, U+FFFD for a byte that is not ASCII; nil at the end.
    var next: Unicode.Scalar? {
        guard index < bytes.count else { return nil }
        let scalar = Unicode.Scalar(bytes[index])
        if scalar == "\r", index + 1 < bytes.count, Unicode.Scalar(bytes[index + 1]) == "\n" { return "\n" }
        return scalar.isASCII ? scalar : "\u{FFFD}"
    }

    mutating func advance() { index += next == "\n" && Unicode.Scalar(bytes[index]) == "\r" ? 2 : 1 }

    mutating func skipSpace() { while next == " " || next == "\t" { advance() } }

    mutating func skipComment() throws(TOMLFault) {
        guard next == "#" else { return }
        while let next, next != "\n" {
            guard next == "\t" || !next.isControl else {
                throw fault(.other, "a control character cannot be in a comment; \(found)")
            }
            advance()
        }
    }

    mutating func position() -> Position { position(of: index) }

    /// Walks on from the place that was asked for last, so a text is counted through once.
    private mutating func position(of index: Int) -> Position {
        if index < mark.index { mark = (0, 1, 1) }
        for byte in bytes[mark.index..<index] {
            if Unicode.Scalar(byte) == "\n" {
                (mark.line, mark.column) = (mark.line + 1, 1)
            } else if byte & 0xC0 != 0x80 {
                mark.column += 1
            }
        }
        mark.index = index
        return Position(line: mark.line, column: mark.column)
    }

    mutating func fault(_ kind: TOMLFault.Kind, _ message: String, at place: Position? = nil) -> TOMLFault {
        TOMLFault(kind: kind, position: place ?? position(), message: message)
    }

    mutating func tooDeep() -> TOMLFault {
        fault(.other, "tables and lists are over \(Self.deepest) deep here; no key of this file needs more than two")
    }

    private func again(_ conflict: TOMLTable.Conflict) -> TOMLFault {
        TOMLFault(
            kind: .again, position: conflict.position,
            message: "\(Value.quoted(conflict.name)) is there already, since line \(conflict.earlier.line)")
    }

    /// For the end of a message.
    var found: String {
        switch next {
        case nil: return "the file ends"
        case "\n"?: return "the line ends"
        case let scalar? where scalar.isControl: return "there is the character U+\(scalar.hexadecimal)"
        default:
            let rest = String(decoding: bytes[index..<min(index + 4, bytes.count)], as: UTF8.self)
            return "there is \(rest.unicodeScalars.first!)"
        }
    }
}

/// A text that is no TOML: where, and what is wrong.
struct TOMLFault: Error {
    /// What was being read; advice hangs on it.
    enum Kind { case key, equals, value, ending, header, quote, again, other }
    let kind: Kind
    let position: Position
    let message: String
}

extension Unicode.Scalar {
    /// Of a bare key, or of a number.
    var isWord: Bool {
        switch self {
        case "a"..."z", "A"..."Z", "0"..."9": true
        default: false
        }
    }

    /// What TOML calls one: only of ASCII.
    var isControl: Bool { value < 0x20 || value == 0x7F }

    /// Four digits at least.
    var hexadecimal: String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
