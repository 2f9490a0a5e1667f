import WallTime

/// The answers first: what is up, what went wrong, and how much of the time that can be said of.
extension ReportPage {
    private var isNow: Bool { question.now - question.until < 2_000_000 }

    /// The answer in a line.
    var headline: String {
        let links = summary.processors.flatMap { unit in unit.links.map { (unit: unit.processor, link: $0) } }
        if links.isEmpty { return "No processor in this store" }
        let when = isNow ? "now" : "at the window's end"
        let down = links.filter { $0.link.state == "down" }
        let unknown = links.filter { $0.link.state == "unknown" }
        if summary.recorded == 0 { return "Nothing was recorded" }
        let isOne = summary.processors.count == 1
        if down.count == 1, let (unit, link) = down.first {
            let cause = link.cause.map { " (\($0))" } ?? ""
            return "\(isOne ? "" : "\(unit): ")\(isOne ? capitalised(link.link) : link.link) down \(when)\(cause)"
        }
        if down.count == links.count { return "Everything is down \(when)" }
        if !down.isEmpty { return "\(down.count.grouped) of \(links.count.grouped) links down \(when)" }
        if unknown.count == links.count { return "Not known \(when)" }
        if !unknown.isEmpty { return "\(unknown.count.grouped) of \(links.count.grouped) links not known \(when)" }
        let count = summary.processors.count
        return isOne ? "Up \(when)" : "\(count == 2 ? "Both" : "All \(count.grouped)") processors up \(when)"
    }

    var answer: HTML {
        let fleet = Fleet(summary.processors)
        var html: HTML = "<p class=\"window\">\(windowText)</p>\n"
        if let halves { html += splitSentences(halves) }
        if !fleet.isWhole {
            let counts = fleet.stateCounts(.plain).map { HTML("<li>\($0)</li>") }
            html += "<ul class=\"counts\">\(counts)</ul>\n<p>Here: \(fleet.remark ?? "").</p>\n"
        }
        let cards = fleet.listed.map { card($0) }
        if !cards.isEmpty { html += "<ul class=\"units\">\n\(cards)</ul>\n" }
        return html + "<ul class=\"facts\">\n\(facts)</ul>\n"
    }

    private var windowText: String { Self.words(question) }

    /// The window for people, and how long it is.
    static func words(_ question: Question) -> String {
        let since = LocalTime.textWithZone(question.since).droppingMilliseconds()
        let until = LocalTime.textWithZone(question.until).droppingMilliseconds()
        return "\(since) to \(until) (\(Length.text(question.until - question.since)))"
    }

    private func card(_ unit: Summary.ProcessorSummary) -> HTML {
        let links = unit.links.map { link -> HTML in
            let since = link.stateSince.map { "since \(LocalTime.text($0).since(question.until))" }
            let detail = [link.cause, since].compactMap { $0 }.joined(separator: ", ")
            let uptime = link.uptimePercent.map { "uptime \(Percent.text($0)) %" } ?? "uptime not known"
            return """
                <li><span>\(link.link)</span> \(Self.state(link.state)) <span class="uptime">\(uptime)</span> \
                <span class="since">\(detail)</span></li>

                """
        }
        return """
            <li><h3>\(HTML.name(unit.processor)) <span class="host">\(unit.host)</span></h3>
            <ul>
            \(links)</ul></li>

            """
    }

    /// The state's word in its colour, with a shape of its own.
    static func state(_ state: String) -> HTML {
        let name = ["up", "down"].contains(state) ? state : "unknown"
        return "<span class=\"state \(name)\">\(state)</span>"
    }

    private var facts: HTML {
        func fact(_ name: String, _ value: String, _ detail: String, _ look: String = "plain") -> HTML {
            "<li class=\"\(look)\"><span>\(name)</span> <b>\(value)</b> \(detail)</li>\n"
        }
        let inUse = summary.errors.reduce(Int64(0)) { $0 + ($1.code == "EADDRINUSE" ? $1.count : 0) }
        let isCertain = summary.recorded > 0 && summary.errorsLost == nil
        let all = summary.errors.reduce(Int64(0)) { $0 + $1.count }
        let outages = summary.processors.reduce(Int64(0)) { $1.links.reduce($0) { $0 + $1.outages } }
        let longest = summary.processors.flatMap(\.links).map(\.longestOutage).max() ?? 0
        var html = fact(
            "EADDRINUSE", inUse.grouped, summary.addressInUseDetail, inUse > 0 ? "bad" : isCertain ? "good" : "unsure")
        html += fact(
            "errors of sockets", all.grouped, all == 0 ? "of any kind" : summary.errorCodes,
            all > 0 ? "bad" : isCertain ? "good" : "unsure")
        html += fact(
            "outages", outages.grouped, outages == 0 ? "of any link" : "the longest \(Length.text(longest))",
            outages > 0 ? "bad" : isCertain ? "good" : "unsure")
        let missing = summary.window - summary.recorded
        html += fact(
            "recorded", "\(summary.recordedPercent) %",
            missing == 0 ? "all of the window" : "\(Length.text(missing)) is not known",
            missing == 0 ? "good" : "unsure")
        html += fact("samples stored", summary.samplesStored.grouped, summary.lossWords)
        if let latest = summary.thieves.first {
            let times = summary.thieves.reduce(0) { $0 + $1.times }
            let when = LocalTime.text(latest.last).droppingMilliseconds()
            html += fact("meters taken", times.grouped, "last \(when) by \(latest.lastBy)", "bad")
        }
        return html
    }
}

extension Summary {
    /// What stands behind the count of EADDRINUSE.
    fileprivate var addressInUseDetail: String {
        let found = errors.filter { $0.code == "EADDRINUSE" }
        if found.contains(where: { $0.count > 0 }) {
            let last = found.compactMap(\.last).max().map { "last \(LocalTime.text($0).droppingMilliseconds())" } ?? ""
            return last + (found.compactMap(\.holder).last.map { ", held by \($0)" } ?? "")
        }
        let before = found.compactMap(\.lastBefore).max()
        let known = recorded == 0 ? "but nothing was recorded; " : errorsLost == nil ? "" : "is left; "
        return known
            + (before.map { "the last one was \(LocalTime.text($0).droppingMilliseconds())" }
                ?? "never seen in this store")
    }

    /// `ECONNREFUSED 12, EADDRINUSE 3`.
    fileprivate var errorCodes: String {
        var counts: [String: Int64] = [:]
        for error in errors where error.count > 0 { counts[error.code, default: 0] += error.count }
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let more = sorted.count > 4 ? " and \(sorted.count - 4) more codes" : ""
        return sorted.prefix(4).map { "\($0.key) \($0.value.grouped)" }.joined(separator: ", ") + more
    }
}

private func capitalised(_ word: String) -> String { word.prefix(1).uppercased() + word.dropFirst() }
