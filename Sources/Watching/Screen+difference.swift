extension Screen {
    /// The bytes that make a terminal that shows `old` show this: only what changed. nil: nobody knows what it shows.
    package func bytes(after old: Screen?, _ look: Look) -> [UInt8] {
        var pen = Pen(look: look)
        var old = old
        if old?.size != size {
            pen.text += "\u{1B}[0m\u{1B}[2J"
            old = Screen(size)
        }
        let known = old?.cells ?? []
        for row in 0..<size.rows {
            let begin = row * size.columns
            for column in 0..<size.columns {
                let cell = cells[begin + column]
                guard let glyph = cell.glyph, cell != known[begin + column] || isHalfChanged(begin, column, known)
                else {
                    continue
                }
                pen.draw(glyph, cell.ink, row, column, isWide: isWide(begin, column))
            }
        }
        pen.finish()
        return Array(pen.text.utf8)
    }

    private func isWide(_ begin: Int, _ column: Int) -> Bool {
        column + 1 < size.columns && cells[begin + column + 1].glyph == nil
    }

    /// Whether this is wide, and what was where its right half is was not.
    private func isHalfChanged(_ begin: Int, _ column: Int, _ known: [Cell]) -> Bool {
        isWide(begin, column) && known[begin + column + 1].glyph != nil
    }

    /// Where the terminal's cursor is and what it writes with.
    private struct Pen {
        let look: Look
        var text = ""
        private var ink: Ink?
        private var place: (row: Int, column: Int)?

        init(look: Look) { self.look = look }

        mutating func draw(_ glyph: Character, _ ink: Ink, _ row: Int, _ column: Int, isWide: Bool) {
            move(to: row, column)
            if self.ink != ink {
                text += "\u{1B}[\(ink.sgr(isColoured: look.isColoured))m"
                self.ink = ink
            }
            // To a terminal of another character set the bytes of a name might even be commands.
            guard look.isUnicode || glyph.isASCII else {
                text += isWide ? "??" : "?"
                place = (row, column + (isWide ? 2 : 1))
                return
            }
            // How wide a terminal draws what is not plain is its own affair: behind it the cursor is put where it belongs, and
            // a wide one that it draws narrow leaves nothing old beside it.
            if isWide {
                text += "  "
                place = nil
                move(to: row, column)
            }
            text.append(glyph)
            place = isWide || !Self.isPlain(glyph) ? nil : (row, column + 1)
        }

        private mutating func move(to row: Int, _ column: Int) {
            if let place, place.row == row {
                if place.column == column { return }
                let step = column - place.column
                if step > 0 {
                    text += step == 1 ? "\u{1B}[C" : "\u{1B}[\(step)C"
                    self.place = (row, column)
                    return
                }
            }
            text += column == 0 ? "\u{1B}[\(row + 1)H" : "\u{1B}[\(row + 1);\(column + 1)H"
            place = (row, column)
        }

        mutating func finish() { if let ink, ink != .plain { text += "\u{1B}[0m" } }

        /// Latin letters, lines and blocks: one column everywhere.
        private static func isPlain(_ glyph: Character) -> Bool {
            let scalars = glyph.unicodeScalars
            guard let first = scalars.first?.value, scalars.count == 1 else { return false }
            return first < 0x300 || (0x2500...0x259F).contains(first)
        }
    }
}
