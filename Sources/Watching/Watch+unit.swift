import Reporting

extension Watch {
    /// Pieces of a row, of which those at the end go where there is no room for all.
    struct Pieces {
        private(set) var parts: [(text: String, ink: Ink)] = []
        mutating func add(_ text: String, _ ink: Ink = .plain) { parts.append((text, ink)) }

        func draw(on screen: inout Screen, row: Int, column: Int = 0, _ look: Look) {
            var column = column
            for (index, part) in parts.enumerated() {
                // The first says the most: it is cut, not left out.
                guard index == 0 || column + Screen.width(part.text) <= screen.size.columns else { return }
                column = screen.write(part.text, row: row, column: column, ink: part.ink, ellipsis: look.ellipsis)
            }
        }
    }

    // MARK: links and figures

    func drawLinks(of unit: FeedPicture.Unit, on screen: inout Screen, _ plan: Plan, _ now: Moment) {
        let day = day?.units[unit.name]
        let links = [("control", unit.control, day?.control), ("meters", unit.meters, day?.meters)]
        if let rows = plan.links {
            let width = links.map { Screen.width(state(of: $0.1)) }.max() ?? 0
            for (row, link) in zip(rows, links) { pieces(of: link, width, now).draw(on: &screen, row: row, look) }
        } else if let row = plan.state {
            drawState(of: unit, on: &screen, row: row)
        }
        if let row = plan.samples { samples(of: unit).draw(on: &screen, row: row, look) }
        if let row = plan.errors { errors(of: unit, now).draw(on: &screen, row: row, look) }
    }

    /// Both links in one row: their marks are there on 20 columns.
    private func drawState(of unit: FeedPicture.Unit, on screen: inout Screen, row: Int) {
        var column = 0
        for (name, standing) in [("control", unit.control), ("meters", unit.meters)] {
            let state = look.state(isSpeaking ? standing?.state : nil)
            let cause = isSpeaking ? standing?.cause.map { " \($0)" } ?? "" : ""
            column =
                screen.write(
                    "\(state.mark) \(name)\(cause)", row: row, column: column, ink: state.ink, ellipsis: look.ellipsis)
                + 1
        }
        let text = " \(unit.rate)/s  \(unit.name)"
        if column + 8 <= size.columns { screen.write(text, row: row, column: column, ellipsis: look.ellipsis) }
    }

    private typealias LinkOfToday = (name: String, standing: FeedPicture.Standing?, day: DayFigures.LinkDay?)

    /// `down refused`.
    private func state(of standing: FeedPicture.Standing?) -> String {
        guard isSpeaking else { return "not known now" }
        return standing.map { $0.state + ($0.cause.map { " \($0)" } ?? "") } ?? "not told yet"
    }

    /// Up to `width` columns are left for the state, so that what follows stands below one another.
    private func pieces(of link: LinkOfToday, _ width: Int, _ now: Moment) -> Pieces {
        var pieces = Pieces()
        let state = look.state(isSpeaking ? link.standing?.state : nil)
        pieces.add(link.name.padded(to: 9), .faint)
        pieces.add(
            "\(state.mark) \(self.state(of: link.standing).padded(to: min(width, size.columns / 2)))", state.ink.bolder)
        guard isSpeaking, let standing = link.standing else { return pieces }
        let length = Self.length(now.wall.subtractingReportingOverflow(standing.since).partialValue)
        pieces.add("  since \(Self.clock(standing.since, now: now.wall))")
        pieces.add(" (\(length))".padded(to: 12), .faint)
        if let day = link.day {
            let outages = day.outages == 1 ? "1 outage" : "\(day.outages.grouped) outages"
            pieces.add("  today ", .faint)
            pieces.add("\(day.uptimePercent.map { Percent.text($0) } ?? "-") % up")
            if day.outages > 0 { pieces.add(", \(outages)", .unsure) }
            if day.unknown >= 2_000_000 { pieces.add(", \(Self.length(day.unknown)) unknown", .faint) }
        }
        return pieces
    }

    private func samples(of unit: FeedPicture.Unit) -> Pieces {
        var pieces = Pieces()
        pieces.add("samples".padded(to: 9), .faint)
        pieces.add("\(unit.rate.grouped)/s")
        guard let day = day?.units[unit.name] else { return pieces }
        pieces.add("  today ", .faint)
        pieces.add("\(day.samples.grouped) stored")
        let lost = day.samplesLost == 0 ? "none lost" : "\(day.samplesLost.grouped) lost"
        pieces.add(", \(lost)", day.samplesLost == 0 ? .plain : .bad)
        if day.datagramsLost > 0 { pieces.add(", \(day.datagramsLost.grouped) datagrams lost", .bad) }
        if picture.missed > 0 { pieces.add("  (\(picture.missed.grouped) missed here)", .unsure) }
        return pieces
    }

