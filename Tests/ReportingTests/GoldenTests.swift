import Foundation
import Testing

@testable import RecorderStore
@testable import Reporting

/// The pages as people and scripts get them, whole.
@Suite struct GoldenTests {
    /// A question to a fixed store.
    struct Page: Sendable, CustomTestStringConvertible {
        let name: String
        var report = "summary"
        let store: @Sendable () throws -> HandMadeStore
        let window: (Double, Double)
        var split: Double?
        var processor: String?
        var isUnicode = true
        var isColoured = false
        /// The window ends now, and the page says so.
        var isNow = false
        var testDescription: String { name }

        func text(_ format: ReportFormat) throws -> String { try text(format, of: store()) }

        func text(_ format: ReportFormat, of store: HandMadeStore) throws -> String {
            let end = HandMadeStore.at(window.1)
            let question = Question(
                since: HandMadeStore.at(window.0), until: end, processor: processor, now: isNow ? end : end + 9_000_000)
            let inquiry = Inquiry(
                try #require(Report(named: report)), question, split: split.map { HandMadeStore.at($0) }, format: format
            )
            let style = Style(isColoured: isColoured, isUnicode: isUnicode)
            // POSIX spelling: the zone's rules need no files.
            let text = try inZone("CST6CDT,M3.2.0,M11.1.0") {
                try inquiry.answer(from: StoreReader(path: store.path), style)
            }
            return text.replacingOccurrences(of: store.path, with: "atlas.sqlite")
        }
    }

    static let mended: @Sendable () throws -> HandMadeStore = { try HandMadeStore.mended() }
    static let pages = [
        Page(name: "mended", store: mended, window: (-600, 14_400)),
        Page(name: "mended-ascii", store: mended, window: (0, 14_400), split: 7_220, isUnicode: false),
        Page(name: "mended-split", store: mended, window: (0, 14_400), split: 7_220),
        Page(name: "mended-colour", store: mended, window: (0, 14_400), split: 7_220, isColoured: true),
        Page(name: "mended-too-early", store: mended, window: (0, 7_300), split: 7_220),
        Page(name: "mended-lingering", store: mended, window: (0, 14_400), split: 7_177.25),
        Page(name: "mended-little-recorded", store: mended, window: (0, 12_900), split: 10_700),
        Page(name: "mended-not-recorded", store: mended, window: (0, 12_600), split: 10_800),
        Page(name: "mended-not-yet", store: mended, window: (0, 5_000), split: 2_500),
        Page(name: "mended-before-it-all", store: mended, window: (-7_200, 3_000), split: 0),
        Page(name: "quiet-split", store: mended, window: (12_700, 14_300), split: 13_000),
        Page(name: "nothing", store: { try HandMadeStore([]) }, window: (-100, 0)),
        Page(name: "nothing-split", store: { try HandMadeStore([]) }, window: (-100, 100), split: 10),
        Page(name: "three", store: { try HandMadeStore.threeUnits() }, window: (0, 1_200), isNow: true),
        Page(name: "three-split", store: { try HandMadeStore.threeUnits() }, window: (0, 1_200), split: 306.25),
        Page(
            name: "three-one-of-them", store: { try HandMadeStore.threeUnits() }, window: (0, 1_200), split: 306.25,
            processor: "O'Brien | *Pub* and Grill, Terrace"),
        Page(name: "silent", store: { try HandMadeStore.silent() }, window: (0, 200), isNow: true),
        Page(name: "silent-split", store: { try HandMadeStore.silent() }, window: (0, 200), split: 50),
        Page(name: "errors", report: "errors", store: mended, window: (0, 14_400)),
        Page(name: "errors-split", report: "errors", store: mended, window: (0, 14_400), split: 7_220),
        Page(name: "losses-split", report: "losses", store: mended, window: (0, 14_400), split: 7_220),
        Page(name: "outages-split", report: "outages", store: mended, window: (3_000, 4_000), split: 3_610),
    ]

    /// Those that differ in the look of the text only have no other files.
    private static func endings(_ page: Page) -> [(ReportFormat, String)] {
        page.isColoured || !page.isUnicode
            ? [(.text, "txt")] : [(.text, "txt"), (.csv, "csv"), (.markdown, "md"), (.json, "json")]
    }

    @Test("a page is that of its file in every format; the summary's text has at most 80 columns", arguments: pages)
    func page(page: Page) throws {
        let store = try page.store()
        for (format, ending) in Self.endings(page) {
            let text = try page.text(format, of: store)
            try Golden.expect(text, is: "\(page.name).\(ending)")
            guard format == .text, page.report == "summary" else { continue }
            let long = text.split(separator: "\n").filter { TextTable.width(String($0).removingStyle()) > 80 }
            #expect(long.isEmpty)
            let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
            #expect(page.isUnicode || isASCII)
        }
    }
}
