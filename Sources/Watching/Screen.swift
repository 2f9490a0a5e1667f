import Reporting

/// How a cell is drawn. Colours are the terminal's own sixteen: its user has chosen them to be read.
package struct Ink: Equatable, Sendable {
    package enum Colour: UInt8, Sendable { case plain, good, unsure, bad, accent }
    package var colour = Colour.plain
    package var isBold = false
    package var isFaint = false
    package var isInverse = false

    package static let plain = Ink()
    package static let bold = Ink(isBold: true)
    package static let faint = Ink(isFaint: true)
    package static let good = Ink(colour: .good)
    package static let unsure = Ink(colour: .unsure)
    package static let bad = Ink(colour: .bad)
    package static let accent = Ink(colour: .accent)

    var bolder: Ink {
        var ink = self
        ink.isBold = true
        return ink
    }

    /// SGR parameters (ECMA-48, 8.3.117), from a state that nobody knows.
    func sgr(isColoured: Bool) -> String {
        var codes = "0"
        if isBold { codes += ";1" }
        if isFaint { codes += ";2" }
        if isInverse { codes += ";7" }
        guard isColoured else { return codes }
        switch colour {
        case .plain: break
        case .good: codes += ";32"
        case .unsure: codes += ";33"
        case .bad: codes += ";31"
        case .accent: codes += ";36"
        }
        return codes
    }
}

/// What a terminal shows: rows of cells.
package struct Screen: Equatable, Sendable {
    package struct Size: Equatable, Sendable {
        package let columns, rows: Int
        /// At least one cell, at most what somebody could look at.
        package init(columns: Int, rows: Int) {
            (self.columns, self.rows) = (min(max(columns, 1), 1_000), min(max(rows, 1), 500))
        }
    }
    struct Cell: Equatable, Sendable {
        /// nil: the right half of the wide one to its left.
        var glyph: Character?
        var ink: Ink
        static let blank = Cell(glyph: " ", ink: .plain)
    }

    package let size: Size
    private(set) var cells: [Cell]

    package init(_ size: Size) {
        self.size = size
        cells = Array(repeating: .blank, count: size.columns * size.rows)
    }

    /// Writes into a row from a column on, before `end` (the row's end, if nil), and cuts with an ellipsis what does not fit.
    /// What a unit sent is shown, not obeyed. Returns the column behind it.
    @discardableResult
    package mutating func write(
        _ text: String, row: Int, column: Int, end: Int? = nil, ink: Ink = .plain, ellipsis: Character = "…"
    ) -> Int {
        let end = min(end ?? size.columns, size.columns)
        guard row >= 0, row < size.rows, column >= 0, column < end else { return column }
        var column = column
        for character in Self.cut(text.replacingControls(), to: end - column, ellipsis) {
            let width = Self.width(character)
            put(character, width, row, column, ink)
            column += width
        }
        return column
    }

    private static func cut(_ text: String, to room: Int, _ ellipsis: Character) -> String {
        guard width(text) > room else { return text }
        var (kept, used) = ("", 0)
        for character in text {
            used += width(character)
            if used > room - 1 { break }
            kept.append(character)
        }
        return kept + String(ellipsis)
    }

    mutating func put(_ glyph: Character, _ width: Int = 1, _ row: Int, _ column: Int, _ ink: Ink) {
        guard row >= 0, row < size.rows, column >= 0, column + width <= size.columns else { return }
        let place = row * size.columns + column
        cells[place] = Cell(glyph: glyph, ink: ink)
        if width == 2 { cells[place + 1] = Cell(glyph: nil, ink: ink) }
    }

    /// Turns the colours of a row round, from a column up to another.
    mutating func invert(row: Int, from: Int = 0, to: Int? = nil) {
        guard row >= 0, row < size.rows else { return }
        for column in max(0, from)..<min(to ?? size.columns, size.columns) {
            cells[row * size.columns + column].ink.isInverse = true
        }
    }

    static func width(_ character: Character) -> Int {
        character.isASCII ? 1 : TextTable.width(String(character))
    }
    /// In columns.
    static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    /// What is in a row, without the blanks at its end.
    package func text(row: Int) -> String {
        var text = ""
        for cell in cells[(row * size.columns)..<((row + 1) * size.columns)] {
            if let glyph = cell.glyph { text.append(glyph) }
        }
        while text.last == " " { text.removeLast() }
        return text
    }
}
