import RecorderStore
import WallTime

extension Summary {
    /// The page of `--format text`: at most 80 columns, the answers first.
    func text(_ style: Style, _ timeline: Timeline) -> String {
        var lines = headline(style)
        if !processors.isEmpty { lines += [""] + linkTable(style) }
        if !timeline.lines.isEmpty { lines += [""] + timeline.text(style) }
        if !outages.isEmpty { lines += ["", style.bold("Outages")] + outageTable() }
        let happened = errors.filter { $0.count > 0 }
        if !happened.isEmpty { lines += ["", style.bold("Errors")] + errorTable(happened) }
        if !losses.isEmpty { lines += ["", style.bold("Not stored")] + lossTable() }
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: the answers

    private func headline(_ style: Style) -> [String] {
        let since = LocalTime.textWithZone(question.since).droppingMilliseconds()
        let until = LocalTime.textWithZone(question.until).droppingMilliseconds()
        var lines = ["\(style.bold("Window"))      \(since) to \(until) (\(Length.text(window)))"]
        lines.append("\(style.bold("Recorded"))    \(recordedText(style))")
        lines += silenceLines(style)
        lines += breaks.flatMap { $0.lines(style, until: question.until) }
        lines += removed.map { $0.line(style) }
        lines += stateLines(style)
        lines.append("\(style.bold("Errors"))      \(errorCountText(style))")
        lines.append("\(style.bold("EADDRINUSE"))  \(addressInUseText(style))")
        if let text = takenText(style) { lines.append("\(style.bold("Taken"))       \(text)") }
        return lines
    }

    /// `7 times, last 2025-10-21 16:30:00 by node (pid 2211)`: who took the meters; nil: nobody.
    func takenText(_ style: Style) -> String? {
        guard let latest = thieves.first else { return nil }
        let count = thieves.reduce(0) { $0 + $1.times }
        let times = count == 1 ? "once" : "\(count) times"
        let when = LocalTime.text(latest.last).droppingMilliseconds()
        let others = Set(thieves.map(\.program)).count - 1
        let more = others > 0 ? " and \(others) more: atlas-recorder report taken" : ""
        return style.bad(times) + TextTable.cut(", last \(when) by \(latest.lastBy)\(more)", to: 68 - times.count)
    }

    /// What each unit's links are at the window's end.
    func stateLines(_ style: Style) -> [String] {
        var lines: [String] = []
        let isNow = question.now - question.until < 2_000_000
        let label = isNow ? "Now         " : "At its end  "
        if processors.isEmpty { lines.append("\(style.bold(label))no processor in this store") }
        let fleet = Fleet(processors)
        guard fleet.isWhole else {
            let counts = ["\(processors.count.grouped) processors"] + fleet.stateCounts(style)
            return counts.enumerated().map {
                ($0.offset == 0 ? style.bold(label) : String(repeating: " ", count: label.count)) + $0.element
            }
        }
        for (index, processor) in processors.prefix(8).enumerated() {
            let links = processor.links.map { link in
                let since = link.stateSince.map { " since \(LocalTime.text($0).since(question.until))" } ?? ""
                let cause = link.cause.map { " (\($0))" } ?? ""
                return "\(link.link) \(style.state(link.state, link.state))\(cause)\(since)"
            }
            let name = "\(TextTable.cut(processor.processor, to: 20)): "
            let lead = index == 0 ? style.bold(label) : String(repeating: " ", count: label.count)
            lines += wrap(lead, name, links)
        }
        if processors.count > 8 { lines.append("            and \(processors.count - 8) more: see below") }
        return lines
    }

    /// Two links on one line where they fit in 80 columns, else one each.
    private func wrap(_ lead: String, _ name: String, _ links: [String]) -> [String] {
        let visible = (name + links.joined(separator: ", ")).removingStyle()
        if TextTable.width(visible) + 12 <= 80 { return [lead + name + links.joined(separator: ", ")] }
        return links.enumerated().map {
            ($0.offset == 0 ? lead : String(repeating: " ", count: 12)) + name + $0.element
        }
    }

    private func recordedText(_ style: Style) -> String {
        if recorded == window { return "all of it" }
        if recorded == 0 { return style.unsure("nothing of it: neither up nor down is known") }
        return style.unsure(
            "\(Length.text(recorded)) of it (\(recordedPercent) %); \(Length.text(window - recorded)) is unknown")
    }

    private func errorCountText(_ style: Style) -> String {
        let total = errors.reduce(0) { $0 + $1.count }
        guard total > 0 else {
            if let rescued = errorsLost { return style.unsure("none left; \(rescued.loss)") }
            return recorded == 0 ? "none, but nothing was recorded" : style.good("none")
        }
        var byCode: [(code: String, count: Int64)] = []
        for error in errors where error.count > 0 {
            if let index = byCode.firstIndex(where: { $0.code == error.code }) {
                byCode[index].count += error.count
            } else {
                byCode.append((error.code, error.count))
            }
        }
        let list = byCode.map { "\($0.code) \($0.count)" }.joined(separator: ", ")
        return style.bad("\(total)") + TextTable.cut(" (\(list))", to: 68 - "\(total)".count)
    }

    func addressInUseText(_ style: Style) -> String {
        let found = errors.filter { $0.code == "EADDRINUSE" }
        let count = found.reduce(0) { $0 + $1.count }
        guard count > 0 else {
            let before = found.compactMap(\.lastBefore).max()
            let last =
                before.map { "the last one was \(LocalTime.text($0).droppingMilliseconds())" }
                ?? "never seen in this store"
            if errorsLost != nil { return style.unsure("none known; ") + last }
            return (recorded == 0 ? "none known; " : style.good("none") + "; ") + last
        }
        let times = count == 1 ? "once" : "\(count) times"
        let last = found.compactMap(\.last).max().map { ", last \(LocalTime.text($0).droppingMilliseconds())" } ?? ""
        let holder = found.compactMap(\.holder).last.map { ", held by \($0)" } ?? ""
        return style.bad(times) + TextTable.cut(last + holder, to: 68 - times.count)
    }

    // MARK: tables

    private func linkTable(_ style: Style) -> [String] {
        var table = TextTable(
            header: ["Processor", "Link", "Uptime %", "Up", "Down", "Unknown", "Outages", "Longest"],
            rightAligned: [2, 3, 4, 5, 6, 7])
        func add(_ name: String, _ link: LinkSummary) {
            table.rows.append([
                name, link.link, link.uptimePercent.map { Percent.text($0) } ?? "-",
                Length.text(link.up), Length.text(link.down), Length.text(link.unknown), link.outages.grouped,
                link.outages == 0 ? "-" : Length.text(link.longestOutage),
            ])
        }
        let fleet = Fleet(processors)
        if !fleet.isWhole { for link in fleet.totals { add("All together", link) } }
        for processor in fleet.listed { for link in processor.links { add(processor.processor, link) } }
        var lines = lines(of: table, optional: ["Longest"])
        lines[0] = style.bold(lines[0])
        if let remark = fleet.remark { lines.append("(\(remark))") }
        lines += ["", "\(samplesStored.grouped) samples stored, \(lossWords)."]
        return lines
    }

    /// Where the kernel dropped datagrams nobody knows how many samples were in them: that is said, too.
    var lossWords: String {
        var text = samplesLost == 0 ? "none lost" : "\(samplesLost.grouped) lost"
        if datagramsLost > 0 {
            text = "\(samplesLost.grouped) lost, and \(datagramsLost.grouped) datagrams unread or not kept"
        }
        let unknown = losses.filter { $0.samples == nil && $0.datagrams == 0 }
        var what: [String] = []
        if unknown.contains(where: { $0.reason == "recorder_killed" }) {
            what.append("what waited when the recorder was killed")
        }
        if unknown.contains(where: { $0.reason == "store_damaged" }) { what.append("what a damaged store held") }
        let isOnly = samplesLost + datagramsLost == 0
        if !what.isEmpty { text = (isOnly ? "lost: " : "\(text), and ") + what.joined(separator: ", ") }
        return fellSilent != nil && isOnly && what.isEmpty ? "\(text) so far" : text
    }

    /// Why nothing is said to be the last word; nil: it is.
    var silenceWords: String? {
        fellSilent.map {
            "the recorder, since \(LocalTime.text($0).droppingMilliseconds()): what it had not stored then is not known yet"
        }
    }

    func silenceLines(_ style: Style) -> [String] {
        guard let silenceWords else { return [] }
        return Wrapped.lines("Silent", silenceWords.split(separator: " ").map(String.init), style)
    }

    private func outageTable() -> [String] {
        var table = TextTable(
            header: ["Started", "Ended", "In window", "Processor", "Link", "Cause"], rightAligned: [2])
        for outage in outages.suffix(Self.shownOutages) {
            table.rows.append([
                LocalTime.text(outage.started).droppingMilliseconds(),
                outage.ended.map { LocalTime.text($0).since(outage.started).droppingMilliseconds() } ?? "lasts",
                Length.text(Int64(outage.seconds * 1e6)), outage.processor, outage.link,
                outage.causes.count > 1 ? "\(outage.cause) (+\(outage.causes.count - 1))" : outage.cause,
            ])
        }
        let all = processors.reduce(0) { $1.links.reduce($0) { $0 + $1.outages } }
        let earlier = all - Int64(min(outages.count, Self.shownOutages))
        let more = earlier > 0 ? ["(\(earlier.grouped) earlier ones: atlas-recorder report outages)"] : []
        return lines(of: table, optional: ["Ended"]) + more
    }

    /// Where the store has one unit, its name says nothing in a column.
    private func lines(of table: TextTable, optional: [String] = []) -> [String] {
        let table = processors.count == 1 ? table.without(column: "Processor") : table
        return table.lines(width: 80, flexible: ["Processor", "Held by"], optional: optional)
    }

    private func errorTable(_ errors: [SocketError]) -> [String] {
        var table = TextTable(
            header: ["Code", "Socket", "Count", "First", "Last", "Processor", "Held by"], rightAligned: [2])
        for error in errors.prefix(20) {
            table.rows.append([
                error.code, "\(error.socket) \(error.operation)", "\(error.count)",
                error.first.map { LocalTime.text($0).since(question.until).droppingMilliseconds() } ?? "",
                error.last.map { LocalTime.text($0).since(question.until).droppingMilliseconds() } ?? "",
                error.processor ?? "-", error.holder ?? "-",
            ])
        }
        return lines(of: table, optional: ["First", "Held by"])
    }

    private func lossTable() -> [String] {
        var table = TextTable(
            header: ["Time", "Processor", "Reason", "Datagrams", "Samples"], rightAligned: [3, 4])
        for loss in losses.suffix(20) {
            table.rows.append([
                LocalTime.text(loss.from).droppingMilliseconds(), loss.processor ?? "-", loss.reason,
                "\(loss.datagrams)",
                loss.samples.map { "\($0)" } ?? "unknown",
            ])
        }
        let more = losses.count > 20 ? ["(\(losses.count - 20) earlier ones: atlas-recorder report losses)"] : []
        return lines(of: table) + more
    }
}

extension String {
    func droppingMilliseconds() -> String {
        guard let dot = firstIndex(of: ".") else { return self }
        return String(self[..<dot] + self[index(dot, offsetBy: 4)...])
    }

    /// The time alone where the date is that of `instant`.
    func since(_ instant: Int64) -> String {
        let reference = LocalTime.text(instant)
        return prefix(10) == reference.prefix(10)
            ? String(dropFirst(11)).droppingMilliseconds() : droppingMilliseconds()
    }

    func removingStyle() -> String {
        var result = ""
        var isInside = false
        for character in self {
            if character == "\u{1B}" { isInside = true }
            if !isInside { result.append(character) }
            if isInside, character == "m" { isInside = false }
        }
        return result
    }
}

extension BinaryInteger {
    /// `1,234,567`.
    package var grouped: String {
        let digits = String(magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return (self < 0 ? "-" : "") + result
    }
}
