import Reporting

extension Watch {
    /// All units, a row each: what one would look for among a thousand.
    mutating func drawOverview(on screen: inout Screen, rows: Range<Int>, _ now: Moment) {
        guard !rows.isEmpty else { return }
        let units = picture.units
        view.list = orderedUnits()
        drawCounts(on: &screen, row: rows.lowerBound)
        let rows = rows.dropFirst(rows.count > 2 ? 2 : 1)
        let place = view.list.firstIndex(of: view.chosen) ?? 0
        view.fit(rows.count, of: view.list.count, around: place)
        let names = min(units.map { Screen.width($0.name) }.max() ?? 0, max(10, size.columns / 4))
        if rows.lowerBound > 2 { drawHeads(on: &screen, row: rows.lowerBound - 1, names) }
        for (row, number) in zip(rows, view.list[view.first...]) {
            draw(units[number], number, on: &screen, row: row, names, now)
        }
    }

    private func orderedUnits() -> [Int] {
        let units = picture.units
        func rank(_ number: Int) -> Int {
            switch Self.worst(units[number]) {
            case "down": 0
            case "up": 2
            default: 1
            }
        }
        return switch view.order {
        case .meter: Array(units.indices)
        case .name: units.indices.sorted { (units[$0].name.lowercased(), $0) < (units[$1].name.lowercased(), $1) }
        case .level: units.indices.sorted { (rank($0), $0) < (rank($1), $1) }
        }
    }

    private func drawCounts(on screen: inout Screen, row: Int) {
        var pieces = Pieces()
        pieces.add(picture.units.count == 1 ? "1 processor" : "\(picture.units.count.grouped) processors", .bold)
        for state in ["up", "down", "unknown"] {
            let count = picture.units.count { (isSpeaking ? Self.worst($0) : "unknown") == state }
            guard count > 0 else { continue }
            let look = look.state(state)
            pieces.add("  \(look.mark) \(count.grouped) \(state)", look.ink)
        }
        pieces.add("  \(picture.units.reduce(0) { $0 + $1.rate }.grouped) samples/s")
        if let day {
            let lost = day.units.values.reduce(0) { $0 + $1.samplesLost }
            pieces.add(lost == 0 ? "  none lost today" : "  \(lost.grouped) lost today", lost == 0 ? .faint : .bad)
            let count = day.errors.reduce(0) { $0 + $1.count }
            pieces.add(count == 0 ? "  no errors recorded" : "  \(count.grouped) errors", count == 0 ? .faint : .bad)
        }
        pieces.draw(on: &screen, row: row, look)
    }

    /// Where each column begins: the mark and the name, two links, samples a second, uptimes.
    private func columns(_ names: Int) -> (control: Int, meters: Int, rate: Int, today: Int) {
        let room = max(0, size.columns - names - 7)
        let link = min(30, max(9, room * 30 / 100))
        return (names + 7, names + 7 + link, names + 7 + 2 * link, names + 18 + 2 * link)
    }

    private func drawHeads(on screen: inout Screen, row: Int, _ names: Int) {
        let columns = columns(names)
        screen.write("control", row: row, column: columns.control, ink: .faint)
        screen.write("meters", row: row, column: columns.meters, ink: .faint)
        if columns.rate + 9 <= size.columns { screen.write("samples/s", row: row, column: columns.rate, ink: .faint) }
        if columns.today + 15 <= size.columns {
            screen.write("up today %", row: row, column: columns.today, ink: .faint)
        }
    }

    private func draw(
        _ unit: FeedPicture.Unit, _ number: Int, on screen: inout Screen, row: Int, _ names: Int, _ now: Moment
    ) {
        let columns = columns(names)
        let isChosen = number == view.chosen
        if isChosen { screen.write(look.chosen, row: row, column: 0, ink: .accent.bolder) }
        let digits = "\(number + 1)"
        screen.write(digits, row: row, column: max(1, 5 - digits.count), end: 6, ink: .faint, ellipsis: look.ellipsis)
        screen.write(
            unit.name, row: row, column: 6, end: columns.control - 1, ink: isChosen ? .bold : .plain,
            ellipsis: look.ellipsis)
        for (link, column, end) in [
            (unit.control, columns.control, columns.meters), (unit.meters, columns.meters, columns.rate),
        ] {
            let state = look.state(isSpeaking ? link?.state : nil)
            var text = "\(state.mark) \(isSpeaking ? link?.state ?? "?" : "?")"
            if isSpeaking, let link {
                // What is not up says why; what is up, since when.
                text += link.cause.map { " \($0)" } ?? ""
                let since = " \(Self.clock(link.since, now: now.wall))"
                if Screen.width(text + since) < end - column { text += since }
            }
            screen.write(
                text, row: row, column: column, end: min(end - 1, size.columns), ink: state.ink, ellipsis: look.ellipsis
            )
        }
        let rate = unit.rate.grouped
        if columns.rate + 9 <= size.columns { screen.write(rate, row: row, column: columns.rate + 9 - rate.count) }
        guard columns.today + 15 <= size.columns, let day = day?.units[unit.name] else { return }
        let shares = [day.control, day.meters].map { $0?.uptimePercent.map { Percent.text($0) } ?? "-" }
        screen.write(shares.joined(separator: " / "), row: row, column: columns.today)
    }
}
