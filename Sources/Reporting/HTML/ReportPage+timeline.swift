import WallTime

/// Each link over the window: a strip to look at, its figures, and the states in a table.
extension ReportPage {
    var timeline: HTML {
        guard !summary.processors.isEmpty else { return "<p>No processor in this store.</p>\n" }
        let remark: HTML = Fleet(summary.processors).remark.map { "<p>Here: \($0).</p>\n" } ?? ""
        guard !strips.isEmpty else { return remark + linkFigures }
        var html: HTML = """
            <p class="legend">\(HTML.key("up", "up")) \(HTML.key("down", "down")) \(HTML.key("unknown", "not known"))\(splitKey)</p>

            """
        html += remark
        html += "<div class=\"strips\">\n"
        var unit: String?
        for strip in strips {
            if strip.processor != unit { html += "<h3>\(HTML.name(strip.processor))</h3>\n" }
            unit = strip.processor
            html += "<div class=\"strip\"><span>\(strip.link)</span>\(picture(strip))</div>\n"
        }
        html += "<div class=\"strip axis\" aria-hidden=\"true\">\(axis.picture(split: split))</div>\n"
        html += "</div>\n"
        return html + linkFigures + stateTables
    }

    private var splitKey: HTML { split == nil ? "" : " \(HTML.key("split", "split"))" }

    private func picture(_ strip: StateStrip) -> HTML {
        let (down, unknown) = (strip.parts.filter { $0.state == "down" }, strip.parts.filter { $0.state == "unknown" })
        let words =
            "\(strip.processor), \(strip.link): down \(Length.text(down.reduce(0) { $0 + $1.length })), "
            + "not known \(Length.text(unknown.reduce(0) { $0 + $1.length }))"
        // The worst last: it lies above.
        let groups = ["up", "unknown", "down"].map { state -> HTML in
            let parts = strip.parts.filter { $0.state == state }
            return parts.isEmpty ? "" : "<g class=\"\(state)\">\(parts.map { rectangle($0) })</g>"
        }
        return "<svg role=\"img\" aria-label=\"\(words)\">\(groups)\(splitMark)</svg>"
    }

    private var splitMark: HTML {
        guard let split else { return "" }
        let x = TimeAxis.percent(axis.place(split))
        let title: HTML = "<title>split \(LocalTime.text(split))</title>"
        return "<line class=\"split\" x1=\"\(x)\" x2=\"\(x)\" y2=\"100%\">\(title)</line>"
    }

    private func rectangle(_ part: StateStrip.Part) -> HTML {
        let (from, to) = (axis.place(part.from), axis.place(part.to))
        let x = TimeAxis.percent(min(from, 998))
        let width = TimeAxis.percent(max(2, to - from))
        return "<rect x=\"\(x)\" width=\"\(width)\" height=\"100%\"><title>\(Self.words(part))</title></rect>"
    }

    /// `down 3 times, 12.4s together: refused, timeout` and from when until when.
    private static func words(_ part: StateStrip.Part) -> String {
        let causes = part.causes.joined(separator: ", ") + (part.hasMoreCauses ? ", …" : "")
        let times = part.times > 1 ? " \(part.times.grouped) times" : ""
        let from = LocalTime.text(part.from).droppingMilliseconds()
        let to = LocalTime.text(part.to).since(part.from).droppingMilliseconds()
        let state = part.state == "unknown" ? "not known" : part.state
        return "\(state)\(times)\(causes.isEmpty ? "" : ": \(causes)")\n\(from) to \(to)\n\(Length.text(part.length))"
    }

    // MARK: the tables

    private var linkFigures: HTML {
        let fleet = Fleet(summary.processors)
        var rows: [[HTML]] = []
        func add(_ name: HTML, _ link: Summary.LinkSummary) {
            rows.append([
                name, "\(link.link)", "\(link.uptimePercent.map { Percent.text($0) } ?? "-")",
                "\(Length.text(link.up))",
                "\(Length.text(link.down))", "\(Length.text(link.unknown))", "\(link.outages.grouped)",
                "\(link.outages == 0 ? "-" : Length.text(link.longestOutage))",
            ])
        }
        if !fleet.isWhole { for link in fleet.totals { add("All together", link) } }
        for unit in fleet.listed { for link in unit.links { add(HTML.name(unit.processor), link) } }
        return unitTable(
            caption: "Each link in the window: up, down and not known add up to \(Length.text(summary.window))",
            columns: ["Processor", "Link", "Uptime %", "Up", "Down", "Not known", "Outages", "Longest"],
            numeric: [2, 3, 4, 5, 6, 7], rows: rows
        ).html
    }

    /// Where there is one unit, its name says nothing in a column.
    func unitTable(caption: String, columns: [String], numeric: Set<Int>, rows: [[HTML]]) -> PageTable {
        let table = PageTable(caption: caption, columns: columns, numeric: numeric, rows: rows)
        return summary.processors.count == 1 ? table.without(column: "Processor") : table
    }

    private var stateTables: HTML {
        let most = max(10, min(Limit.states, 1_600 / max(1, strips.count)))
        let tables = strips.map { strip -> HTML in
            let shown = strip.rows.suffix(most)
            let rows = shown.reversed().map { row -> [HTML] in
                let (from, to) = (max(row.started, question.since), min(row.ended ?? question.until, question.until))
                return [
                    "\(LocalTime.text(row.started).droppingMilliseconds())",
                    "\(row.ended.map { LocalTime.text($0).since(row.started).droppingMilliseconds() } ?? "lasts")",
                    Self.state(row.state), "\(row.cause ?? "")", "\(Length.text(to - from))",
                ]
            }
            let less = strip.rows.count - shown.count
            let rest = less > 0 ? "; \(less.grouped) earlier ones: atlas-recorder report states" : ""
            return PageTable(
                caption: "\(strip.processor), \(strip.link): the latest first\(rest)",
                columns: ["Started", "Ended", "State", "Cause", "In window"], numeric: [4], rows: rows
            ).html
        }
        return "<details><summary>The states as tables</summary>\n\(tables)</details>\n"
    }
}

extension HTML {
    /// What a colour and a pattern mean.
    static func key(_ look: String, _ words: String) -> HTML {
        "<span><svg class=\"key\" aria-hidden=\"true\"><g class=\"\(look)\"><rect width=\"100%\" height=\"100%\"/></g></svg> \(words)</span>"
    }
    static func mark(_ shape: String, _ words: String) -> HTML {
        "<span><svg class=\"key mark\" aria-hidden=\"true\"><use href=\"#\(shape)\" x=\"50%\"/></svg> \(words)</span>"
    }
}

extension TimeAxis {
    /// The times below a picture.
    func picture(most: Int = 7, split: Int64? = nil) -> HTML {
        let texts = ticks(most: most).map { tick -> HTML in
            let x = TimeAxis.percent(place(tick.at))
            // What would reach over the edge is left out. Fewer ticks are those of a narrow picture.
            let margin = most < 7 ? 8 * tick.label.count : 25
            guard (margin...(1_000 - margin)).contains(place(tick.at)) else { return "" }
            return "<line x1=\"\(x)\" x2=\"\(x)\" y2=\"4\"/><text x=\"\(x)\" y=\"16\">\(tick.label)</text>"
        }
        let mark = split.map { time -> HTML in
            let x = Self.percent(place(time))
            return "<line class=\"split\" x1=\"\(x)\" x2=\"\(x)\" y2=\"8\"/>"
        }
        return "<svg class=\"ticks\" aria-hidden=\"true\">\(texts)\(mark ?? "")</svg>"
    }
}
