import Testing
import WallTime

@testable import Watching

/// What is on the page.
@Suite struct PageTests {
    @Test("one unit on 80 columns and 24 rows: links, figures, each meter's label, bar and level, keys")
    func usual() {
        let feed = Feed()
        feed.hello().unit("Bar", zones: 3).value("Bar", "ZoneMeter_7", -80, "Patio")
        feed.watch.figures = .known(
            DayFigures(
                units: [
                    "Bar": .init(
                        control: .init(uptimePercent: 99.829, outages: 1, unknown: 0),
                        meters: .init(uptimePercent: 100, outages: 0, unknown: 3_600_000_000),
                        samples: 1_234_567, samplesLost: 12, datagramsLost: 0)
                ],
                errors: [
                    .init(
                        code: "EADDRINUSE", socket: "udp", operation: "bind", count: 11, last: Feed.begin,
                        processor: "Bar",
                        holder: "node (pid 2211)"),
                    .init(
                        code: "ECONNRESET", socket: "tcp", operation: "recv", count: 1, last: Feed.begin,
                        processor: "Patio",
                        holder: nil),
                ], recorded: nil))
        feed.wait(62)
        let rows = feed.rows()
        let since = LocalTime.text(Feed.begin).dropFirst(11).prefix(8)
        #expect(rows[0].hasPrefix("atlas-recorder 0.1.0  /a.sqlite"))
        #expect(rows[0].hasSuffix(String(LocalTime.text(feed.now.wall).dropFirst(11).prefix(8))))
        #expect(
            rows[2].hasPrefix("control  ● up  since \(since) (1m 2s)")
                && rows[2].hasSuffix("today 99.82 % up, 1 outage"))
        #expect(
            rows[3].hasPrefix("meters   ● up  since \(since) (1m 2s)")
                && rows[3].hasSuffix("today 100 % up, 1h 0m unknown"))
        #expect(rows[4] == "samples  0/s  today 1,234,567 stored, 12 lost")
        #expect(rows[5] == "errors   EADDRINUSE 11, last \(since) (udp bind, held by node (pid 2211))")
        #expect(
            rows[7].contains("-80") && rows[7].contains("-40") && rows[7].contains("-20") && rows[7].hasSuffix(" dB"))
        #expect(rows[8].hasPrefix("Z0 Zone 0 █") && rows[8].hasSuffix(" -40.0"))
        #expect(rows[10].hasPrefix("Z2 Zone 2 █") && rows[10].hasSuffix(" -38.0"))
        #expect(rows[11].hasPrefix("Z7 Patio") && !rows[11].contains("█") && rows[11].hasSuffix(" -80.0"))
        #expect(rows[23] == "q quit  ? help  o order: meter")
    }

    @Test("no error is said of the time that was recorded, not of all the day")
    func recorded() {
        let feed = Feed()
        feed.hello().unit("Bar", zones: 1)
        feed.watch.figures = .known(DayFigures(units: [:], errors: [], recorded: 4_000_000_000))
        #expect(feed.rows()[5] == "errors   none in the 1h 6m of today that were recorded")
        feed.watch.figures = .known(DayFigures(units: [:], errors: [], recorded: nil))
        #expect(feed.rows()[5] == "errors   none today")
        feed.watch.figures = .known(DayFigures(units: [:], errors: [], recorded: nil, lost: "they were lost"))
        #expect(feed.rows()[5] == "errors   none left; they were lost")
    }

    @Test("on 20 columns and 5 rows the links' states and the first meters are there")
    func small() {
        let feed = Feed(columns: 20, rows: 5)
        feed.hello().unit("Bar", zones: 9).link("Bar", "meters", "up")
        #expect(feed.rows()[1] == "● control ● meters")
        #expect(feed.rows()[2].hasPrefix("Zone") && feed.rows()[2].contains("█") && feed.rows()[2].hasSuffix("-40.0"))
        #expect(feed.rows()[4].hasPrefix("q quit  ? help"))
        feed.link("Bar", "meters", "down", "taken")
        #expect(feed.rows()[1] == "● control ▼ meters …")
        feed.picture.ended("the recorder has ended the feed", at: feed.now)
        #expect(feed.rows()[0].hasPrefix("▼ not connected"))
    }

    @Test("on 200 columns there are several columns of meters, and on 40 one")
    func wide() {
        for (columns, perRow) in [(200, 3), (110, 3), (80, 2), (40, 1)] {
            let feed = Feed(columns: columns, rows: 24)
            feed.hello().unit("Bar", zones: 40)
            let meters = feed.rows()[8...21]
            #expect(
                meters.first?.split(separator: " ").count { $0.hasPrefix("Z") && $0 != "Zone" } == perRow, "\(columns)")
        }
    }

    @Test("zones come before sources, mixes and groups; by name; by level, which moves once a second only")
    func orders() {
        let feed = Feed(columns: 60)
        feed.hello().link("Bar", "meters", "up")
        for (meter, label, level) in [
            ("GroupMeter_0", "Anton", -50.0), ("SourceMeter_10", "Zoe", -10), ("SourceMeter_9", "Carla", -40),
            ("ZoneMeter_0", "bert", -30),
            ("OtherMeter", "Dora", -20),
        ] { feed.value("Bar", meter, level, label) }
        func order() -> [String] {
            feed.rows()[8...].compactMap { row in ["Anton", "Zoe", "Carla", "bert", "Dora"].first { row.contains($0) } }
        }
        #expect(order() == ["bert", "Carla", "Zoe", "Anton", "Dora"])
        feed.press(.character("o"))
        #expect(order() == ["Anton", "bert", "Carla", "Dora", "Zoe"])
        feed.press(.character("o"))
        _ = feed.picture.tick(feed.now)
        #expect(order() == ["Zoe", "Dora", "bert", "Carla", "Anton"])
        feed.value("Bar", "GroupMeter_0", -1)
        #expect(order().last == nil || order().first == "Zoe")
        feed.wait(1)
        _ = feed.picture.tick(feed.now)
        #expect(feed.rows()[8].contains("-1.0"))
    }

    @Test("more meters than there is room for are scrolled to, and no further")
    func scrolling() {
        let feed = Feed(columns: 50, rows: 14)
        feed.hello().unit("Bar", zones: 30)
        func first() -> String { String(feed.rows()[7].prefix(3)) }
        #expect(first() == "Z0 " && feed.rows()[13].hasSuffix("1-6 of 30"))
        feed.press(.down)
        #expect(first() == "Z1 ")
        feed.press(.pageDown, .pageDown)
        #expect(first() == "Z13")
        feed.press(.end, .down)
        #expect(first() == "Z24" && feed.rows()[13].hasSuffix("25-30 of 30"))
        feed.press(.home, .up)
        #expect(first() == "Z0 ")
        feed.press(.end)
        feed.watch.size = Screen.Size(columns: 50, rows: 60)
        #expect(feed.rows().contains { $0.hasPrefix("Z0 ") })
    }

    @Test("with several units all are listed first, the chosen one's meters on Enter, and 1,000 have room")
    func many() {
        let feed = Feed(columns: 100, rows: 20)
        feed.hello()
        for number in 0..<1_000 { feed.link("Unit \(number)", "control", "up").link("Unit \(number)", "meters", "up") }
        feed.link("Unit 700", "control", "down", "wedged").value("Unit 701", "ZoneMeter_0", -20, "Terrace")
        #expect(feed.rows()[2].hasPrefix("1,000 processors  ● 999 up  ▼ 1 down"))
        #expect(feed.rows()[4].hasPrefix("▶   1 Unit 0") && feed.rows()[19].hasSuffix("1-15 of 1000"))
        feed.press(.character("o"), .character("o"))
        #expect(feed.rows()[4].contains("Unit 700") && feed.rows()[4].contains("▼ down wedged"))
        feed.press(.character("o"), .end)
        #expect(feed.rows()[18].hasPrefix("▶1000 Unit 999"))
        feed.press(.character("o"), .character("o"))
        _ = feed.rows()
        feed.press(.home, .enter)
        #expect(feed.rows()[1].contains("▼ 701 Unit 700") && feed.rows()[3].contains("▼ down wedged"))
        feed.press(.right)
        #expect(feed.rows()[1].contains("● 702 Unit 701"))
        #expect(feed.rows().contains { $0.contains("Terrace") && $0.hasSuffix("-20.0") })
    }

    @Test("a level that is not of now is not shown")
    func stale() {
        let feed = Feed()
        feed.hello().unit("Bar", zones: 1)
        #expect(feed.rows()[8].hasSuffix("-40.0"))
        feed.link("Bar", "meters", "down", "not_arriving")
        #expect(feed.rows()[3].contains("▼ down not_arriving"))
        #expect(feed.rows()[8].hasSuffix("  -") && !feed.rows()[8].contains("█") && !feed.watch.isMoving(at: feed.now))
        feed.link("Bar", "meters", "up")
        feed.picture.ended("the recorder has ended the feed", at: feed.now)
        #expect(feed.rows()[1].contains("not connected since") && feed.rows()[1].hasSuffix("trying again"))
        #expect(feed.rows()[2].contains("not known now") && feed.rows()[8].hasSuffix("  -"))
    }

    @Test("what was missed is said, for a while; a store that cannot be read too")
    func notices() {
        let feed = Feed()
        feed.hello().unit("Bar", zones: 1).say(#"{"missed":1234}"#)
        #expect(feed.rows()[1].contains("missed 1234 values"))
        feed.wait(11)
        #expect(!feed.rows()[1].contains("missed"))
        feed.watch.figures = .failed("cannot read the store in /a.sqlite")
        #expect(feed.rows()[1].contains("cannot read the store") && feed.rows()[5].contains("not known"))
    }

    @Test("without colour and blocks the zones of a bar are told apart")
    func ascii() {
        let feed = Feed(Look(isColoured: false, isUnicode: false))
        feed.hello().unit("Bar", zones: 1).value("Bar", "ZoneMeter_0", -1)
        let row = feed.rows()[8]
        #expect(row.contains("===***") && row.contains("**#") && row.allSatisfy(\.isASCII))
        #expect(feed.rows().allSatisfy { $0.allSatisfy(\.isASCII) } && feed.rows()[2].hasPrefix("control  + up"))
    }

    @Test(
        "whatever the size, the names and the keys: a page, and the terminal shows it", arguments: [1, 2] as [UInt64])
    func everySize(seed: UInt64) {
        var random = Numbers(seed)
        let keys: [Key] = [
            .character("o"), .character("a"), .character("?"), .character("2"), .enter, .left, .right, .up, .down,
            .pageUp,
            .pageDown, .home, .end, .escape,
        ]
        for round in 0..<150 {
            let columns = Int.random(in: 1...130, using: &random)
            let rows = Int.random(in: 1...45, using: &random)
            let feed = Feed(columns: columns, rows: rows, hasKeys: .random(using: &random))
            feed.hello()
            for number in 0..<Int.random(in: 0...4, using: &random) {
                let name = ["Bar", "酒吧 Terraza", "🍸", "A very long name of a processor that nobody cuts"].randomElement(
                    using: &random)!
                feed.unit("\(name) \(number)", zones: .random(in: 0...60, using: &random))
                if Bool.random(using: &random) { feed.link("\(name) \(number)", "meters", "down", "EADDRINUSE") }
            }
            var terminal = MiniTerminal(feed.watch.size)
            var shown: Screen?
            for _ in 0..<8 {
                let page = feed.watch.page(at: feed.now)
                terminal.write(page.bytes(after: shown, ScreenTests.look))
                shown = page
                let differences = terminal.differences(from: page, ScreenTests.look)
                guard differences.isEmpty, terminal.faults.isEmpty else {
                    Issue.record(
                        "seed \(seed), round \(round), \(columns)x\(rows): \(differences.prefix(5)) \(terminal.faults)")
                    return
                }
                feed.press(keys.randomElement(using: &random)!)
                feed.wait(1)
                if Int.random(in: 0..<10, using: &random) == 0 { feed.picture.ended("gone", at: feed.now) }
            }
        }
    }

    @Test("numbers that no recorder writes end nothing", arguments: [Int64.min, -1, 0, .max])
    func impossible(at: Int64) {
        let feed = Feed()
        feed.hello().unit("Bar", zones: 2).link("Bar", "control", "up", since: at).value(
            "Bar", "ZoneMeter_0", 1e308, at: at)
        feed.value("Bar", "ZoneMeter_1", -1e308, at: at)
        #expect(feed.rows()[8].hasSuffix("1000.0") && feed.rows()[2].contains("since"))
        feed.press(.character("a"))
        #expect(feed.rows().contains { $0.contains("Bar") })
        #expect(PlainLine.text(feed.picture.units[0], at: at).contains("loudest ZoneMeter_0 1000.0 dB"))
        feed.wait(5)
        _ = feed.picture.tick(feed.now)
        #expect(!feed.rows().isEmpty)
    }

    @Test("rows of the page do not meet, at any height")
    func plan() {
        for rows in 1...60 {
            for (units, isOverview) in [(1, false), (5, false), (5, true)] {
                let plan = Plan(Screen.Size(columns: 80, rows: rows), units: units, isOverview: isOverview)
                var taken =
                    [0]
                    + [plan.tabs, plan.rule, plan.state, plan.samples, plan.errors, plan.scale, plan.keys].compactMap(
                        \.self)
                taken += Array(plan.links ?? 0..<0) + Array(plan.body)
                #expect(Set(taken).count == taken.count && taken.allSatisfy { $0 < rows }, "\(rows): \(plan)")
                if rows >= 4 { #expect(!plan.body.isEmpty && plan.keys == rows - 1) }
            }
        }
    }
}
