import RecorderStore

extension ReportPage {
    /// The page of any other report: what it tells, and its table; with a split two of them.
    static func document(_ report: Report, _ parts: [(title: String?, question: Question, rows: Table)]) -> String {
        let tables = parts.map { part -> HTML in
            let heading: HTML = part.title.map { "<h3>\($0)</h3>\n" } ?? ""
            let caption = part.question.span
            let table: HTML =
                part.rows.rows.isEmpty
                ? "<p>\(caption): nothing in this window.</p>\n" : PageTable(part.rows, caption: caption).html
            return heading + table
        }
        let main: HTML = """
            <section aria-labelledby="report">
            <h2 id="report">\(report.name)</h2>
            <p>\(report.purpose)</p>
            \(tables)</section>

            """
        return document(title: "\(report.name) - atlas-recorder", main: main)
    }
}
