import RecorderStore
import WallTime

/// A report as it was asked for: which, of what time, split where, in what format.
package struct Inquiry: Sendable {
    package let report: Report
    package let question: Question
    /// Inside the window, microseconds since 1970 UTC; nil: the window is not split.
    package let split: Int64?
    package let format: ReportFormat

    package init(_ report: Report, _ question: Question, split: Int64?, format: ReportFormat) {
        (self.report, self.question, self.split, self.format) = (report, question, split, format)
    }

    /// The time that `--fail-on` judges: that after the split, where there is one. A fix is proven by what came after it.
    package var judged: Question { split.map { question.after($0) } ?? question }

    /// Asks the store and writes the answer. Throws `StoreError` where it cannot be read or the SQL cannot be run.
    package func answer(from store: StoreReader, _ style: Style) throws(StoreError) -> String {
        report.name == "summary" ? try summary(store, style) : try table(store, style)
    }

    private func summary(_ store: StoreReader, _ style: Style) throws(StoreError) -> String {
        switch format {
        case .text: return try text(store, style)
        case .html: return try ReportPage(store, question, split: split).document()
        case .json:
            guard let split else { return try Summary(store, question).json() }
            return try Summary(store, question).json(split: SplitSummary(store, question, split: split))
        case .csv:
            guard let split else {
                let summary = try Summary(store, question, latestOutages: Summary.shownOutages)
                return summary.csvTable().rendered(as: .csv, style)
            }
            let halves = try SplitSummary(store, question, split: split)
            return Table.joined([halves.before.csvTable(part: "before"), halves.after.csvTable(part: "after")])
                .rendered(as: .csv, style)
        case .markdown:
            guard let split else { return try Summary(store, question).markdown }
            return try SplitSummary(store, question, split: split).markdown
        }
    }

    private func text(_ store: StoreReader, _ style: Style) throws(StoreError) -> String {
        guard let split else {
            let summary = try Summary(store, question, latestOutages: Summary.shownOutages)
            return summary.text(style, try Timeline(store, question, processors: summary.listedByName))
        }
        let halves = try SplitSummary(store, question, split: split)
        let timeline = try Timeline(store, question, split: split, processors: halves.listedByName)
        return halves.text(style, timeline)
    }

    private func table(_ store: StoreReader, _ style: Style) throws(StoreError) -> String {
        guard let split else {
            let rows = try report.run(on: store, question)
            switch format {
            case .text: return "\(Self.span(question))\n\n\(rows.rendered(as: .text, style))"
            case .html: return ReportPage.document(report, [(nil, question, rows)])
            case .json, .csv, .markdown: return rows.rendered(as: format, style)
            }
        }
        let (old, new) = (question.before(split), question.after(split))
        let (before, after) = (try report.run(on: store, old), try report.run(on: store, new))
        switch format {
        case .text:
            return "\(style.bold("Before")) \(Self.span(old))\n\n\(before.rendered(as: .text, style))"
                + "\n\(style.bold("After")) \(Self.span(new))\n\n\(after.rendered(as: .text, style))"
        case .html: return ReportPage.document(report, [("Before", old, before), ("After", new, after)])
        case .json, .csv, .markdown:
            return Table.joined([before.leading(with: "before"), after.leading(with: "after")])
                .rendered(as: format, style)
        }
    }

    private static func span(_ question: Question) -> String { question.span }

    // MARK: --show-sql

    /// What `answer` asks the store, for the `sqlite3` program: the values of the parameters, then the SQL.
    package var sql: String { statements.map { $0.sql }.joined() }

    /// The same, part by part. A part's title says what it is: the parameters of a time, or a report.
    var statements: [(title: String, sql: String)] {
        let isSummary = report.name == "summary"
        var halves = split.map { [("before", question.before($0)), ("after", question.after($0))] } ?? []
        // The JSON and the page have the whole window beside its halves; everything has it where there is no split.
        if split == nil || (isSummary && [.json, .html].contains(format)) { halves.append(("all of it", question)) }
        var parts: [(title: String, sql: String)] = []
        for (name, part) in halves {
            parts.append(part.parameterCommands(named: name))
            var names = isSummary ? Summary.sources : []
            if isSummary, name == "before" { names.append("quiet") }
            for report in isSummary ? names.map(Report.compiledIn) : [report] { parts.append(report.statement) }
        }
        guard isSummary else { return parts }
        if format == .text {
            for part in Timeline.parts(question, split: split) {
                parts += [part.parameterCommands(named: "the timeline"), Report.compiledIn("timeline").statement]
            }
        }
        if format == .html {
            parts.append(
                question.asking(cells: ReportPage.Limit.columns(meters: 0)).parameterCommands(named: "the pictures"))
            parts += ReportPage.sources.map { Report.compiledIn($0).statement }
        }
        return parts
    }
}

extension Report {
    /// The SQL with the end that `sqlite3` waits for.
    fileprivate var statement: (title: String, sql: String) {
        let isEnded = sql.last { !$0.isWhitespace } == ";"
        return (
            "\(name): \(purpose)", "\n" + sql + (sql.hasSuffix("\n") ? "" : "\n") + (isEnded ? "" : ";\n") + "\n"
        )
    }
}

extension Question {
    /// The window for people, with its zone.
    var span: String { "\(LocalTime.textWithZone(since)) to \(LocalTime.textWithZone(until))" }

    /// The parameters as commands of the `sqlite3` program, which evaluates what follows the name as SQL.
    fileprivate func parameterCommands(named title: String) -> (title: String, sql: String) {
        let commands = parameters.keys.sorted().map { name in
            switch parameters[name] ?? .null {
            case .integer(let value): ".parameter set \(name) \(value)\n"
            case .text(let value): ".parameter set \(name) \(Self.quoted(value))\n"
            case .null, .real: ".parameter set \(name) NULL\n"
            }
        }
        return ("Parameters, \(title): \(span)", "-- \(title): \(span)\n" + commands.joined())
    }

    /// A text in SQL's quotes, in those of the program's commands: there a backslash, a quote or a control character is
    /// written with a backslash.
    private static func quoted(_ text: String) -> String {
        var result = "\"'"
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "'"): result += "''"
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): result += "\\" + String(UnicodeScalar(byte))
            case 0x00..<0x20, 0x7F...0xFF:
                let octal = String(byte, radix: 8)
                result += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
            default: result += String(UnicodeScalar(byte))
            }
        }
        return result + "'\""
    }
}
