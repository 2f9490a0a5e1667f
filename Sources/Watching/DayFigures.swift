import RecorderStore
import Reporting
import WallTime

/// What the store says of today, since the local midnight.
package struct DayFigures: Equatable, Sendable {
    package struct LinkDay: Equatable, Sendable {
        package let uptimePercent: Double?
        package let outages: Int64
        /// Microseconds of today of which it is not known whether it was up.
        package let unknown: Int64
    }
    package struct UnitDay: Equatable, Sendable {
        package var control, meters: LinkDay?
        package let samples, samplesLost, datagramsLost: Int64
    }
    /// An error of a socket: how often today, and when last.
    package struct LastError: Equatable, Sendable {
        package let code, socket, operation: String
        package let count, last: Int64
        /// nil: not of one unit alone.
        package let processor, holder: String?
    }

    package let units: [String: UnitDay]
    /// The latest first.
    package let errors: [LastError]

    /// Microseconds of today that were recorded; nil: all of it. What was not seen is not said to be none.
    package let recorded: Int64?
    /// What became of errors that were in this store; nil: they are all there.
    package let lost: String?

    package init(units: [String: UnitDay], errors: [LastError], recorded: Int64?, lost: String? = nil) {
        (self.units, self.errors, self.recorded, self.lost) = (units, errors, recorded, lost)
    }

    /// Asks the store; `now`: microseconds since 1970 UTC. Throws `StoreError`.
    package init(store: String, processor: String?, now: Int64) throws(StoreError) {
        let question = Question(since: Self.midnight(before: now), until: now, processor: processor, now: now)
        let summary = try Summary(try StoreReader(path: store), question, latestOutages: 1)
        var units: [String: UnitDay] = [:]
        for unit in summary.processors {
            var day = UnitDay(
                control: nil, meters: nil, samples: unit.samples, samplesLost: unit.samplesLost,
                datagramsLost: unit.datagramsLost)
            for link in unit.links {
                let figures = LinkDay(uptimePercent: link.uptimePercent, outages: link.outages, unknown: link.unknown)
                if link.link == "control" { day.control = figures }
                if link.link == "meters" { day.meters = figures }
            }
            units[unit.processor] = day
        }
        let errors = summary.errors.compactMap { error -> LastError? in
            guard error.count > 0, let last = error.last else { return nil }
            return LastError(
                code: error.code, socket: error.socket, operation: error.operation, count: error.count, last: last,
                processor: error.processor, holder: error.holder)
        }
        // A recorder commits each half second: what comes up to now is on its way.
        let isWhole = summary.window - summary.recorded < 2_000_000
        self.init(
            units: units, errors: errors.sorted { $0.last > $1.last }, recorded: isWhole ? nil : summary.recorded,
            lost: summary.errorsLost?.loss)
    }

    /// The day's first instant. `now` at midnight itself: the microsecond before, so that the window is never empty.
    static func midnight(before now: Int64) -> Int64 {
        let midnight =
            switch LocalTime.instants(of: CivilTime(LocalTime.civil(at: now).date, .midnight)) {
            case .once(let instant): instant
            case .twice(let earlier, _): earlier
            case .never(let change): change
            }
        return min(midnight, now - 1)
    }

    func errors(of processor: String) -> [LastError] {
        errors.filter { $0.processor == nil || $0.processor == processor }
    }
}
