import WallTime

/// Where an instant lies in the window, and where its clock times are: local ones, few enough to be read.
struct TimeAxis: Sendable, Equatable {
    /// Microseconds since 1970 UTC.
    let since, until: Int64

    struct Tick: Equatable {
        let at: Int64
        let label: String
    }

    /// Thousandths of the window, 0 to 1000.
    func place(_ time: Int64) -> Int {
        let share = Double(min(max(time, since), until) - since) / Double(max(1, until - since))
        return Int((share * 1_000).rounded())
    }

    /// `12.3%`: a place as SVG and CSS take it.
    static func percent(_ thousandths: Int) -> String {
        let sign = thousandths < 0 ? "-" : ""
        let (whole, tenth) = thousandths.magnitude.quotientAndRemainder(dividingBy: 10)
        return tenth == 0 ? "\(sign)\(whole)%" : "\(sign)\(whole).\(tenth)%"
    }

    /// At most `most` times at which the local clocks show a round one; of a window of days, midnights.
    func ticks(most: Int = 7) -> [Tick] {
        let length = (until - since) / 1_000_000
        if let step = Self.seconds.first(where: { length / $0 < most }) { return clockTicks(Int(step)) }
        if let days = [1, 2, 7, 14].first(where: { length / 86_400 / Int64($0) < most }) { return dayTicks(days) }
        let months = [1, 2, 3, 6].first { length / 2_592_000 / $0 < most } ?? 12
        return monthTicks(every: Int(months), most: most)
    }

    private static let seconds: [Int64] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200,
    ]

    /// Every so many seconds of the local day. Zones differ from UTC by whole quarters of an hour.
    private func clockTicks(_ step: Int) -> [Tick] {
        let grid = Int64(min(step, 900)) * 1_000_000
        var ticks: [Tick] = []
        for time in stride(from: (since / grid + 1) * grid, to: until, by: Int64.Stride(grid)) {
            let civil = LocalTime.civil(at: time)
            let ofDay = civil.clock.secondOfDay
            guard ofDay % step == 0 else { continue }
            let clock = LocalTime.text(time).dropFirst(11).prefix(step < 60 ? 8 : 5)
            let isDay = ofDay == 0 && step >= 3_600
            ticks.append(Tick(at: time, label: isDay ? Self.day(civil.date) : String(clock)))
        }
        return ticks
    }

    private func dayTicks(_ days: Int) -> [Tick] {
        let first = LocalTime.civil(at: since).date.daysSince1970
        return (first...LocalTime.civil(at: until).date.daysSince1970).filter { $0 % days == 0 }
            .compactMap { midnight(CivilDate(daysSince1970: $0)) }
    }

    private func monthTicks(every months: Int, most: Int) -> [Tick] {
        let (first, last) = (LocalTime.civil(at: since).date, LocalTime.civil(at: until).date)
        let all = (first.year * 12 + first.month - 1)...(last.year * 12 + last.month - 1)
        let few = all.filter { $0 % months == 0 }
        // Of decades, some.
        let every = max(1, (few.count + most - 1) / most)
        return few.enumerated().filter { $0.offset % every == 0 }
            .compactMap {
                midnight(CivilDate(year: $0.element / 12, month: $0.element % 12 + 1, day: 1), isMonth: true)
            }
    }

    private func midnight(_ date: CivilDate, isMonth: Bool = false) -> Tick? {
        let time: Int64 =
            switch LocalTime.instants(of: CivilTime(date, .midnight)) {
            case .once(let time), .twice(let time, _), .never(let time): time
            }
        let label = isMonth ? "\(Self.months[date.month - 1]) \(date.year)" : Self.day(date)
        return time > since && time < until ? Tick(at: time, label: label) : nil
    }

    private static func day(_ date: CivilDate) -> String { "\(date.day) \(months[date.month - 1])" }
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
