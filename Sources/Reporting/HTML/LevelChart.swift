import WallTime

/// The picture of a meter: a band from low to high with the mean in it, on one scale for all meters of the page.
struct LevelChart {
    let trend: MeterTrend
    let axis: TimeAxis
    /// The upper end of the scale, dB; the lower one is silence.
    let top: Double

    static let bottom = -80.0

    /// 0 dB, or where a level was higher, the next 10 dB above it, up to 20.
    static func top(of trends: [MeterTrend]) -> Double {
        let highest = trends.reduce(0.0) { $1.columns.reduce($0) { max($0, $1.high) } }
        return min(20, (highest / 10).rounded(.up) * 10)
    }

    /// Half a dB is one unit, a column is one unit wide.
    var height: Int { Int((top - Self.bottom) * 2) }

    /// Two pictures, one on the other: the shapes, which stretch with the page, and the marks, which do not.
    func svg(label: String) -> HTML {
        guard let first = trend.columns.first else { return "" }
        let step = Double(first.end - first.start)
        let from = Decibel.text(Double(axis.since - first.start) / step)
        let width = Decibel.text(Double(axis.until - axis.since) / step)
        return """
            <svg class="shape" aria-hidden="true" viewBox="\(from) 0 \(width) \(height)" preserveAspectRatio="none">\
            \(silence)\(band)</svg><svg class="chart" role="img" aria-label="\(label)">\(unknown)<use href="#grid"/>\(marks)</svg>
            """
    }

    private func column(_ time: Int64) -> Int {
        Int((time - trend.columns[0].start) / (trend.columns[0].end - trend.columns[0].start))
    }

    private func y(_ level: Double) -> Int { Int(((top - min(max(level, Self.bottom), top)) * 2).rounded()) }

    /// Columns that follow one another and agree in this.
    private func runs(_ belong: (MeterTrend.Column, MeterTrend.Column) -> Bool) -> [ArraySlice<MeterTrend.Column>] {
        var runs: [ArraySlice<MeterTrend.Column>] = []
        var begin = 0
        let columns = trend.columns
        for index in columns.indices.dropFirst() where !belong(columns[index - 1], columns[index]) {
            runs.append(columns[begin..<index])
            begin = index
        }
        return runs + [columns[begin...]]
    }

    private var band: HTML {
        var (shape, line) = ("", "")
        for run in runs({ $0.end == $1.start }) {
            let start = column(run[run.startIndex].start)
            shape += "M\(start) " + steps(run.map { y($0.high) }, forward: true)
            // A level that does not move is still a line's width high.
            shape += "V" + steps(run.reversed().map { y($0.low) }, forward: false) + "z"
            line += "M\(start) " + steps(run.map { y($0.mean) }, forward: true)
        }
        return HTML(markup: "<path class=\"b\" d=\"\(shape)\"/><path class=\"m\" d=\"\(line)\"/>")
    }

    /// A stair, from its first height on: `20h1v-3h2`.
    private func steps(_ heights: [Int], forward: Bool) -> String {
        var text = "\(heights[0])"
        var width = 0
        var height = heights[0]
        func level() -> String { "h\(forward ? width : -width)" }
        for next in heights {
            if next != height {
                text += level() + "v\(next - height)"
                (height, width) = (next, 0)
            }
            width += 1
        }
        return text + level()
    }

    private var silence: HTML {
        let shapes = runs { $0.end == $1.start && $0.isSilent == $1.isSilent }.filter { $0[$0.startIndex].isSilent }
        guard !shapes.isEmpty else { return "" }
        let path = shapes.map { "M\(column($0[$0.startIndex].start)) 0h\($0.count)v\(height)h-\($0.count)z" }.joined()
        return HTML(markup: "<path class=\"s\" d=\"\(path)\"/>")
    }

    /// What nothing is known of, dotted.
    private var unknown: HTML {
        var gaps: [(Int64, Int64)] = []
        var reached = axis.since
        for run in runs({ $0.end == $1.start }) {
            gaps.append((reached, run[run.startIndex].start))
            reached = run[run.endIndex - 1].end
        }
        gaps.append((reached, axis.until))
        return gaps.filter { $0.1 > $0.0 }.map { gap -> HTML in
            let (from, to) = (axis.place(gap.0), axis.place(gap.1))
            guard to > from else { return "" }
            let (x, width) = (TimeAxis.percent(from), TimeAxis.percent(to - from))
            return "<rect class=\"u\" x=\"\(x)\" width=\"\(width)\" height=\"100%\"/>"
        }.joined()
    }

    /// A mark for each place at which gain or mute changed; those that would cover one another are one.
    private var marks: HTML {
        var marks: [(place: Int, kind: MeterTrend.Change.Kind, changes: [MeterTrend.Change])] = []
        for kind in [MeterTrend.Change.Kind.gain, .mute] {
            var last = -100
            for change in trend.changes where change.kind == kind {
                let place = axis.place(change.at)
                if place - last >= 12 {
                    marks.append((place, kind, []))
                    last = place
                }
                marks[marks.count - 1].changes.append(change)
            }
        }
        return marks.map { mark -> HTML in
            let x = TimeAxis.percent(mark.place)
            let shape = Self.shape(mark.kind, mark.changes[mark.changes.count - 1])
            return """
                <g class="c"><title>\(Self.words(mark.changes))</title><line x1="\(x)" x2="\(x)" y2="100%"/>\
                <use href="#\(shape)" x="\(x)"/></g>
                """
        }.joined()
    }

    private static func shape(_ kind: MeterTrend.Change.Kind, _ change: MeterTrend.Change) -> String {
        switch kind {
        case .mute: change.value == "off" ? "unmuted" : "muted"
        case .gain: "gain"
        }
    }

    /// The first change and the last of a mark, and how many there were between.
    private static func words(_ changes: [MeterTrend.Change]) -> String {
        func text(_ change: MeterTrend.Change) -> String {
            let what = change.kind == .gain ? "gain" : "mute"
            let time = LocalTime.text(change.at).droppingMilliseconds()
            return "\(time) \(what) \(change.value), before \(change.previous)"
        }
        guard changes.count > 1 else { return text(changes[0]) }
        let more = changes.count > 2 ? "\n… \((changes.count - 2).grouped) more …" : ""
        return "\(text(changes[0]))\(more)\n\(text(changes[changes.count - 1]))"
    }
}
