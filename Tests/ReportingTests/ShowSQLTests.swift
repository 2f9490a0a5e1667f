import Foundation
import Testing

@testable import RecorderStore
@testable import Reporting

@Suite struct ShowSQLTests {
    private func inquiry(
        _ report: Report, _ store: HandMadeStore, processor: String? = nil, split: Double? = nil,
        format: ReportFormat = .text
    ) -> Inquiry {
        Inquiry(
            report, store.question(0, 14_400, processor), split: split.map { HandMadeStore.at($0) }, format: format)
    }

    @Test("what --show-sql prints gives the same rows when it is pasted into sqlite3")
    func pasted() throws {
        let store = try HandMadeStore.threeUnits()
        let errors = try #require(Report(named: "errors"))
        let name = "O'Brien | *Pub* and Grill, Terrace"
        // Both in one zone: other tests set it, and local times are among the columns.
        let (text, complaint, rows) = try inZone("UTC") {
            let (text, complaint) = try PlainSQLite.run(
                inquiry(errors, store, processor: name).sql, on: store.path)
            let table = try errors.run(on: StoreReader(path: store.path), store.question(0, 14_400, name))
            return (text, complaint, table.rows)
        }
        #expect(complaint.isEmpty)
        #expect(text == rows.map { $0.map(\.plain).joined(separator: "|") + "\n" }.joined())
        #expect(rows.count == 2)
    }

    @Test(
        "a name with quotes, backslashes or letters of any kind arrives as it is",
        arguments: ["O'Brien", "a \"b\" 'c'", "back\\slash \\n", "東京 Ñandú", "tab\tand\u{1}"])
    func names(name: String) throws {
        let store = try HandMadeStore([name.replacingOccurrences(of: "'", with: "''")])
        let report = Report(name: "mine.sql", sql: "SELECT p.name = :processor, hex(:processor) FROM processor p")
        let (text, complaint) = try PlainSQLite.run(inquiry(report, store, processor: name).sql, on: store.path)
        let hex = name.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
        #expect(text == "1|\(hex)\n" && complaint.isEmpty)
    }

    @Test(
        "the summary's is all that it asks, of each side of a split", arguments: [nil, 7_220.0], ReportFormat.allCases)
    func summary(split: Double?, format: ReportFormat) throws {
        let store = try HandMadeStore.mended()
        let sql = inquiry(try #require(Report(named: "summary")), store, split: split, format: format).sql
        let (text, complaint) = try PlainSQLite.run(sql, on: store.path)
        #expect(complaint.isEmpty)
        for name in Summary.sources {
            let part = try #require(Report(named: name)).sql
            #expect(
                sql.components(separatedBy: part).count - 1
                    == (split == nil ? 1 : [.json, .html].contains(format) ? 3 : 2), "\(name)")
        }
        let quiet = try #require(Report(named: "quiet")).sql
        #expect(sql.contains(quiet) == (split != nil))
        let timeline = try #require(Report(named: "timeline")).sql
        #expect(sql.contains(timeline) == (format == .text))
        let middle = HandMadeStore.at(7_220)
        #expect(sql.contains(".parameter set :until_us \(middle)\n") == (split != nil))
        // The cells of the timeline: 60, or 59 and the mark of the split.
        if format == .text {
            let cells = text.split(separator: "\n").filter {
                $0.contains("|control|") && $0.split(separator: "|").count == 7
            }
            #expect(cells.count == (split == nil ? 60 : 59))
        }
    }

    @Test("each report says in one line what it is for")
    func purposes() {
        for report in Report.all {
            #expect(report.purpose.count > 20 && report.purpose.hasSuffix("."), "\(report.name): \(report.purpose)")
        }
    }
}
