import RecorderStore

/// How a report is written.
package enum ReportFormat: String, CaseIterable, Sendable { case text, json, csv, markdown, html }

extension Table {
    /// A report's rows in any format; JSON is an array of objects, HTML the table without a page around it.
    package func rendered(as format: ReportFormat, _ style: Style) -> String {
        switch format {
        case .text: text(style)
        case .json: JSONText.array(rows.map { .object(Array(zip(columns, $0.map(\.json)))) }).written() + "\n"
        case .csv: ([columns] + rows.map { $0.map(\.plain) }).map(Self.csvLine).joined()
        case .markdown: markdown
        case .html: PageTable(self, caption: "").html.markup
        }
    }

    private func text(_ style: Style) -> String {
        guard !rows.isEmpty else { return "nothing in this window\n" }
        let numeric = columns.indices.filter { column in
            rows.allSatisfy {
                switch $0[column] {
                case .integer, .real, .null: true
                case .text: false
                }
            }
        }
        let table = TextTable(header: columns, rightAligned: Set(numeric), rows: rows.map { $0.map(\.plain) })
        var lines = table.lines(width: .max)  // a time or a name that is cut answers nothing
        lines[0] = style.bold(lines[0])
        return lines.joined(separator: "\n") + "\n"
    }

    /// RFC 4180, with `\n`.
    private static func csvLine(_ cells: [String]) -> String {
        cells.map { cell in
            guard cell.utf8.contains(where: { [0x2C, 0x22, 0x0A, 0x0D].contains($0) }) else { return cell }
            return "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        }.joined(separator: ",") + "\n"
    }

    private var markdown: String {
        let lines = [columns, columns.map { _ in "---" }] + rows.map { $0.map(\.plain) }
        return lines.map { cells in
            "| "
                + cells.map {
                    $0.replacingControls().split(separator: "|", omittingEmptySubsequences: false).joined(
                        separator: "\\|")
                }.joined(separator: " | ") + " |\n"
        }.joined()
    }
}
