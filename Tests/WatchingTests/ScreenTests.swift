import Testing

@testable import Watching

@Suite struct ScreenTests {
    static let look = Look(isColoured: true, isUnicode: true)

    @Test(
        "a text is cut to its columns, wide characters and all",
        arguments: [
            ("Terrace", 7, "Terrace"), ("Terrace", 6, "Terra…"), ("Terrace", 1, "…"), ("酒吧酒", 6, "酒吧酒"),
            ("酒吧酒", 5, "酒吧…"),
            ("酒吧酒", 4, "酒…"), ("酒吧", 1, "…"), ("a酒吧", 4, "a酒…"), ("🍸 Bar", 6, "🍸 Bar"), ("🍸 Bar", 5, "🍸 B…"),
            ("Ñandú", 5, "Ñandú"), ("N\u{303}a", 2, "N\u{303}a"), ("a\u{1B}[31mb", 7, "a\u{FFFD}[31mb"), ("", 3, ""),
        ])
    func cut(text: String, columns: Int, shown: String) {
        var screen = Screen(Screen.Size(columns: 12, rows: 1))
        screen.write(String(repeating: ".", count: 12), row: 0, column: 0)
        let end = screen.write(text, row: 0, column: 2, end: 2 + columns)
        #expect(screen.text(row: 0).hasPrefix(".." + shown))
        #expect(end <= 2 + columns && screen.text(row: 0).hasSuffix("."))
    }

    @Test("what is written outside is not there, and no fault")
    func outside() {
        var screen = Screen(Screen.Size(columns: 4, rows: 2))
        for (row, column) in [(-1, 0), (2, 0), (0, 4), (0, -1), (1, 9)] { screen.write("x", row: row, column: column) }
        screen.put("酒", 2, 0, 3, .plain)
        screen.invert(row: 7)
        #expect(screen == Screen(Screen.Size(columns: 4, rows: 2)))
    }

    @Test("a page that is shown already costs no byte")
    func nothing() {
        var screen = Screen(Screen.Size(columns: 80, rows: 24))
        screen.write("酒吧 Bar", row: 3, column: 3, ink: .bad)
        #expect(screen.bytes(after: screen, Self.look).isEmpty)
    }

    @Test("one bar that moves costs its end and not the page")
    func little() {
        let size = Screen.Size(columns: 80, rows: 24)
        var (old, new) = (Screen(size), Screen(size))
        LevelBar.draw(-30, peak: nil, on: &old, row: 5, column: 10, width: 60, Self.look)
        LevelBar.draw(-29, peak: nil, on: &new, row: 5, column: 10, width: 60, Self.look)
        #expect(new.bytes(after: old, Self.look).count < 40)
    }

    @Test("colours only where there are any, and of a foreign character set only ASCII")
    func plain() {
        var screen = Screen(Screen.Size(columns: 10, rows: 1))
        screen.write("ñ酒x", row: 0, column: 0, ink: .bad.bolder)
        let plain = String(decoding: screen.bytes(after: nil, Look(isColoured: false, isUnicode: false)), as: UTF8.self)
        #expect(plain == "\u{1B}[0m\u{1B}[2J\u{1B}[1H\u{1B}[0;1m???x\u{1B}[0m")
        #expect(String(decoding: screen.bytes(after: nil, Self.look), as: UTF8.self).contains("\u{1B}[0;1;31mñ"))
    }

    @Test("from any page to any other, the terminal shows it", arguments: [1, 2, 3] as [UInt64])
    func random(seed: UInt64) {
        var random = Numbers(seed)
        var size = Screen.Size(columns: 13, rows: 4)
        var terminal = MiniTerminal(size)
        var shown: Screen?
        for round in 0..<3_000 {
            if Int.random(in: 0..<100, using: &random) == 0 {
                size = Screen.Size(
                    columns: .random(in: 1...20, using: &random), rows: .random(in: 1...5, using: &random))
                terminal = MiniTerminal(size)
            }
            var page = shown?.size == size ? shown! : Screen(size)
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                let text = String(
                    (0..<Int.random(in: 1...6, using: &random)).map { _ in "ab ñ█│酒吧🍸".randomElement(using: &random)! })
                let ink = [Ink.plain, .faint, .bad, .good.bolder, Ink(colour: .accent, isInverse: true)].randomElement(
                    using: &random)!
                page.write(
                    text, row: .random(in: 0..<size.rows, using: &random),
                    column: .random(in: 0..<size.columns, using: &random),
                    ink: ink)
            }
            page.mend()
            terminal.write(page.bytes(after: shown, Self.look))
            shown = page
            let differences = terminal.differences(from: page, Self.look)
            guard differences.isEmpty, terminal.faults.isEmpty else {
                Issue.record("seed \(seed), round \(round): \(differences) \(terminal.faults)")
                return
            }
        }
    }
}

extension Screen {
    /// Blanks the halves of wide characters that others were written over; a page is drawn anew each time and has none.
    fileprivate mutating func mend() {
        for row in 0..<size.rows {
            for column in 0..<size.columns {
                let place = row * size.columns + column
                let isHalf =
                    cells[place].glyph == nil && (column == 0 || cells[place - 1].glyph.map { Self.width($0) } != 2)
                let isCut =
                    cells[place].glyph.map { Self.width($0) } == 2
                    && (column + 1 == size.columns || cells[place + 1].glyph != nil)
                if isHalf || isCut { put(" ", 1, row, column, .plain) }
            }
        }
    }
}

/// SplitMix64: the same seed, the same numbers.
struct Numbers: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
