import WallTime

/// Walks the bytes of one argument and words the refusal of it. Never reads past the end, whatever was typed.
struct ExpressionScanner {
    private let flag: String
    private let given: String
    private let forms: String
    private let bytes: [UInt8]
    private var position = 0

    /// No form of ours is longer than this many bytes; more is not read.
    private static let limit = 80

    init(_ given: String, flag: String, forms: String) throws(TimeExpressionError) {
        self.given = given
        self.flag = flag
        self.forms = forms
        let prefix = given.utf8.prefix(Self.limit + 1)
        bytes = prefix.count > Self.limit ? [] : Array(prefix)
        if prefix.count > Self.limit { throw refusal(.notUnderstood, "it is too long to be one") }
        skipSpaces()
        if isAtEnd { throw refusal(.notUnderstood, "it is empty") }
    }

    func refusal(_ kind: TimeExpressionError.Kind, _ reason: String) -> TimeExpressionError {
        TimeExpressionError(kind: kind, flag: flag, given: given, reason: reason, forms: forms)
    }

    /// True at the end of the argument; spaces after the expression do not count.
    var isAtEnd: Bool { bytes[position...].allSatisfy { $0 == UInt8(ascii: " ") } }

    var nextIsDigit: Bool { position < bytes.count && isDigit(bytes[position]) }

    var nextIsLetter: Bool { position < bytes.count && isLetter(bytes[position]) }

    /// The byte that ends the run of digits from here on, nil at the end; tells a date, a clock and an amount apart.
    var byteAfterDigits: UInt8? { bytes[position...].first { !isDigit($0) } }

    /// Consumes spaces; false if there are none.
    @discardableResult
    mutating func skipSpaces() -> Bool {
        let start = position
        while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
        return position > start
    }

    /// Consumes `character`, in either case; false, and nothing consumed, if another comes next.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, lowercase(bytes[position]) == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Consumes a run of digits, whole; nil, and nothing consumed, if its length is not in `lengths` (at most 18).
    mutating func digits(_ lengths: ClosedRange<Int>) -> Int? {
        let run = bytes[position...].prefix(while: isDigit)
        guard lengths.contains(run.count), run.count <= 18 else { return nil }
        position += run.count
        return run.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// Consumes `.` and 1 to 6 digits; 0 if no point comes next.
    mutating func microseconds() throws(TimeExpressionError) -> Int {
        guard take(".") else { return 0 }
        let start = position
        guard var value = digits(1...6) else {
            throw refusal(.notUnderstood, "a fraction of a second has 1 to 6 digits")
        }
        for _ in (position - start)..<6 { value *= 10 }
        return value
    }

    /// Consumes a run of ASCII letters, which may be empty; as typed.
    mutating func word() -> String {
        let run = bytes[position...].prefix(while: isLetter)
        position += run.count
        return String(decoding: run, as: UTF8.self)
    }

    private func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
    private func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= lowercase(byte) }
    private func lowercase(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte + 32 : byte
    }
}
