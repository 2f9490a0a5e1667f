import AtlasProtocol

/// A level as a bar, from -80 dB at its left end to 0 dB at its right one, with its peak as a mark.
enum LevelBar {
    /// dB; the lowest that a unit sends.
    static let floor = -80.0
    /// From here on it is loud, and from here on it is near to clipping. dB.
    static let (loud, hot) = (-18.0, -6.0)

    private static let eighths: [Character] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]

    /// Draws it into a row. `peak` nil: none is known.
    static func draw(
        _ level: Double, peak: Double?, on screen: inout Screen, row: Int, column: Int, width: Int, _ look: Look
    ) {
        guard width > 0 else { return }
        let filled = Int((fraction(level) * Double(width * 8)).rounded())
        for cell in 0..<width {
            let part = min(8, filled - cell * 8)
            // The zone of the cell's left end: a cell is only loud if all of it is.
            let ink = ink(level: floor * (1 - Double(cell) / Double(width)))
            if part <= 0 {
                if isTick(cell, width) { screen.put(look.isUnicode ? "·" : ".", 1, row, column + cell, .faint) }
            } else if look.isUnicode {
                screen.put(eighths[part - 1], 1, row, column + cell, ink)
            } else if part >= 4 {
                screen.put(ink == .bad ? "#" : ink == .unsure ? "*" : "=", 1, row, column + cell, ink)
            }
        }
        guard let peak, peak > floor else { return }
        let place = min(width - 1, Int(fraction(peak) * Double(width)))
        if place * 8 >= filled {
            screen.put(look.isUnicode ? "│" : "|", 1, row, column + place, ink(level: peak).bolder)
        }
    }

    /// The scale's numbers over a bar, as many as have room.
    static func drawScale(on screen: inout Screen, row: Int, column: Int, width: Int) {
        var end = column
        for level in [-80, -60, -40, -20, 0] {
            let text = "\(level)"
            let place = column + min(tick(Double(level), width), width - text.count)
            guard place >= end, place + text.count <= column + width else { continue }
            // The last one is the most useful of those that are too near to one another.
            if level == -20, width < 16 { continue }
            end = screen.write(text, row: row, column: place, ink: .faint) + 1
        }
    }

    static func ink(level: Double) -> Ink { level > hot ? .bad : level > loud ? .unsure : .good }

    private static func fraction(_ level: Double) -> Double { min(max(1 - level / floor, 0), 1) }
    private static func tick(_ level: Double, _ width: Int) -> Int { Int(fraction(level) * Double(width)) }
    private static func isTick(_ cell: Int, _ width: Int) -> Bool {
        [-60.0, -40, -20].contains { tick($0, width) == cell }
    }

    /// `-20.1`; what is beyond the scale too.
    static func text(_ level: Double) -> String {
        // Only a gigantic level is no number of tenths, and `Reading` lets none through.
        let tenths = Int((min(max(level, -Reading.limit), Reading.limit) * 10).rounded())
        return (tenths < 0 ? "-" : "") + "\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}
