import WallTime

/// One wall-clock time, or one named instant, and where in time it lies. For a time that clocks showed twice or never,
/// `remark` has what the user must be told.
struct Occurrence {
    let instants: LocalTime.Instants
    private let civil: CivilTime?  // nil: an instant was named, not a wall-clock time

    init(of civil: CivilTime) { self.init(civil, LocalTime.instants(of: civil)) }
    init(at microseconds: Int64) { self.init(nil, .once(microseconds)) }
    private init(_ civil: CivilTime?, _ instants: LocalTime.Instants) {
        self.civil = civil
        self.instants = instants
    }

    /// In order of time, one or two. A time that did not exist stands for the instant of the change.
    var candidates: [Int64] {
        switch instants {
        case .once(let instant), .never(let instant): [instant]
        case .twice(let earlier, let later): [earlier, later]
        }
    }

    /// Only the instants at which the zone is called `abbreviation`; a skipped time may be called as before or after
    /// the change. nil if there are none.
    func named(_ abbreviation: String) -> Occurrence? {
        func isNamed(at instant: Int64) -> Bool {
            LocalTime.zone(at: instant).abbreviation.lowercased() == abbreviation.lowercased()
        }
        switch instants {
        case .once(let instant): return isNamed(at: instant) ? self : nil
        case .never(let change): return isNamed(at: change - 1) || isNamed(at: change) ? self : nil
        case .twice(let earlier, let later):
            switch (isNamed(at: earlier), isNamed(at: later)) {
            case (true, true): return self
            case (true, false): return Occurrence(civil, .once(earlier))
            case (false, true): return Occurrence(civil, .once(later))
            case (false, false): return nil
            }
        }
    }

    func remark(taking instant: Int64) -> String? {
        guard let civil else { return nil }
        switch instants {
        case .once: return nil
        case .twice(let earlier, _):
            let which = instant == earlier ? "earlier" : "later"
            return "\(civil.clock) existed twice on \(civil.date), the \(which) was taken"
        case .never: return "\(civil.clock) did not exist on \(civil.date), the instant of the change was taken"
        }
    }
}

extension ClockTime {
    /// The last instant, up to and including `limit`, at which local clocks showed this time of day.
    func last(notAfter limit: Int64) -> (instant: Int64, of: Occurrence)? {
        occurrences(around: limit).filter { $0.instant <= limit }.max { $0.instant < $1.instant }
    }

    /// The first instant after `limit` at which local clocks show this time of day.
    func first(after limit: Int64) -> (instant: Int64, of: Occurrence)? {
        occurrences(around: limit).filter { $0.instant > limit }.min { $0.instant < $1.instant }
    }

    /// Two days each way: clocks set over midnight may show tomorrow's first minutes before today's last.
    private func occurrences(around instant: Int64) -> [(instant: Int64, of: Occurrence)] {
        let today = LocalTime.civil(at: instant).date
        return (-2...2).flatMap { days in
            let occurrence = Occurrence(of: CivilTime(today.adding(days: days), self))
            return occurrence.candidates.map { (instant: $0, of: occurrence) }
        }
    }
}
