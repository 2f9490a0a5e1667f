import WallTime

extension SplitSummary {
    /// The page of `--format text` with `--split`: at most 80 columns, whether it helped first.
    func text(_ style: Style, _ timeline: Timeline) -> String {
        var lines = headline(style) + [""] + table(style)
        if !timeline.lines.isEmpty { lines += [""] + timeline.text(style) }
        lines += ["", "One by one: atlas-recorder report outages (or errors, losses), with these flags."]
        return lines.joined(separator: "\n") + "\n"
    }

    private func headline(_ style: Style) -> [String] {
        let time = LocalTime.textWithZone(split).droppingMilliseconds()
        return ["\(style.bold("Split"))       \(time)"]
            + Wrapped.lines("EADDRINUSE", findingText("EADDRINUSE", style), style)
            + Wrapped.lines("All errors", findingText(nil, style), style)
            + Wrapped.lines("Before", sideText(before, isAfter: false, style), style)
            + Wrapped.lines("After", sideText(after, isAfter: true, style), style)
            + before.silenceLines(style) + after.silenceLines(style) + after.stateLines(style)
    }

    /// Words of which the first is the answer, and coloured.
    func findingText(_ code: String?, _ style: Style) -> [String] {
        let tally = tallies(code: code)
        let finding = Finding(before: tally.before, after: tally.after)
        var words = finding.sentence(before: tally.before, after: tally.after)
        words[0] = style.finding(finding, words[0])
        if finding == .lingering {
            let ends = after.outages.filter { outage in
                outage.started < split && (code == nil || outage.causes.contains { $0 == code })
            }.map(\.ended)
            let last = ends.contains(nil) ? nil : ends.compactMap { $0 }.max()
            let time = last.map { LocalTime.text($0).since(split).droppingMilliseconds() }
            words.append(time.map { "until \($0): take a later split" } ?? "when this time ended")
        }
        guard code != nil else { return words }
        let errors = (tally.after.count > 0 ? after : before).errors.filter { $0.code == code }
        if tally.after.count > 0, let holder = errors.last(where: { $0.holder != nil })?.holder {
            words[words.count - 1] += ";"
            words.append("the port was held by \(holder)")
        } else if finding == .none {
            let last = errors.compactMap(\.lastBefore).max()
            words[words.count - 1] += ";"
            words.append(
                last.map { "the last one was \(LocalTime.text($0).droppingMilliseconds())" }
                    ?? "never seen in this store")
        }
        return words
    }

    private func sideText(_ side: Summary, isAfter: Bool, _ style: Style) -> [String] {
        let from = LocalTime.text(side.question.since).since(isAfter ? before.question.since : 0).droppingMilliseconds()
        let to = LocalTime.text(side.question.until).since(side.question.since).droppingMilliseconds()
        let window = "\(from) to \(to) (\(Length.text(side.window))),"
        if side.recorded == side.window { return [window, "all of it recorded"] }
        if side.recorded == 0 {
            return [
                window, style.unsure("nothing of it recorded: \(isAfter ? "no proof" : "nothing to compare with")"),
            ]
        }
        let isLittle = side.recorded < side.window / 2
        let share = "\(isLittle ? "only " : "")\(Length.text(side.recorded)) of it recorded (\(side.recordedPercent) %)"
        return [window, style.unsure(share + (isLittle && isAfter ? ": no proof" : ""))]
    }

    private func table(_ style: Style) -> [String] {
        var table = TextTable(header: ["", "Before", "After", "Change"], rightAligned: [1, 2])
        let rows = figures
        for row in rows {
            let label =
                switch row.kind {
                case .heading, .figure: row.label
                case .detail: "  " + row.label
                case .rate: "  an hour"
                }
            table.rows.append([label, row.before, row.after, row.finding.word])
        }
        var lines = table.lines(width: 80, flexible: [""])
        lines[0] = style.bold(lines[0])
        for (index, row) in rows.enumerated() {
            let line = lines[index + 1]
            if row.kind == .heading { lines[index + 1] = style.bold(line) }
            if !row.finding.word.isEmpty {
                lines[index + 1] = line.dropLast(row.finding.word.count) + style.finding(row.finding, row.finding.word)
            }
        }
        return lines
    }
}

/// Words after a label of twelve columns, broken where a line would pass 80.
enum Wrapped {
    static func lines(_ label: String, _ words: [String], _ style: Style) -> [String] {
        let indent = String(repeating: " ", count: 12)
        var lines: [String] = []
        var line = ""
        for word in words {
            let longer = line.isEmpty ? word : line + " " + word
            if !line.isEmpty, TextTable.width(longer.removingStyle()) > 68 {
                lines.append(line)
                line = word
            } else {
                line = longer
            }
        }
        lines.append(line)
        return lines.enumerated().map { index, line in
            index == 0 ? style.bold(label) + indent.dropFirst(label.count) + line : indent + line
        }
    }
}
