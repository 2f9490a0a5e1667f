@testable import Watching

/// As much of a terminal as a page needs: it draws characters, moves its cursor and takes colours (ECMA-48). Anything else
/// is a fault, and so is a cursor that leaves the screen.
struct MiniTerminal {
    struct Cell: Equatable {
        var glyph: Character?
        var sgr: String
    }
    let size: Screen.Size
    private(set) var cells: [Cell]
    private(set) var faults: [String] = []
    private var (row, column) = (0, 0)
    private var sgr = "0"

    init(_ size: Screen.Size) {
        self.size = size
        cells = Array(repeating: Cell(glyph: "#", sgr: "?"), count: size.columns * size.rows)
    }

    mutating func write(_ bytes: [UInt8]) {
        var rest = Substring(String(decoding: bytes, as: UTF8.self))
        while let character = rest.popFirst() {
            if character != "\u{1B}" {
                draw(character)
                continue
            }
            let sequence = rest.prefix { !$0.isLetter }
            rest = rest.dropFirst(sequence.count)
            obey(sequence.dropFirst(), rest.popFirst())
        }
    }

    private mutating func obey(_ parameters: Substring, _ command: Character?) {
        let numbers = parameters.split(separator: ";").map { Int($0) ?? -1 }
        switch command {
        case "m": sgr = String(parameters)
        case "H": (row, column) = ((numbers.first ?? 1) - 1, (numbers.count > 1 ? numbers[1] : 1) - 1)
        case "C": column += numbers.first ?? 1
        case "J" where parameters == "2": cells = cells.map { _ in Cell(glyph: " ", sgr: "0") }
        default: faults.append("\(parameters)\(command ?? "?")")
        }
    }

    private mutating func draw(_ glyph: Character) {
        let width = Screen.width(glyph)
        guard row >= 0, row < size.rows, column >= 0, column + width <= size.columns else {
            faults.append("'\(glyph)' at \(row), \(column)")
            return
        }
        let place = row * size.columns + column
        // Over half of a wide character nothing of it stays.
        if cells[place].glyph == nil, column > 0 { cells[place - 1].glyph = " " }
        if column + width < size.columns, cells[place + width].glyph == nil { cells[place + width].glyph = " " }
        cells[place] = Cell(glyph: glyph, sgr: sgr)
        if width == 2 { cells[place + 1] = Cell(glyph: nil, sgr: sgr) }
        column += width
    }

    /// What differs from a page that it should show.
    func differences(from screen: Screen, _ look: Look) -> [String] {
        zip(cells, screen.cells).enumerated().compactMap { place, pair in
            let wanted = Cell(glyph: pair.1.glyph, sgr: pair.1.ink.sgr(isColoured: look.isColoured))
            return pair.0 == wanted ? nil : "\(place): \(pair.0), not \(wanted)"
        }
    }
}
