import Foundation
import Testing

@testable import RecorderStore

/// What the meters' minutes have to say, by another way than the recorder's: the views' rows of samples and states are
/// lived through once more, one after the other.
struct Replay {
    struct Tally: Equatable, CustomStringConvertible {
        var samples = 0
        var low = Double.infinity
        var high = -Double.infinity
        var sum = 0.0  // dB times microseconds
        var silent: Int64 = 0
        var known: Int64 = 0

        var mean: Double { sum / Double(known) }
        var isEmpty: Bool { samples == 0 && known == 0 }
        var description: String { "\(samples) \(low) \(mean) \(high) \(silent) \(known)" }

        mutating func add(_ other: Tally) {
            samples += other.samples
            (low, high, sum) = (min(low, other.low), max(high, other.high), sum + other.sum)
            (silent, known) = (silent + other.silent, known + other.known)
        }
    }
    struct Key: Hashable {
        let processor, meter: String
    }
    /// A value that was known for so long.
    private struct Held {
        let from, until: Int64
        let level: Double
    }
    private struct State {
        let from, until: Int64
        let state, cause: String
        var isUp: Bool { state == "up" }
    }

    private var held: [Key: [Held]] = [:]
    private var samples: [Key: [(at: Int64, level: Double)]] = [:]
    private var states: [String: [State]] = [:]

    /// Reads a store whose last heartbeat lies in the past: the views end there.
    init(_ path: String) throws {
        for row in try rows(
            path,
            """
            SELECT processor, state, coalesce(cause, ''), started_us, coalesce(ended_us, \(Int64.max)) FROM link_states
             WHERE link = 'meters' ORDER BY processor, started_us
            """)
        {
            states[row[0].shown, default: []].append(
                State(from: row[3].whole, until: row[4].whole, state: row[1].shown, cause: row[2].shown))
        }
        let levels = "level_db BETWEEN -1000 AND 1000"  // an older version stored more
        for row in try rows(
            path, "SELECT processor, meter, at_us, level_db FROM meter_samples WHERE \(levels) ORDER BY at_us")
        {
            let key = Key(processor: row[0].shown, meter: row[1].shown)
            samples[key, default: []].append((row[2].whole, row[3].real ?? .nan))
        }
        for (key, list) in samples { held[key] = live(list, states[key.processor] ?? []) }
    }

    /// One meter's life. `value` is what is known of it now; `next` what came while the link was not up.
    private func live(_ samples: [(at: Int64, level: Double)], _ states: [State]) -> [Held] {
        var result: [Held] = []
        var value: Double?
        var next: (at: Int64, level: Double)?
        var (index, since) = (0, Int64(0))
        for state in states {
            if state.isUp {
                if let arrived = next, state.from - arrived.at <= 1_000_000 { value = arrived.level }
                (next, since) = (nil, state.from)
            } else if state.cause != "clock_step" {
                value = nil
            }
            while index < samples.count, samples[index].at < state.until {
                let sample = samples[index]
                index += 1
                guard sample.at >= state.from else { continue }
                guard state.isUp else {
                    next = sample
                    continue
                }
                if let value { result.append(Held(from: since, until: sample.at, level: value)) }
                (value, since) = (sample.level, sample.at)
            }
            if state.isUp, let value { result.append(Held(from: since, until: state.until, level: value)) }
        }
        return result
    }

    /// Whether the minute is any part of time that somebody recorded, or of the second before the link was up.
    private func isRecorded(_ processor: String, minute start: Int64) -> Bool {
        (states[processor] ?? []).contains { state in
            state.state != "unknown" && state.until > start
                && state.from - (state.isUp ? 1_000_000 : 0) < start + minute
        }
    }

    func tally(_ key: Key, from: Int64, until: Int64) -> Tally {
        var tally = Tally()
        for held in held[key] ?? [] where held.until > from && held.from < until {
            let time = min(held.until, until) - max(held.from, from)
            guard time > 0 else { continue }
            tally.known += time
            if held.level == -80 { tally.silent += time }
            tally.sum += held.level * Double(time)
            (tally.low, tally.high) = (min(tally.low, held.level), max(tally.high, held.level))
        }
        for sample in samples[key] ?? [] where sample.at >= from && sample.at < until {
            if isRecorded(key.processor, minute: sample.at / minute * minute) { tally.samples += 1 }
        }
        return tally
    }

