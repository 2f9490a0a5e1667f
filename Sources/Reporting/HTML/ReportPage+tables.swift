import WallTime

/// What went wrong, one by one.
extension ReportPage {
    var outages: HTML {
        guard !summary.outages.isEmpty else { return none("No link was down") }
        let rows = summary.outages.reversed().map { outage -> [HTML] in
            [
                "\(LocalTime.text(outage.started).droppingMilliseconds())",
                "\(outage.ended.map { LocalTime.text($0).since(outage.started).droppingMilliseconds() } ?? "lasts")",
                "\(Length.text(Int64(outage.seconds * 1e6)))", HTML.name(outage.processor), "\(outage.link)",
                "\(outage.cause)", "\(outage.causes.count > 1 ? outage.causes.joined(separator: ", ") : "")",
            ]
        }
        let all = summary.processors.reduce(Int64(0)) { $1.links.reduce($0) { $0 + $1.outages } }
        let less = all - Int64(rows.count)
        return latestFirst(
            "Every time that a link was down", of: "outages", leftOut: less,
            columns: ["Started", "Ended", "In window", "Processor", "Link", "Cause", "All causes"], numeric: [2], rows)
    }

    /// A table of which the first rows are seen at once, and the others on demand.
    /// - Parameter leftOut: how many rows there are that no table of the page has; the report `report` has them.
    private func latestFirst(
        _ caption: String, of report: String, leftOut: Int64, columns: [String], numeric: Set<Int>, _ rows: [[HTML]]
    ) -> HTML {
        let rest = leftOut > 0 ? "; \(leftOut.grouped) earlier ones: atlas-recorder report \(report)" : ""
        func table(_ caption: String, _ rows: ArraySlice<[HTML]>) -> HTML {
            unitTable(caption: caption, columns: columns, numeric: numeric, rows: Array(rows)).html
        }
        let first = table("\(caption), the latest first", rows.prefix(Limit.openRows))
        guard rows.count > Limit.openRows else { return first }
        return """
            \(first)<details><summary>\((rows.count - Limit.openRows).grouped) earlier ones</summary>
            \(table("\(caption), those before\(rest)", rows.dropFirst(Limit.openRows)))</details>

            """
    }

    var errors: HTML {
        let shown = summary.errors.prefix(Limit.errors)
        let hasBefore = shown.contains { $0.lastBefore != nil }
        let rows = shown.map { error -> [HTML] in
            func time(_ instant: Int64?) -> HTML {
                "\(instant.map { LocalTime.text($0).droppingMilliseconds() } ?? "-")"
            }
            let before = hasBefore ? [time(error.lastBefore)] : []
            return [
                "\(error.code)", "\(error.socket) \(error.operation)", "\(error.count.grouped)",
                "\(summary.perHour(error.count).map { Rate.text($0) } ?? "-")", time(error.first), time(error.last),
            ] + before + [
                HTML.name(error.processor ?? "-"), HTML.name(error.holder ?? "-"), HTML.name(error.message ?? ""),
            ]
        }
        let less = summary.errors.count - shown.count
        let rest = less > 0 ? "; \(less.grouped) more: atlas-recorder report errors" : ""
        var html = unitTable(
            caption: "Errors of sockets in the window; EADDRINUSE is always listed\(rest)",
            columns: ["Code", "Socket", "Count", "An hour", "First", "Last"]
                + (hasBefore ? ["Last before the window"] : []) + ["Processor", "Held by", "Message"],
            numeric: [2, 3], rows: rows
        ).html
        if !summary.thieves.isEmpty { html += thieves }
        return html + losses
    }

    private var thieves: HTML {
        let rows = summary.thieves.prefix(Limit.losses).map { thief -> [HTML] in
            [
                HTML.name(thief.processor), HTML.name(thief.program), "\(thief.times.grouped)",
                "\(LocalTime.text(thief.first).droppingMilliseconds())",
                "\(LocalTime.text(thief.last).droppingMilliseconds())", "\(Length.text(Int64(thief.seconds * 1e6)))",
            ]
        }
        return "<h3>Who took the meters</h3>\n"
            + unitTable(
                caption: "Programs of this host that got the meters in our place",
                columns: ["Processor", "Program", "Times", "First", "Last", "Meters down"], numeric: [2, 5], rows: rows
            ).html
    }

    private var losses: HTML {
        let heading: HTML = "<h3>Not stored</h3>\n"
        let silence: HTML = summary.silenceWords.map { "<p>Silent is \($0).</p>\n" } ?? ""
        guard !summary.losses.isEmpty else {
            return heading + none(summary.fellSilent == nil ? "Nothing was lost" : "Nothing is known to be lost")
                + silence
        }
        let shown = summary.losses.suffix(Limit.losses)
        let rows = shown.reversed().map { loss -> [HTML] in
            [
                "\(LocalTime.text(loss.from).droppingMilliseconds())", HTML.name(loss.processor ?? "-"),
                "\(loss.reason)",
                "\(loss.datagrams.grouped)", "\(loss.samples?.grouped ?? "not known")",
            ]
        }
        return heading + silence
            + latestFirst(
                "What was received and not stored", of: "losses", leftOut: Int64(summary.losses.count - shown.count),
                columns: ["Time", "Processor", "Reason", "Datagrams", "Samples"], numeric: [3, 4], rows)
    }

    /// The absence of something is a finding, and stands beside how much of the window was recorded.
    private func none(_ what: String) -> HTML {
        if summary.recorded == 0 { return "<p>Nothing was recorded in this window, so nobody can tell.</p>\n" }
        let missing = summary.window - summary.recorded
        let rest =
            missing == 0 ? "" : " in the part of it that was recorded; \(Length.text(missing)) of it is not known"
        return "<p>\(what) in this window\(rest).</p>\n"
    }

    // MARK: what was recorded

    var recorded: HTML {
        var html: HTML = """
            <ul>
            <li>\(Length.text(summary.recorded)) of \(Length.text(summary.window)): \(summary.recordedPercent) % of the window.</li>

            """
        html += "<li>\(summary.samplesStored.grouped) samples stored, \(summary.lossWords).</li>\n"
        for removal in summary.removed { html += "<li>\(removal.words).</li>\n" }
        for change in summary.breaks {
            let time = LocalTime.text(change.at).droppingMilliseconds()
            html += "<li>\(time): \(change.event), \(HTML.name(change.detail))</li>\n"
        }
        return html + "<li>The store is <code>\(summary.store)</code>.</li>\n</ul>\n"
    }
}
