/// What the reader's terminal shows: colour or none, blocks or plain ASCII. ANSI by hand: SGR codes of ECMA-48, 8.3.117.
package struct Style: Sendable {
    package let isColoured: Bool
    package let isUnicode: Bool
    package init(isColoured: Bool, isUnicode: Bool) { (self.isColoured, self.isUnicode) = (isColoured, isUnicode) }

    /// Whether the locale's characters are UTF-8: the first of these variables that is set and not empty says so (POSIX,
    /// Base Definitions, 8.2).
    package static func isUnicode(_ environment: [String: String]) -> Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let name = locale.lowercased().filter { $0 != "-" }
        // `UTF-8` alone is what a Mac's ssh hands over.
        return name == "utf8" || name.hasSuffix(".utf8") || name.contains(".utf8@")
    }

    func bold(_ text: String) -> String { code("1", text) }
    func good(_ text: String) -> String { code("32", text) }
    func bad(_ text: String) -> String { code("31", text) }
    func unsure(_ text: String) -> String { code("33", text) }

    func state(_ state: String, _ text: String) -> String {
        switch state {
        case "up": good(text)
        case "down": bad(text)
        default: unsure(text)
        }
    }

    func finding(_ finding: Finding, _ text: String) -> String {
        switch finding {
        case .gone: good(text)
        case .new, .more, .same: bad(text)
        case .none: text
        case .fewer, .lingering, .tooShort, .tooFew, .littleRecorded, .notRecordedAfter, .notRecordedBefore:
            unsure(text)
        }
    }

    private func code(_ code: String, _ text: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// Columns of text, aligned by what a terminal shows; numbers to the right.
package struct TextTable {
    let header: [String]
    let rightAligned: Set<Int>
    var rows: [[String]] = []

    func without(column name: String) -> TextTable {
        guard let column = header.firstIndex(of: name) else { return self }
        func cut(_ row: [String]) -> [String] { Array(row[..<column] + row[(column + 1)...]) }
        let right = Set(rightAligned.filter { $0 != column }.map { $0 > column ? $0 - 1 : $0 })
        return TextTable(header: cut(header), rightAligned: right, rows: rows.map(cut))
    }

    /// Lines without trailing space. Where a line would pass `width` columns, first the `flexible` columns are cut with …,
    /// the widest first, down to 8; then the `optional` ones go, in order. nil: every column is flexible. A time or a
    /// code that is cut says nothing, so those are never flexible.
    func lines(width: Int, flexible: Set<String>? = nil, optional: [String] = []) -> [String] {
        var widths = header.indices.map { column in
            ([header] + rows).map { Self.width($0[column].replacingControls()) }.max() ?? 0
        }
        let gives = header.indices.filter { flexible?.contains(header[$0]) ?? true }
        func isTooWide() -> Bool { widths.reduce(0, +) + 2 * (widths.count - 1) > width }
        while isTooWide(), let widest = gives.max(by: { widths[$0] < widths[$1] }), widths[widest] > 8 {
            widths[widest] -= 1
        }
        if isTooWide(), let first = optional.first {
            let rest = Array(optional.dropFirst())
            return without(column: first).lines(width: width, flexible: flexible, optional: rest)
        }
        return ([header] + rows).map { row in
            let cells = row.indices.map { fit(row[$0], widths[$0], right: rightAligned.contains($0)) }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// The text, cut with … to so many terminal columns.
    static func cut(_ text: String, to width: Int) -> String {
        var text = text.replacingControls()
        guard Self.width(text) > width else { return text }
        while Self.width(text) > width - 1, !text.isEmpty { text.removeLast() }
        return text + "…"
    }

    private func fit(_ cell: String, _ width: Int, right: Bool) -> String {
        let cell = Self.cut(cell, to: width)
        let space = String(repeating: " ", count: max(0, width - Self.width(cell)))
        return right ? space + cell : cell + space
    }

    /// Terminal columns, near enough: East Asian wide characters take two (UAX #11), combining ones none.
    package static func width(_ text: String) -> Int {
        text.reduce(0) { sum, character in
            guard let first = character.unicodeScalars.first else { return sum }
            let wide = [
                0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
                0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD,
            ].contains { $0.contains(Int(first.value)) }
            return sum + (wide ? 2 : 1)
        }
    }
}

extension String {
    /// What a unit sent is shown, not obeyed: no escape sequence reaches the terminal.
    package func replacingControls() -> String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "\u{FFFD}" : $0 }))
    }
}
