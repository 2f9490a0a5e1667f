import AtlasProtocol
import RecorderStore

/// One meter over the window, in columns of time (reports/trend.sql), and what somebody changed at its channel.
struct MeterTrend: Sendable, Equatable {
    /// Weighted by time; in dB, times in microseconds since 1970 UTC. Of a column nothing of which is known there is none.
    struct Column: Sendable, Equatable {
        let start, end: Int64
        let low, high, mean: Double
        let silentSeconds, seconds: Double
        /// Silence is what there was for more than half of the time that is known.
        var isSilent: Bool { silentSeconds * 2 > seconds }
    }
    struct Change: Sendable, Equatable {
        enum Kind: Sendable { case gain, mute }
        let kind: Kind
        let at: Int64
        /// In words: `-12 dB`, `on`.
        let value, previous: String
    }

    let processor: String
    /// The device's name, `ZoneMeter_0`.
    let meter: String
    /// What the unit called it, one name after the other.
    var labels: [String] = []
    var columns: [Column] = []
    var changes: [Change] = []

    var isSilentAllAlong: Bool { columns.allSatisfy { $0.high <= -80 } }

    /// The columns in rows of this length, which is a multiple of a column's.
    func summed(by length: Int64) -> [Column] {
        var result: [Column] = []
        for column in columns {
            let start = column.start / length * length
            guard let last = result.last, last.start == start else {
                result.append(
                    Column(
                        start: start, end: start + length, low: column.low, high: column.high, mean: column.mean,
                        silentSeconds: column.silentSeconds, seconds: column.seconds))
                continue
            }
            result[result.count - 1] = last.adding(column)
        }
        return result
    }

    /// All of the window in one; nil: nothing is known.
    var total: Column? { columns.dropFirst().reduce(columns.first) { $0?.adding($1) } }

    /// Asks the store: each meter of which anything is known, zones first.
    static func all(in store: StoreReader, _ question: Question, columns: Int) throws(StoreError) -> [MeterTrend] {
        let table = try Report.compiledIn("trend").run(on: store, question.asking(cells: columns))
        var trends: [MeterTrend] = []
        // By place, not by name: there are thousands of rows.
        let names = [
            "processor", "meter", "label", "start_us", "end_us", "low_db", "high_db", "mean_db", "silent_seconds",
            "seconds",
        ]
        let place = names.map { table.columns.firstIndex(of: $0) ?? 0 }
        for row in table.rows {
            guard case .text(let processor) = row[place[0]], case .text(let meter) = row[place[1]],
                case .integer(let start) = row[place[3]], case .integer(let end) = row[place[4]]
            else { continue }
            if trends.last.map({ $0.meter != meter || $0.processor != processor }) ?? true {
                trends.append(MeterTrend(processor: processor, meter: meter))
            }
            let last = trends.count - 1
            if case .text(let label) = row[place[2]], trends[last].labels.last != label {
                trends[last].labels.append(label)
            }
            let values = place[5...].map { row[$0].double ?? 0 }
            trends[last].columns.append(
                Column(
                    start: start, end: end, low: values[0], high: values[1], mean: values[2],
                    silentSeconds: values[3], seconds: values[4]))
        }
        try addChanges(to: &trends, store, question)
        return trends.enumerated().sorted {
            let (first, second) = ($0.element, $1.element)
            return (first.processor, first.family, $0.offset) < (second.processor, second.family, $1.offset)
        }.map(\.element)
    }

    var family: Int { ChannelFamily.inReadingOrder.firstIndex { meter.hasPrefix($0.prefix) } ?? 4 }

    private static func addChanges(
        to trends: inout [MeterTrend], _ store: StoreReader, _ question: Question
    ) throws(StoreError) {
        var places: [String: Int] = [:]
        for (place, trend) in trends.enumerated() { places[trend.processor + "\0" + trend.meter] = place }
        let table = try Report.compiledIn("changes").run(on: store, question)
        for row in table.rows.indices.map({ Row(table: table, row: $0) }) {
            guard let processor = row.text("processor"), let parameter = row.text("parameter"),
                let (kind, meter) = channel(of: parameter), let at = row.integer("at_us"),
                let place = places[processor + "\0" + meter]
            else { continue }
            trends[place].changes.append(
                Change(kind: kind, at: at, value: row.text("value") ?? "", previous: row.text("previous") ?? ""))
        }
    }

    /// `ZoneGain_3` is a gain of the channel that `ZoneMeter_3` measures.
    private static func channel(of parameter: String) -> (Change.Kind, meter: String)? {
        for family in ChannelFamily.allCases.map(\.prefix) {
            for (word, kind) in [("Gain_", Change.Kind.gain), ("Mute_", .mute)]
            where parameter.hasPrefix(family + word) {
                return (kind, "\(family)Meter_\(parameter.dropFirst(family.count + word.count))")
            }
        }
        return nil
    }
}

extension MeterTrend.Column {
    fileprivate func adding(_ other: Self) -> Self {
        let time = seconds + other.seconds
        return Self(
            start: start, end: max(end, other.end), low: min(low, other.low), high: max(high, other.high),
            mean: time > 0 ? (mean * seconds + other.mean * other.seconds) / time : mean,
            silentSeconds: silentSeconds + other.silentSeconds, seconds: time)
    }
}

extension SQLValue {
    fileprivate var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .real(let value): value
        case .null, .text: nil
        }
    }
}

/// A level for people: a tenth of a dB.
enum Decibel {
    static func text(_ value: Double) -> String {
        let tenths = Int((min(max(value, -10_000), 10_000) * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }
}
