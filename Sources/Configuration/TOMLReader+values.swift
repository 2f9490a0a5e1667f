extension TOMLReader {
    mutating func value(depth: Int) throws(TOMLFault) -> Value {
        guard depth <= Self.deepest else { throw tooDeep() }
        let start = position()
        switch next {
        case "\""?, "'"?: return Value(.text(try text()), at: start)
        case "["?: return Value(.list(try list(depth: depth)), at: start)
        case "{"?: return Value(.table(try braces(depth: depth)), at: start)
        default: return Value(try word(), at: start)
        }
    }

    private mutating func list(depth: Int) throws(TOMLFault) -> [Value] {
        let start = position()
        advance()
        var items: [Value] = []
        while true {
            try skipLines()
            if next == "]" { break }
            items.append(try value(depth: depth + 1))
            try skipLines()
            if next == "]" { break }
            guard next != nil else { throw fault(.other, "the list that begins here is not closed with ]", at: start) }
            guard next == "," else { throw fault(.ending, "a comma, or the list's ], is missing here; \(found)") }
            advance()
        }
        advance()
        return items
    }

    private mutating func skipLines() throws(TOMLFault) {
        while true {
            skipSpace()
            try skipComment()
            guard next == "\n" else { return }
            advance()
        }
    }

    /// `{ a = 1, b.c = 2 }`, on one line.
    private mutating func braces(depth: Int) throws(TOMLFault) -> TOMLTable {
        sections += 1
        let section = sections
        let table = TOMLTable(.inline, at: position())
        advance()
        skipSpace()
        if next == "}" {
            advance()
            return table
        }
        while true {
            try pair(into: table, section: section, depth: depth + 1)
            skipSpace()
            guard next == "," || next == "}" else {
                throw fault(.ending, "a comma, or the table's }, is missing on this line; \(found)")
            }
            let isLast = next == "}"
            advance()
            if isLast { return table }
        }
    }

    /// Whatever is in no quotes and no brackets: a number, `true` or `false`, a date or a time.
    private mutating func word() throws(TOMLFault) -> Value.Content {
        let start = (index, position())
        skipWord()
        // A date, one space, a time.
        if index - start.0 == 10, next == " ", TOMLMoment.isDate(bytes[start.0..<index]), index + 1 < bytes.count,
            ("0"..."9").contains(Unicode.Scalar(bytes[index + 1]))
        {
            advance()
            skipWord()
        }
        let word = bytes[start.0..<index]
        let text = String(decoding: word, as: UTF8.self)
        switch text {
        case "": throw fault(.value, "a value is missing here; \(found)")
        case "true": return .flag(true)
        case "false": return .flag(false)
        default: break
        }
        if TOMLMoment.isMoment(word) { return .moment(text) }
        if let number = TOMLNumber.whole(text) {
            guard case .number(let value) = number else {
                throw fault(.other, "\(text) is too large for a whole number, which has 64 bits", at: start.1)
            }
            return .whole(value)
        }
        if let number = TOMLNumber.decimal(text) { return .decimal(number) }
        throw fault(.value, "'\(Value.shortened(text))' is neither a number nor true or false", at: start.1)
    }

    private mutating func skipWord() {
        while let next, next.isWord || "_+-.:".unicodeScalars.contains(next) { advance() }
    }
}
