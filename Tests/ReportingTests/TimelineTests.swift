import Testing

@testable import RecorderStore
@testable import Reporting

@Suite struct TimelineTests {
    /// One letter for each cell of the control link: u, d or ?.
    private func cells(_ store: HandMadeStore, _ since: Double, _ until: Double, split: Double? = nil) throws -> String
    {
        let timeline = try Timeline(
            StoreReader(path: store.path), store.question(since, until), split: split.map { HandMadeStore.at($0) })
        let line = try #require(timeline.lines.first { $0.link == "control" })
        return String(line.cells.map { ["up": "u", "down": "d", "unknown": "?"][$0]! })
    }

    private func times(_ letter: Character, _ count: Int) -> String { String(repeating: letter, count: count) }

    @Test("a cell that was down at any time is down, else what more of it was")
    func cells() throws {
        let store = try HandMadeStore(ended: 600)
        try store.states([
            ("unknown:recorder_starting", 14), ("up", 46), ("down:reset", 0.000_001), ("up", 39.999_999),
            ("down:refused", 30),
            ("down:timeout", 30), ("unknown:clock_step", 6), ("up", 434),
        ])
        // Cells of 10 s: the second is unknown for 4 s of 10; one µs is enough for down.
        #expect(
            try cells(store, 0, 600)
                == "?" + "uuuuu" + "d" + "uuu" + "dddddd" + "?" + times("u", 43))
        #expect(try cells(store, -300, 300) == times("?", 31) + "uuuuu" + "d" + "uuu" + "dddddd" + "?" + times("u", 13))
        #expect(try cells(store, 60.000_001, 100) == times("u", 60))
        #expect(try cells(store, 300, 900) == times("u", 30) + times("?", 30))
        #expect(try cells(store, 5_000, 6_000) == times("?", 60))
    }

    @Test("no cell lies on both sides of the split, whatever small a side is")
    func split() throws {
        let store = try HandMadeStore()
        try store.states([("down:refused", 601), ("up", 5_000)])
        #expect(try cells(store, 0, 1_180, split: 601) == times("d", 30) + times("u", 29))
        #expect(try cells(store, 0, 602, split: 601) == times("d", 58) + "u")
        #expect(try cells(store, 600.5, 5_000, split: 601) == "d" + times("u", 58))
        #expect(try cells(store, 0, 1_200) == times("d", 31) + times("u", 29))
    }

    @Test("a row that lasts, and a recording that was killed")
    func openRows() throws {
        let running = try HandMadeStore(ended: nil)
        try running.states([("up", 100), ("down:silent", nil)])
        #expect(try cells(running, 0, 200) == times("u", 30) + times("d", 30))
        let killed = try HandMadeStore(ended: 150)
        try killed.states([("up", 100), ("down:silent", nil)])
        #expect(try cells(killed, 0, 200) == times("u", 30) + times("d", 15) + times("?", 15))
        let empty = try HandMadeStore()
        #expect(try cells(empty, 0, 200) == times("?", 60))
    }

    @Test("the cells say what the summary says: down in a cell exactly where there is time down", arguments: 1...4)
    func agrees(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let store = try HandMadeStore(ended: 3_000)
        var rows: [(String, Double?)] = []
        for _ in 0..<60 {
            let state = ["up", "down:refused", "down:silent", "unknown:clock_step"].randomElement(using: &generator)!
            rows.append((state, Double(Int.random(in: 1...60_000_000, using: &generator)) / 1e6))
        }
        try store.states(rows)
        let since = Double(Int.random(in: -500_000_000...1_000_000_000, using: &generator)) / 1e6
        let reader = try StoreReader(path: store.path)
        let question = store.question(since, since + 2_222.222_221)
        let table = try Report.compiledIn("timeline").run(on: reader, question)
        var reached = question.since
        for row in table.rows.indices.prefix(60).map({ Row(table: table, row: $0) }) {
            let (from, to) = (try #require(row.integer("start_us")), try #require(row.integer("end_us")))
            #expect(from == reached && to > from)
            reached = to
            let part = Question(since: from, until: to, processor: nil, now: to)
            let link = try Summary(reader, part).link()
            let wanted = link.down > 0 ? "down" : 2 * link.up >= to - from ? "up" : "unknown"
            #expect(row.text("state") == wanted, "seed \(seed), cell \(row.integer("cell") ?? 0)")
        }
        #expect(reached == question.until)
    }

    @Test(
        "blocks only where the locale is UTF-8",
        arguments: [
            (["LANG": "C.UTF-8"], true), (["LANG": "de_DE.utf8"], true), (["LANG": "de_DE.UTF-8@euro"], true),
            (["LANG": "C", "LC_CTYPE": "UTF-8"], true), (["LANG": "C"], false), (["LANG": "POSIX"], false),
            ([:], false), (["LANG": "de_DE.ISO-8859-1"], false),
            (["LANG": "C.UTF-8", "LC_ALL": "C"], false), (["LANG": "C.UTF-8", "LC_CTYPE": "C"], false),
            (["LANG": "C", "LC_CTYPE": "C.UTF-8"], true), (["LANG": "C.UTF-8", "LC_ALL": ""], true),
        ])
    func locale(environment: [String: String], wanted: Bool) {
        #expect(Style.isUnicode(environment) == wanted)
    }
}
