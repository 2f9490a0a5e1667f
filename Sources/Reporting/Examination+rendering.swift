import Diagnosis
import WallTime

extension Examination {
    package func rendered(as format: PageFormat, _ style: Style) -> String {
        switch format {
        case .text: text(style)
        case .json: json.written() + "\n"
        }
    }

    private func text(_ style: Style) -> String {
        let width = min(24, findings.map { TextTable.width($0.subject) }.max() ?? 0)
        var lines = [
            "\(style.bold("Examined"))   \(host), \(LocalTime.textWithZone(at).droppingMilliseconds())",
            "\(style.bold("Store"))      \(store)", "",
        ]
        for finding in findings {
            let subject = TextTable.cut(finding.subject, to: width)
            let space = String(repeating: " ", count: width - TextTable.width(subject))
            let lead = style.status(finding.status) + "  \(subject)\(space)  "
            let indent = String(repeating: " ", count: 9 + 2 + width + 2)
            lines += Paragraph.lines(finding.found, lead: lead, indent: indent)
            if let remedy = finding.remedy {
                lines += Paragraph.lines(remedy, lead: indent + "-> ", indent: indent + "   ")
            }
        }
        return (lines + ["", conclusion(style)]).joined(separator: "\n") + "\n"
    }

    private func conclusion(_ style: Style) -> String {
        if isWell { return style.good("All is well.") }
        let problems = findings.count { $0.status == .problem }
        let attentions = findings.count { $0.status == .attention }
        let parts = [
            problems == 0 ? nil : style.bad(problems == 1 ? "1 problem" : "\(problems) problems"),
            attentions == 0
                ? nil : style.unsure(attentions == 1 ? "1 matter to look at" : "\(attentions) matters to look at"),
        ]
        return parts.compactMap { $0 }.joined(separator: ", ") + "."
    }

    /// docs/reference.md describes it.
    private var json: JSONText {
        .object([
            ("version", .integer(1)), ("at", .text(LocalTime.iso8601(at))), ("host", .text(host)),
            ("store", .text(store)), ("well", .boolean(isWell)),
            (
                "findings",
                .array(
                    findings.map {
                        .object([
                            ("subject", .text($0.subject)), ("status", .text($0.status.rawValue)),
                            ("found", .text($0.found)), ("remedy", .text($0.remedy)),
                        ])
                    })
            ),
        ])
    }
}

extension Style {
    /// Nine columns wide.
    fileprivate func status(_ status: Diagnosis.Finding.Status) -> String {
        switch status {
        case .ok: good("ok       ")
        case .attention: unsure("attention")
        case .problem: bad("problem  ")
        }
    }
}
