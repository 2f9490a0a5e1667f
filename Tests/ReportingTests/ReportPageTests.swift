import Foundation
import Testing

@testable import RecorderStore
@testable import Reporting

@Suite struct ReportPageTests {
    private func page(
        _ store: HandMadeStore, _ since: Double = 0, _ until: Double = 14_400, split: Double? = nil
    ) throws -> ReportPage {
        try ReportPage(store.reader(), store.question(since, until), split: split.map { HandMadeStore.at($0) })
    }

    private func ids(_ sections: String) -> [String] {
        sections.components(separatedBy: "<section id=\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
    }

    @Test("the sections are those that a living page replaces one by one", arguments: [nil, 7_220.0])
    func sections(split: Double?) throws {
        let page = try page(HandMadeStore.mended(), split: split)
        let rest = ["timeline", "outages", "errors", "levels", "recorded", "sql"]
        #expect(ids(page.sections) == ["answer"] + (split == nil ? [] : ["split"]) + rest)
        // In one zone: other tests set it.
        let isInside = inZone("UTC") { page.document().contains(page.sections) }
        #expect(isInside)
    }

    @Test(
        "the answer comes first: the state, since when, uptime, EADDRINUSE with the last one before, how much was recorded"
    )
    func answer() throws {
        let store = try HandMadeStore.mended()
        let sections = try inZone("CST6CDT,M3.2.0,M11.1.0") { try page(store, 7_300, 14_400).sections }
        let answer = sections.components(separatedBy: "</section>")[0]
        #expect(answer.contains(">Up now</h2>"))
        #expect(answer.contains("<b>0</b> the last one was 2025-10-21 13:29:36"), "\(answer)")
        #expect(answer.contains("since 15:00:00"), "\(answer)")
        #expect(answer.contains("<b>74.64 %</b> 30m 0s is not known"), "\(answer)")
    }

    @Test("what is down, or not known, is the page's heading")
    func headings() throws {
        let store = try HandMadeStore.threeUnits()
        #expect(try page(store, 0, 1_200).headline == "2 of 6 links down now")
        #expect(try page(store, 301, 306).headline == "4 of 6 links down now")
        let one = try ReportPage(store.reader(), store.question(301, 306, "Main Bar"), split: nil)
        #expect(one.headline == "Control down now (wedged)")
        #expect(try page(HandMadeStore([]), -100, 0).headline == "No processor in this store")
        #expect(try page(HandMadeStore.mended(), -100, -10).headline == "Nothing was recorded")
    }

    @Test("every figure of a split stands on the page with what is said of it")
    func split() throws {
        let page = try page(HandMadeStore.mended(), split: 7_220)
        let section = try #require(page.sections.components(separatedBy: "<section id=\"split\"").last)
        let figures = try #require(page.halves).figures
        #expect(figures.count > 10)
        for figure in figures where figure.kind != .heading {
            let cells = "<td class=\"n\">\(figure.before)</td><td class=\"n\">\(figure.after)</td>"
            #expect(section.contains(cells), "\(figure)")
        }
        #expect(section.contains("<span class=\"change good\">gone</span>"))
        #expect(page.sections.components(separatedBy: "class=\"split\"").count > 3)
    }

    @Test("what somebody else wrote is text on the page, in every place where it can stand")
    func hostile() throws {
        let evil = "<script>alert('x')</script>\"&\u{1}\u{202E}"
        let literal = "'" + evil.replacingOccurrences(of: "'", with: "''") + "'"
        let store = try HandMadeStore([evil.replacingOccurrences(of: "'", with: "''")])
        try store.states([("up", 3_600), ("down:refused", 20), ("up", 10_780)])
        try store.states([("up", 3_600), ("down:taken", 20), ("up", 10_780)], link: "meters")
        try store.episode("EADDRINUSE", at: [100, 200], holder: literal, message: literal)
        try store.run(
            """
            UPDATE processor SET host = \(literal);
            INSERT INTO meter (id, processor_id, slot, name) VALUES (1, 1, 1, 'ZoneMeter_0');
            INSERT INTO meter_label (processor_id, meter, from_us, label) VALUES (1, 'ZoneMeter_0', 0, \(literal));
            INSERT INTO meter_minute (start_us, meter_id, samples, low, high, level_us, silent_us, known_us, last)
            VALUES (\(HandMadeStore.begin), 1, 5, -300, -100, -12000000000, 0, 60000000, -100);
            INSERT INTO minute_coverage (processor_id, from_us, until_us)
            VALUES (1, \(HandMadeStore.begin), \(HandMadeStore.at(600)));
            INSERT INTO event (at_us, processor_id, link, event, cause, detail)
            VALUES (\(HandMadeStore.at(3_601)), 1, 'meters', 'taken', NULL, \(literal));
            INSERT INTO event (at_us, processor_id, link, event, cause, detail)
            VALUES (\(HandMadeStore.at(50)), 1, 'meters', 'store_rescued', NULL, \(literal));
            """)
        let page = try ReportPage(
            store.reader(), store.question(0, 14_400, evil), split: HandMadeStore.at(7_220))
        let document = page.document()
        let text = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\u{FFFD}\u{FFFD}"
        #expect(document.components(separatedBy: text).count > 12)
        #expect(!document.contains("<script") && !document.contains("alert('"))
        #expect(!document.unicodeScalars.contains("\u{1}") && !document.unicodeScalars.contains("\u{202E}"))
        #expect(document.contains("default-src 'none'"))
    }

    @Test("nothing on the page runs, and nothing has a look of its own that a policy would have to allow")
    func inert() throws {
        let document = try page(HandMadeStore.mended(), split: 7_220).document()
        for word in [
            "<script", " style=", " onclick=", " onload=", "javascript:", "http://", "https://", "<img", "<link",
        ] {
            #expect(!document.contains(word), "\(word)")
        }
    }

    @Test("what a server adds stands where it belongs, and its own header says what may be loaded")
    func additions() throws {
        let page = try page(HandMadeStore.mended())
        let document = page.document(
            .init(
                head: "<script src=\"live.js\"></script>\n", top: "<p id=\"ask\"></p>\n",
                live: "<section id=\"live\"></section>\n"))
        #expect(document.contains("<script src=\"live.js\"></script>\n</head>"))
        #expect(document.contains("<main>\n<p id=\"ask\"></p>\n<section id=\"answer\""))
        // Behind the answer, before everything else.
        #expect(document.contains("</section>\n<section id=\"live\"></section>\n<section id=\"timeline\""))
        #expect(document.contains("<a href=\"#live\">Meters now</a>"))
        #expect(!page.document().contains("#live"))
        #expect(!document.contains("Content-Security-Policy"))
    }

    @Test("a link that changes all the time does not make the page long, and the page says what it leaves out")
    func bounded() throws {
        let store = try HandMadeStore()
        for link in ["control", "meters"] {
            try store.run(
                """
                WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
                INSERT INTO link_state (processor_id, link, started_us, ended_us, state, cause)
                SELECT 1, '\(link)', \(HandMadeStore.begin) + i * 4000000, \(HandMadeStore.begin) + (i + 1) * 4000000,
                       CASE WHEN i % 37 = 0 THEN 'down' ELSE 'up' END, CASE WHEN i % 37 = 0 THEN 'reset' END FROM n
                """)
        }
        let document = try page(store, 0, 80_000).document()
        #expect(document.utf8.count < 500_000)
        #expect(document.contains("19,950 earlier ones: atlas-recorder report states"))
        #expect(document.contains("882 earlier ones: atlas-recorder report outages"))
    }

    @Test("of many units the page names those that stand out, and draws the levels of none")
    func fleet() throws {
        let store = try HandMadeStore((1...20).map { "Unit \($0)" })
        for unit in 1...20 {
            for link in ["control", "meters"] {
                try store.states(
                    unit == 7 ? [("up", 50), ("down:reset", 50), ("up", 900)] : [("up", 1_000)], link: link,
                    processor: unit)
            }
        }
        let sections = try page(store, 0, 1_000).sections
        #expect(sections.contains("<h3><bdi>Unit 7</bdi></h3>") && !sections.contains("<h3><bdi>Unit 8</bdi></h3>"))
        #expect(sections.contains("<code>--processor NAME</code>"))
    }

    @Test("of many units that are all alike there are the sums")
    func alike() throws {
        let store = try HandMadeStore((1...20).map { "Unit \($0)" })
        for unit in 1...20 {
            for link in ["control", "meters"] { try store.states([("up", 1_000)], link: link, processor: unit) }
        }
        let page = try page(store, 0, 1_000)
        #expect(page.headline == "All 20 processors up now" && page.strips.isEmpty)
        #expect(page.sections.components(separatedBy: "<td>All together</td>").count == 3)
    }

    @Test("any other report is its table on a page, with a split both")
    func otherReports() throws {
        let store = try HandMadeStore.mended()
        let report = try #require(Report(named: "errors"))
        for split in [nil, HandMadeStore.at(7_220)] {
            let inquiry = Inquiry(report, store.question(0, 14_400), split: split, format: .html)
            let text = try inquiry.answer(from: store.reader(), .plain)
            #expect(text.components(separatedBy: "<table>").count == (split == nil ? 2 : 3))
            #expect(text.contains("<td>EADDRINUSE</td>") && text.hasPrefix("<!DOCTYPE html>"))
        }
    }
}