    private func errors(of unit: FeedPicture.Unit, _ now: Moment) -> Pieces {
        var pieces = Pieces()
        pieces.add("errors".padded(to: 9), .faint)
        guard let errors = day?.errors(of: unit.name) else {
            let isAsked = figures == .asked
            pieces.add(
                isAsked ? "the store is being asked \(look.ellipsis)" : "not known: the store cannot be read", .faint)
            return pieces
        }
        if let lost = day?.lost, errors.isEmpty {
            pieces.add("none left; \(lost)", .unsure)
            return pieces
        }
        guard !errors.isEmpty else {
            pieces.add(
                day?.recorded.map { "none in the \(Self.length($0)) of today that were recorded" } ?? "none today")
            return pieces
        }
        for (index, error) in errors.prefix(3).enumerated() {
            pieces.add(index == 0 ? "" : "; ")
            pieces.add("\(error.code) \(error.count.grouped)", .bad)
            pieces.add(", last \(Self.clock(error.last, now: now.wall))")
            pieces.add(" (\(error.socket) \(error.operation)\(error.holder.map { ", held by \($0)" } ?? ""))", .faint)
        }
        return pieces
    }

    // MARK: meters

    func order(_ channels: [FeedPicture.Channel]) -> [FeedPicture.Channel] {
        func name(_ channel: FeedPicture.Channel) -> String { (channel.label ?? channel.name).lowercased() }
        return switch view.order {
        case .meter: channels.sorted { ($0.rank, $0.name) < ($1.rank, $1.name) }
        case .name: channels.sorted { (name($0), $0.rank, $0.name) < (name($1), $1.rank, $1.name) }
        case .level: channels.sorted { ($1.weight, $0.rank, $0.name) < ($0.weight, $1.rank, $1.name) }
        }
    }

    /// Columns that a meter takes at least, with the space behind it.
    static let narrowest = 36

    mutating func drawMeters(of unit: FeedPicture.Unit, on screen: inout Screen, _ plan: Plan, _ now: Moment) {
        let channels = order(unit.channels)
        guard !plan.body.isEmpty else { return }
        let most = max(1, size.columns / Self.narrowest)
        let columns = min(most, max(1, (channels.count + plan.body.count - 1) / plan.body.count))
        // Columns of one height.
        let rows = min(plan.body.count, max(1, (channels.count + columns - 1) / columns))
        view.fit(rows * columns, of: channels.count)
        if channels.isEmpty {
            let words =
                !isSpeaking
                ? "no levels: not connected"
                : unit.isCurrent ? "no meter has said anything yet" : "no levels: the meters link is not up"
            screen.write(words, row: plan.body.lowerBound, column: 0, ink: .faint, ellipsis: look.ellipsis)
            return
        }
        let tags = channels.map(\.tag.count).max() ?? 2
        let labels = channels.map { Screen.width($0.label ?? $0.name) }.max() ?? 0
        let gap = 3
        let width = (size.columns + gap) / columns - gap
        let isLive = unit.isCurrent && isSpeaking
        for column in 0..<columns {
            let place = MeterPlace(column: column * (width + gap), width: width, tags: tags, labels: labels)
            let from = view.first + column * rows
            guard from < channels.count else { continue }
            if let row = plan.scale {
                LevelBar.drawScale(on: &screen, row: row, column: place.bar, width: place.barWidth)
                screen.write("dB", row: row, column: max(0, place.end - 2), ink: .faint)
            }
            for (row, channel) in zip(plan.body, channels[from..<min(from + rows, channels.count)]) {
                draw(channel, on: &screen, row: row, place, isLive: isLive, now)
            }
        }
    }

    /// Where of a row a meter is: its tag, its label, its bar, its level.
    private struct MeterPlace {
        static let levelWidth = 6
        let column, label, labelWidth, bar, barWidth: Int
        /// Behind the level.
        let end: Int

        init(column: Int, width: Int, tags: Int, labels: Int) {
            let tag = width >= 24 ? min(tags, 12) + 1 : 0
            let rest = width - tag - Self.levelWidth
            (self.column, label, end) = (column, column + tag, column + width)
            labelWidth = max(0, min(labels, rest * 2 / 5, 28))
            bar = label + labelWidth + (labelWidth > 0 ? 1 : 0)
            barWidth = max(0, column + width - Self.levelWidth - bar)
        }
    }

    private func draw(
        _ channel: FeedPicture.Channel, on screen: inout Screen, row: Int, _ place: MeterPlace, isLive: Bool,
        _ now: Moment
    ) {
        let isHeard = isLive && channel.level > LevelBar.floor
        if place.label > place.column {
            screen.write(
                channel.tag, row: row, column: place.column, end: place.label - 1, ink: .faint, ellipsis: look.ellipsis)
        }
        screen.write(
            channel.label ?? channel.name, row: row, column: place.label, end: place.label + place.labelWidth,
            ink: isHeard ? .plain : .faint, ellipsis: look.ellipsis)
        LevelBar.draw(
            isLive ? channel.level : LevelBar.floor, peak: isLive ? channel.peak.shown(at: now.steady) : nil,
            on: &screen,
            row: row, column: place.bar, width: place.barWidth, look)
        let text = isLive ? LevelBar.text(channel.level) : "-"
        let ink: Ink = !isHeard ? .faint : channel.level > LevelBar.hot ? .bad.bolder : .plain
        screen.write(text, row: row, column: max(place.bar, place.end - text.count), end: place.end, ink: ink)
    }
}

extension String {
    /// With blanks behind it, to so many columns.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - Screen.width(self))) }
}
