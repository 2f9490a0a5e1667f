import RecorderStore
import WallTime

extension Summary {
    /// The page of `--format markdown`: the answers, then the JSON's figures in tables.
    var markdown: String {
        let lines =
            [
                "- Window: \(span)", "- Recorded: \(recordedShare)",
                "- EADDRINUSE: \(plain(addressInUseText(.plain)))",
            ] + (takenText(.plain).map { ["- Meters taken: \(plain($0))"] } ?? []) + ["- Store: \(plain(store))"]
        return Self.page(
            lines, links: [links()], outages: [outagesTable()], errors: [errorsTable()], losses: [lossesTable()])
    }

    var span: String { "\(LocalTime.iso8601(question.since)) to \(LocalTime.iso8601(question.until))" }

    /// `7188.000001 s of 7200 s (99.83 %)`.
    var recordedShare: String {
        "\(secondsText(recorded)) s of \(secondsText(window)) s (\(recordedPercent) %)"
    }

    static func page(
        _ lines: [String], comparison: Table? = nil, links: [Table], outages: [Table], errors: [Table], losses: [Table]
    ) -> String {
        var text = "# atlas-recorder report\n\n" + lines.joined(separator: "\n") + "\n"
        if let comparison { text += "\n## Before and after\n\n" + comparison.rendered(as: .markdown, .plain) }
        for (title, tables) in [("Links", links), ("Outages", outages), ("Errors", errors), ("Not stored", losses)] {
            let table = Table.joined(tables)
            text += "\n## \(title)\n\n" + (table.rows.isEmpty ? "None.\n" : table.rendered(as: .markdown, .plain))
        }
        return text
    }
}

extension SplitSummary {
    /// Both sides in one row for each figure, then each side's tables.
    var markdown: String {
        let comparison = Table(
            columns: ["", "before", "after", "change"],
            rows: figures.map { row in
                let label = row.kind == .heading ? "**\(plain(row.label))**" : plain(row.label)
                return [label, row.before, row.after, row.finding.word].map { .text($0) }
            })
        let lines = [
            "- Split: \(LocalTime.iso8601(split))",
            "- EADDRINUSE: \(plain(findingText("EADDRINUSE", .plain).joined(separator: " ")))",
            "- All errors: \(plain(findingText(nil, .plain).joined(separator: " ")))",
            "- Before: \(before.span), recorded \(before.recordedShare)",
            "- After: \(after.span), recorded \(after.recordedShare)", "- Store: \(plain(before.store))",
        ]
        let (old, new) = ("before", "after")
        return Summary.page(
            lines, comparison: comparison, links: [before.links(part: old), after.links(part: new)],
            outages: [before.outagesTable(part: old), after.outagesTable(part: new)],
            errors: [before.errorsTable(part: old), after.errorsTable(part: new)],
            losses: [before.lossesTable(part: old), after.lossesTable(part: new)])
    }
}

extension Style {
    /// For what is no terminal.
    package static let plain = Style(isColoured: false, isUnicode: false)
}

private func secondsText(_ microseconds: Int64) -> String {
    let value = Double(microseconds) / 1e6
    return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
}

/// A name as it is, whatever characters Markdown would take for its own.
private func plain(_ text: String) -> String {
    text.replacingControls().reduce(into: "") { result, character in
        if "\\`*_[]<>#".contains(character) { result += "\\" }
        result.append(character)
    }
}
