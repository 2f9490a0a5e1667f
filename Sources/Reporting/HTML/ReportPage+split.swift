import WallTime

/// The time before and after the split, side by side.
extension ReportPage {
    /// Whether it helped, in two sentences.
    func splitSentences(_ halves: SplitSummary) -> HTML {
        let time = LocalTime.textWithZone(halves.split).droppingMilliseconds()
        let inUse = halves.findingText("EADDRINUSE", .plain).joined(separator: " ")
        let all = halves.findingText(nil, .plain).joined(separator: " ")
        return """
            <p class="finding"><b>EADDRINUSE</b> \(inUse)</p>
            <p class="finding"><b>All errors</b> \(all)</p>
            <p>Split at \(time).</p>

            """
    }

    func comparison(_ halves: SplitSummary) -> HTML {
        let rows = halves.figures.map { figure -> [HTML] in
            let label: HTML =
                switch figure.kind {
                case .heading: "<b>\(HTML.name(figure.label))</b>"
                case .figure: HTML.name(figure.label)
                case .detail: "<span class=\"detail\">\(figure.label)</span>"
                case .rate: "<span class=\"detail\">an hour</span>"
                }
            return [label, "\(figure.before)", "\(figure.after)", Self.word(figure.finding)]
        }
        let (before, after) = (halves.before, halves.after)
        let table = PageTable(
            caption: "The same figures before and after \(LocalTime.textWithZone(halves.split).droppingMilliseconds())",
            columns: ["Figure", "Before", "After", "Change"], numeric: [1, 2], rows: rows, hasRowHeadings: true)
        return """
            <ul class="sides">
            <li><b>Before</b> \(Self.words(before.question))<br>recorded \(before.recordedShare)</li>
            <li><b>After</b> \(Self.words(after.question))<br>recorded \(after.recordedShare)</li>
            </ul>
            \(table.html)
            """
    }

    private static func word(_ finding: Finding) -> HTML {
        let look =
            switch finding {
            case .gone: "good"
            case .new, .more, .same: "bad"
            case .none: ""
            case .fewer, .lingering, .tooShort, .tooFew, .littleRecorded, .notRecordedAfter, .notRecordedBefore:
                "unsure"
            }
        return finding == .none ? "" : "<span class=\"change \(look)\">\(finding.word)</span>"
    }
}
