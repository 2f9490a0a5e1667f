import WallTime

/// The live view: what the feed and the store said, what is looked at, and on which terminal. Pure: lines, figures, keys and
/// sizes in; screens out.
package struct Watch: Sendable {
    package enum Figures: Equatable, Sendable {
        case asked
        case known(DayFigures)
        case failed(String)
    }

    package var picture: FeedPicture
    package var figures = Figures.asked
    package var view = View()
    package var size: Screen.Size
    package let look: Look
    /// Whether somebody can press keys.
    package let hasKeys: Bool

    package init(only: String? = nil, size: Screen.Size, look: Look, hasKeys: Bool = true) {
        picture = FeedPicture(only: only)
        (self.size, self.look, self.hasKeys) = (size, look, hasKeys)
    }

    package mutating func press(_ key: Key) -> View.Outcome { view.press(key, units: picture.units.count) }

    /// Whether something on the page moves though nothing comes.
    package func isMoving(at now: Moment) -> Bool {
        guard let unit = chosenUnit, !view.isOverview, unit.isCurrent, isSpeaking else { return false }
        return unit.channels.contains { $0.peak.isFalling(over: $0.level, at: now.steady) }
    }

    var isSpeaking: Bool { picture.connection == .speaking }
    var chosenUnit: FeedPicture.Unit? {
        picture.units.indices.contains(view.chosen) ? picture.units[view.chosen] : nil
    }
    var day: DayFigures? { if case .known(let day) = figures { day } else { nil } }

    /// What the terminal is to show now.
    package mutating func page(at now: Moment) -> Screen {
        view.start(units: picture.units.count)
        if view.chosen >= picture.units.count { view.chosen = 0 }
        let plan = Plan(size, units: picture.units.count, isOverview: view.isOverview)
        var screen = Screen(size)
        drawTitle(on: &screen, now)
        if let row = plan.tabs { drawTabs(on: &screen, row: row) }
        if let row = plan.rule { drawRule(on: &screen, row: row, now) }
        if view.showsHelp {
            drawHelp(on: &screen, rows: (plan.rule.map { $0 + 1 } ?? 1)..<plan.body.upperBound)
        } else if view.isOverview {
            drawOverview(on: &screen, rows: plan.body, now)
        } else if let unit = chosenUnit {
            drawLinks(of: unit, on: &screen, plan, now)
            drawMeters(of: unit, on: &screen, plan, now)
        }
        if let row = plan.keys { drawKeys(on: &screen, row: row) }
        return screen
    }

    /// `16:30:05`, with the day where it is another one than now's.
    static func clock(_ time: Int64, now: Int64) -> String {
        let text = LocalTime.text(time)
        let isToday = LocalTime.civil(at: time).date == LocalTime.civil(at: now).date
        return isToday ? String(text.dropFirst(11).prefix(8)) : String(text.prefix(16))
    }

    /// `42s`, `12m 3s`, `3h 12m`, `2d 4h`: in whole seconds, so that it changes once a second at most.
    static func length(_ microseconds: Int64) -> String {
        let seconds = max(0, microseconds / 1_000_000)
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3_600 { return "\(seconds / 60)m \(seconds % 60)s" }
        if seconds < 86_400 { return "\(seconds / 3_600)h \(seconds / 60 % 60)m" }
        return "\(seconds / 86_400)d \(seconds / 3_600 % 24)h"
    }
}
