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
        if report.name == "summary" { return try format == .html ? page(store) : summary(store, style) }
        return try table(store, style)
    }

    private func page(_ store: StoreReader) throws(StoreError) -> String {
        try ReportPage(store, question, split: split).document()
    }

    private func summary(_ store: StoreReader, _ style: Style) throws(StoreError) -> String {
        guard let split else {
            let listsAll = format == .json || format == .markdown
            let summary = try Summary(store, question, latestOutages: listsAll ? nil : Summary.shownOutages)
            switch format {
            case .text:
                return summary.text(style, try Timeline(store, question, processors: summary.listedByName))
            case .json: return summary.json()
            case .csv: return summary.csvTable().rendered(as: .csv, style)
            case .markdown: return summary.markdown
            case .html: return try page(store)
            }
        }
        let halves = try SplitSummary(store, question, split: split)
        switch format {
        case .text:
            let timeline = try Timeline(store, question, split: split, processors: halves.listedByName)
            return halves.text(style, timeline)
        case .json: return try Summary(store, question).json(split: halves)
        case .csv:
            return Table.joined([halves.before.csvTable(part: "before"), halves.after.csvTable(part: "after")])
                .rendered(as: .csv, style)
        case .markdown: return halves.markdown
        case .html: return try page(store)
        }
    }

    private func table(_ store: StoreReader, _ style: Style) throws(StoreError) -> String {
        guard let split else {
            let text = try report.run(on: store, question).rendered(as: format, style)
            return format == .text ? "\(Self.span(question))\n\n\(text)" : text
        }
        let (old, new) = (question.before(split), question.after(split))
        let (before, after) = (try report.run(on: store, old), try report.run(on: store, new))
        guard format == .text else {
            return Table.joined([before.leading(with: "before"), after.leading(with: "after")])
                .rendered(as: format, style)
        }
        return "\(style.bold("Before")) \(Self.span(old))\n\n\(before.rendered(as: .text, style))"
            + "\n\(style.bold("After")) \(Self.span(new))\n\n\(after.rendered(as: .text, style))"
    }

    private static func span(_ question: Question) -> String {
        "\(LocalTime.textWithZone(question.since)) to \(LocalTime.textWithZone(question.until))"
    }

    // MARK: --show-sql

    /// What `answer` asks the store, for the `sqlite3` program: the values of the parameters, then the SQL.
    package var sql: String {
        let isSummary = report.name == "summary"
        var halves = split.map { [("before", question.before($0)), ("after", question.after($0))] } ?? []
        // The JSON has the whole window beside its halves; everything has it where there is no split.
        if split == nil || (isSummary && format == .json) { halves.append(("all of it", question)) }
        var text = ""
        for (name, part) in halves {
            text += "-- \(name): \(Self.span(part))\n" + part.parameterCommands
            var names = isSummary ? Summary.sources : []
            if isSummary, name == "before" { names.append("quiet") }
            for report in isSummary ? names.map(Report.compiledIn) : [report] { text += report.statement }
        }
        guard isSummary, format == .text else { return text }
        for part in Timeline.parts(question, split: split) {
            text +=
                "-- the timeline: \(Self.span(part))\n" + part.parameterCommands
                + Report.compiledIn("timeline").statement
        }
        return text
    }
}

extension Report {
    /// The SQL with the end that `sqlite3` waits for.
    fileprivate var statement: String {
        let isEnded = sql.last { !$0.isWhitespace } == ";"
        return "\n" + sql + (sql.hasSuffix("\n") ? "" : "\n") + (isEnded ? "" : ";\n") + "\n"
    }
}

extension Question {
    /// The parameters as commands of the `sqlite3` program, which evaluates what follows the name as SQL.
    fileprivate var parameterCommands: String {
        parameters.keys.sorted().map { name in
            switch parameters[name] ?? .null {
            case .integer(let value): ".parameter set \(name) \(value)\n"
            case .text(let value): ".parameter set \(name) \(Self.quoted(value))\n"
            case .null, .real: ".parameter set \(name) NULL\n"
            }
        }.joined()
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