    var keys: [Key] { samples.keys.sorted { ($0.processor, $0.meter) < ($1.processor, $1.meter) } }

    /// Every minute of every meter, as the view has to show them until each unit's end.
    func minutes(until ends: [String: Int64]) -> [Key: [Int64: Tally]] {
        var result: [Key: [Int64: Tally]] = [:]
        for key in keys {
            let end = ends[key.processor] ?? .min
            var starts = Set((samples[key] ?? []).map { $0.at / minute * minute })
            for held in held[key] ?? [] where held.until > held.from {
                var start = held.from / minute * minute
                while start < min(held.until, end) {
                    starts.insert(start)
                    start += minute
                }
            }
            for start in starts where start < end {
                let tally = tally(key, from: start, until: start + minute)
                if !tally.isEmpty { result[key, default: [:]][start] = tally }
            }
        }
        return result
    }
}

extension SQLValue {
    var whole: Int64 { if case .integer(let value) = self { value } else { .min } }
}

extension Replay.Tally {
    /// From samples, low, mean, high, silent seconds and seconds of a view or a report.
    init(_ row: ArraySlice<SQLValue>) {
        let row = Array(row)
        samples = Int(row[0].whole)
        low = row[1].real ?? .infinity
        high = row[3].real ?? -.infinity
        silent = Int64(((row[4].real ?? 0) * 1e6).rounded())
        known = Int64(((row[5].real ?? 0) * 1e6).rounded())
        sum = (row[2].real ?? 0) * Double(known)
    }

    /// The same but for what summing in another order makes of a mean.
    func agrees(with other: Self, within error: Double = 1e-9) -> Bool {
        (samples, low, high, silent, known) == (other.samples, other.low, other.high, other.silent, other.known)
            && (known == 0 || abs(mean - other.mean) <= error * max(1, abs(mean)))
    }
}

/// Compares the views `meter_minutes` and `meter_hours` with the replay. They have to go up to `end` at least; when the
/// clock was set back, a minute may be there that ended later.
func expectMinutes(_ path: String, until end: Int64, _ place: Comment) throws {
    var ends: [String: Int64] = [:]
    for row in try rows(path, "SELECT name, until_us FROM minute_coverage JOIN processor ON id = processor_id") {
        ends[row[0].shown] = row[1].whole
        #expect(row[1].whole >= end / minute * minute, place)
    }
    let wanted = try Replay(path).minutes(until: ends)
    let columns = "processor, meter, start_us, samples, low_db, mean_db, high_db, silent_seconds, seconds"
    var hours: [Replay.Key: [Int64: Replay.Tally]] = [:]
    for (key, minutes) in wanted {
        for (start, tally) in minutes { hours[key, default: [:]][start / hour * hour, default: .init()].add(tally) }
    }
    for (view, wanted) in [("meter_minutes", wanted), ("meter_hours", hours)] {
        var rest = wanted
        for row in try rows(path, "SELECT \(columns) FROM \(view)") {
            let key = Replay.Key(processor: row[0].shown, meter: row[1].shown)
            let found = Replay.Tally(row[3...])
            guard let tally = rest[key]?.removeValue(forKey: row[2].whole) else {
                Issue.record("\(view) \(key) \((row[2].whole - start) / second) s: nobody expects \(found). \(place)")
                continue
            }
            if !found.agrees(with: tally) {
                Issue.record("\(view) \(key) \((row[2].whole - start) / second) s: \(found), not \(tally). \(place)")
            }
        }
        for (key, minutes) in rest {
            for (time, tally) in minutes {
                Issue.record("\(view) \(key) \((time - start) / second) s is missing: \(tally). \(place)")
            }
        }
    }
}

/// What `reports/levels.sql` answers.
func levels(_ path: String, _ since: Int64, _ until: Int64, processor: String? = nil) throws -> [Replay.Key: Replay
    .Tally]
{
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "reports/levels.sql")
    let table = try StoreReader(path: path).query(
        String(contentsOf: file, encoding: .utf8),
        [":since_us": .integer(since), ":until_us": .integer(until), ":processor": .text(processor)])
    #expect(
        table.columns == [
            "processor", "meter", "label", "samples", "low_db", "mean_db", "high_db", "silent_seconds", "seconds",
        ])
    return Dictionary(
        uniqueKeysWithValues: table.rows.map {
            (Replay.Key(processor: $0[0].shown, meter: $0[1].shown), Replay.Tally($0[3...]))
        })
}
