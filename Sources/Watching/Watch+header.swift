import WallTime

extension Watch {
    func drawTitle(on screen: inout Screen, _ now: Moment) {
        let clock = Self.clock(now.wall, now: now.wall)
        let place = size.columns - clock.count
        let end = screen.write(
            "atlas-recorder \(picture.recorder)", row: 0, column: 0, end: max(0, place - 1), ink: .bold,
            ellipsis: look.ellipsis)
        let isShort = size.rows < 8
        if isShort, let (text, ink) = notice(now) {
            screen.write(text, row: 0, column: 0, end: size.columns, ink: ink, ellipsis: look.ellipsis)
            return
        }
        if place - end > 8 {
            screen.write(
                picture.store, row: 0, column: end + 2, end: place - 2, ink: .faint, ellipsis: look.ellipsis)
        }
        screen.write(clock, row: 0, column: max(0, place))
    }

    /// What there is to say beyond the figures, if anything.
    func notice(_ now: Moment) -> (text: String, ink: Ink)? {
        switch picture.connection {
        case .ended(let at, let reason):
            let time = Self.clock(at, now: now.wall)
            return ("\(look.state("down").mark) not connected since \(time): \(reason); trying again", .bad)
        case .silent(let since):
            let time = Self.clock(since, now: now.wall)
            return ("\(look.state("down").mark) nothing heard since \(time): the recorder stands still", .bad)
        case .opened: return ("connected; the recorder has said nothing yet", .unsure)
        case .speaking: break
        }
        if let words = picture.nobody { return (words, .unsure) }
        if let at = picture.missedAt, now.wall - at < 10_000_000 {
            let what = picture.missed == 0 ? "changes" : "\(picture.missed) values"
            return ("! missed \(what), last at \(Self.clock(at, now: now.wall)): this reader was too slow", .unsure)
        }
        if case .failed(let words) = figures { return ("! \(words)", .unsure) }
        return nil
    }

    func drawRule(on screen: inout Screen, row: Int, _ now: Moment) {
        if let (text, ink) = notice(now) {
            screen.write(text, row: row, column: 0, ink: ink.bolder, ellipsis: look.ellipsis)
        } else {
            for column in 0..<size.columns { screen.put(look.rule, 1, row, column, .faint) }
        }
    }

    /// The units by number and name, those round the chosen one where not all have room.
    func drawTabs(on screen: inout Screen, row: Int) {
        let names = picture.units.indices.map { " \($0 + 1) \(picture.units[$0].name) " }
        func width(_ index: Int) -> Int { min(Screen.width(names[index]), 24) + 3 }
        var (from, to) = (view.chosen, view.chosen + 1)
        guard names.indices.contains(from) else { return }
        var used = width(from) + 4
        while from > 0 || to < names.count {
            let next = from > 0 ? from - 1 : to
            let other = to < names.count ? to : next
            // The side that shows less of it goes first.
            let choice = view.chosen - from <= to - view.chosen - 1 && from > 0 ? next : other
            guard used + width(choice) <= size.columns else { break }
            used += width(choice)
            if choice < from { from = choice } else { to = choice + 1 }
        }
        var column = 0
        if from > 0 { column = screen.write("\(look.ellipsis) ", row: row, column: 0, ink: .faint) }
        for index in from..<to {
            let unit = picture.units[index]
            let isChosen = index == view.chosen
            let state = look.state(isSpeaking ? Self.worst(unit) : nil)
            column = screen.write(" \(state.mark)", row: row, column: column, ink: state.ink)
            let start = column
            column = screen.write(
                names[index], row: row, column: column, end: min(column + 24, size.columns),
                ink: isChosen ? .bold : .plain, ellipsis: look.ellipsis)
            if isChosen { screen.invert(row: row, from: start, to: column) }
            column += 1
        }
        if to < names.count { screen.write("\(look.ellipsis)", row: row, column: column, ink: .faint) }
    }

    /// Of both links the worse state: down before unknown before up.
    static func worst(_ unit: FeedPicture.Unit) -> String {
        let states = [unit.control?.state, unit.meters?.state]
        if states.contains("down") { return "down" }
        return states.allSatisfy { $0 == "up" } ? "up" : "unknown"
    }

    func drawKeys(on screen: inout Screen, row: Int) {
        guard hasKeys else {
            screen.write("Ctrl-C ends", row: row, column: 0, ink: .faint)
            return
        }
        let order = view.isOverview ? view.order.wordOfUnits : view.order.word
        var keys = [("q", "quit"), ("?", "help"), ("o", "order: \(order)")]
        if view.isOverview {
            keys += [(look.arrows.upright, "choose"), ("Enter", "its meters")]
        } else {
            if view.listed > view.fitting { keys.append((look.arrows.upright, "scroll")) }
            if picture.units.count > 1 { keys += [(look.arrows.sideways, "processor"), ("a", "all")] }
        }
        let isWhole = view.listed <= view.fitting || view.showsHelp || size.columns < 40
        let part = "\(view.first + 1)-\(min(view.first + view.fitting, view.listed)) of \(view.listed)"
        let end = isWhole ? size.columns : size.columns - part.count - 1
        var column = 0
        for (key, words) in keys {
            guard column + Screen.width(key) + words.count + 1 <= end else { break }
            column = screen.write(key, row: row, column: column, ink: .accent.bolder)
            column = screen.write(" \(words)", row: row, column: column, ink: .faint) + 2
        }
        if !isWhole { screen.write(part, row: row, column: end + 1, ink: .faint) }
    }

    func drawHelp(on screen: inout Screen, rows: Range<Int>) {
        let lines = [
            ("\(look.arrows.sideways) Tab [ ] 1-9", "another processor"),
            ("a", "all processors in a list, Enter: the chosen one"),
            ("o", "order: meter, name, level (of all: trouble first)"),
            ("\(look.arrows.upright) PgUp PgDn", "scroll, or choose in the list"), ("?", "this page"),
            ("q Ctrl-C", "quit"), ("", ""),
            ("Z S M G", "zones, sources, mixes, groups, as the unit counts"),
            (look.isUnicode ? "█ │" : "= |", "level, and the peak of the last seconds"),
            (
                look.isUnicode ? "" : "= * #",
                "over \(Int(LevelBar.loud)) dB it is loud, over \(Int(LevelBar.hot)) near to clipping"
            ),
            ("today", "uptime, outages, losses, errors: from the store"),
        ]
        let width = (lines.map { Screen.width($0.0) }.max() ?? 0) + 3
        for (row, line) in zip(rows, lines) {
            screen.write(line.0, row: row, column: 1, ink: .accent.bolder, ellipsis: look.ellipsis)
            screen.write(line.1, row: row, column: 1 + width, ellipsis: look.ellipsis)
        }
    }
}
