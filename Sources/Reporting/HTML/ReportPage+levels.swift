import WallTime

/// Each meter's levels over the window, on one scale, and behind each picture its table.
extension ReportPage {
    var levels: HTML {
        guard let trends else {
            let count = summary.processors.count.grouped
            return """
                <p>Of \(count) processors there are no pictures here; of one there are: <code>--processor NAME</code>.</p>

                """
        }
        guard !trends.isEmpty else {
            return "<p>No level is known in this window. A minute is counted some seconds after it ended.</p>\n"
        }
        let top = LevelChart.top(of: trends)
        let step = trends[0].columns.first.map { $0.end - $0.start } ?? 60_000_000
        var html: HTML = """
            <p class="legend">\(HTML.key("b", "lowest to highest")) \(HTML.key("m", "mean")) \
            \(HTML.key("s", "mostly silent (-80 dB)")) \(HTML.key("unknown", "not known")) \
            \(HTML.mark("gain", "gain changed")) \(HTML.mark("muted", "muted")) \(HTML.mark("unmuted", "unmuted"))</p>
            <p>A step is \(Length.whole(step)). The mean is weighted by time: a value holds until the meter's next one.</p>
            \(grid(top))

            """
        var processors: [String] = []
        for trend in trends where processors.last != trend.processor { processors.append(trend.processor) }
        for processor in processors {
            let own = trends.filter { $0.processor == processor }
            html += "<h3>\(HTML.name(processor))</h3>\n"
            let heard = own.filter { !$0.isSilentAllAlong || !$0.changes.isEmpty }
            let figures = heard.map { figure($0, top, of: trends.count) }
            if !heard.isEmpty { html += "<div class=\"meters\">\n\(figures)</div>\n" }
            let silent = own.filter { $0.isSilentAllAlong && $0.changes.isEmpty }
            if !silent.isEmpty { html += Self.silence(silent) }
        }
        return html
    }

    /// What all pictures have behind them: every 20 dB, the times, the split.
    private func grid(_ top: Double) -> HTML {
        let range = top - LevelChart.bottom
        let levels = stride(from: LevelChart.bottom + 20, to: top, by: 20).map { level -> HTML in
            let y = TimeAxis.percent(Int(((top - level) / range * 1_000).rounded()))
            return "<line x2=\"100%\" y1=\"\(y)\" y2=\"\(y)\"/>"
        }
        let times = axis.ticks(most: 5).map { tick -> HTML in
            let x = TimeAxis.percent(axis.place(tick.at))
            return "<line x1=\"\(x)\" x2=\"\(x)\" y2=\"100%\"/>"
        }
        let mark = split.map { time -> HTML in
            let x = TimeAxis.percent(axis.place(time))
            return "<line class=\"split\" x1=\"\(x)\" x2=\"\(x)\" y2=\"100%\"/>"
        }
        return """
            <svg class="shapes" width="0" height="0" aria-hidden="true"><defs><g id="grid">\(levels)\(times)\(mark ?? "")</g>\
            </defs></svg>
            """
    }

    private func figure(_ trend: MeterTrend, _ top: Double, of count: Int) -> HTML {
        guard let total = trend.total else { return "" }
        let name = trend.labels.isEmpty ? trend.meter : trend.labels.joined(separator: " / ")
        let known = total.seconds > 0 ? total.silentSeconds / total.seconds * 100 : 0
        let words =
            "\(name): mean \(Decibel.text(total.mean)) dB, lowest \(Decibel.text(total.low)), highest "
            + "\(Decibel.text(total.high)), silent \(Percent.text(min(100, known))) % of the time that is known, "
            + "\(trend.changes.count.grouped) changes of gain or mute"
        let chart = LevelChart(trend: trend, axis: axis, top: top)
        let device: HTML = trend.labels.isEmpty ? "" : " <span>\(trend.meter)</span>"
        return """
            <figure><figcaption>\(HTML.name(name))\(device) <b>\(Decibel.text(total.mean)) dB</b></figcaption>
            <div class="plot"><div class="scale" aria-hidden="true"><span>\(Int(top))</span>\
            <span>\(Int(LevelChart.bottom))</span></div>\(chart.svg(label: words))\(axis.picture(most: 5))</div>
            \(table(trend, name, of: count))</figure>

            """
    }

    private func table(_ trend: MeterTrend, _ name: String, of count: Int) -> HTML {
        let length = Self.rowLength(summary.window, trend, rows: Limit.rows(meters: count))
        let rows = trend.summed(by: length).map { row -> HTML in
            let silent = Percent.text(min(100, row.silentSeconds / row.seconds * 100))
            let known = Length.text(Int64((row.seconds * 1e6).rounded()))
            return """
                <tr><td>\(LocalTime.text(row.start).dropFirst(5).prefix(11))<td>\(Decibel.text(row.low))\
                <td>\(Decibel.text(row.mean))<td>\(Decibel.text(row.high))<td>\(silent)<td>\(known)

                """
        }
        return """
            <details><summary>Table<span class="hidden"> of \(name)</span></summary>
            <div class="scroll" role="group" tabindex="0" aria-label="Levels of \(name)"><table class="figures">
            <caption><span>\(HTML.name(name)) in steps of \(Length.whole(length)), dB</span></caption>
            <thead><tr><th scope="col">From<th scope="col">Low<th scope="col">Mean<th scope="col">High\
            <th scope="col">Silent %<th scope="col">Known</thead>
            <tbody>
            \(rows)</tbody></table></div></details>
            """
    }

    /// The shortest round length, a multiple of a column's, that gives at most so many rows.
    private static func rowLength(_ window: Int64, _ trend: MeterTrend, rows: Int64) -> Int64 {
        let step = (trend.columns.first.map { $0.end - $0.start } ?? 60_000_000) / 60_000_000
        let minutes: [Int64] = [
            1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1_440, 2_880, 7_200, 14_400, 28_800,
        ]
        let enough = minutes.first { $0 % step == 0 && window / 60_000_000 / $0 < rows }
        let needed = max(1, window / 60_000_000 / rows / step + 1) * step
        return (enough ?? needed) * 60_000_000
    }

    private static func silence(_ trends: [MeterTrend]) -> HTML {
        let rows = trends.map { trend -> [HTML] in
            let known = trend.total.map { Length.text(Int64(($0.seconds * 1e6).rounded())) } ?? "-"
            return ["\(trend.meter)", HTML.name(trend.labels.joined(separator: " / ")), "\(known)"]
        }
        let count = trends.count == 1 ? "One meter was" : "\(trends.count) meters were"
        let table = PageTable(
            caption: "Meters that were at -80 dB for all the time that is known", columns: ["Meter", "Label", "Known"],
            numeric: [2], rows: rows)
        return """
            <details><summary>\(count) silent all along</summary>
            \(table.html)</details>

            """
    }
}

extension Length {
    /// `6 min`, `1 h`: a round length, microseconds.
    static func whole(_ microseconds: Int64) -> String {
        let minutes = microseconds / 60_000_000
        if minutes % 1_440 == 0 { return "\(minutes / 1_440) d" }
        return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes) min"
    }
}
