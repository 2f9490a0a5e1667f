import Foundation
import Testing

@testable import RecorderStore
@testable import Reporting

@Suite struct MeterTrendTests {
    /// Two days and a half of three meters, counted from 16:30 UTC on: one always moves, one is silent but for an hour, one is
    /// not known now and then.
    private func store() throws -> HandMadeStore {
        let store = try HandMadeStore(["Main Bar", "Patio"])
        let (begin, minutes) = (HandMadeStore.begin, 3_600)
        try store.run(
            """
            INSERT INTO meter (id, processor_id, slot, name) VALUES
                (1, 1, 1, 'ZoneMeter_0'), (2, 1, 2, 'SourceMeter_0'), (3, 2, 1, 'ZoneMeter_0'), (4, 1, 3, 'ZoneMeter_1');
            INSERT INTO meter_label (processor_id, meter, from_us, label) VALUES
                (1, 'ZoneMeter_0', \(begin), 'Bar'), (1, 'ZoneMeter_0', \(begin + 90_000_000_000), 'Front Bar');
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < \(minutes - 1)),
            v(meter, i, low, high, mean, known) AS (
                SELECT 1, i, -300 - i % 97, -100 - i % 31, -205 - i % 53, 60000000 FROM n
                UNION ALL SELECT 2, i, -800, CASE WHEN i / 60 = 7 THEN -120 ELSE -800 END,
                                 CASE WHEN i / 60 = 7 THEN -400 ELSE -800 END, 60000000 FROM n
                UNION ALL SELECT 3, i, -10.05, -3.25, -7.5, 1000000 + i % 7 * 9000000 FROM n WHERE i % 500 < 350
                UNION ALL SELECT 4, i, -800, -800, -800, 60000000 FROM n)
            INSERT INTO meter_minute (start_us, meter_id, samples, low, high, level_us, silent_us, known_us, last)
            SELECT \(begin) + i * 60000000, meter, i % 5, low, high, CASE meter WHEN 3 THEN 10.0 ELSE 1 END * mean * known,
                   CASE WHEN mean = -800 THEN known ELSE 0 END, known, high FROM v;
            DELETE FROM minute_coverage;
            INSERT INTO minute_coverage (processor_id, from_us, until_us)
            SELECT id, \(begin), \(begin + Int64(minutes) * 60_000_000) FROM processor;
            INSERT INTO meter_hour (meter_id, start_us, samples, low_db, high_db, level_us, silent_us, known_us)
            SELECT meter_id, start_us / 3600000000 * 3600000000, sum(samples),
                   min(CASE typeof(low) WHEN 'integer' THEN low / 10.0 ELSE low END),
                   max(CASE typeof(high) WHEN 'integer' THEN high / 10.0 ELSE high END),
                   sum(level_us), sum(silent_us), sum(known_us)
              FROM meter_minute
             WHERE start_us / 3600000000 < \(begin + Int64(minutes) * 60_000_000) / 3600000000
             GROUP BY meter_id, start_us / 3600000000;
            """)
        return store
    }

    @Test(
        "every column is what the view of the minutes has in that time",
        arguments: [(0.0, 3_600.0, 60), (0, 86_400, 240), (30, 7_230, 240), (100, 216_000, 60), (5_400, 216_000, 10)])
    func columns(since: Double, until: Double, cells: Int) throws {
        let store = try store()
        let trends = try MeterTrend.all(in: store.reader(), store.question(since, until), columns: cells)
        #expect(trends.map(\.meter) == ["ZoneMeter_0", "ZoneMeter_1", "SourceMeter_0", "ZoneMeter_0"])
        for trend in trends {
            #expect(trend.columns.count <= cells + 1)
            let columns = trend.columns
            #expect(zip(columns, columns.dropFirst()).allSatisfy { $0.end <= $1.start })
            for column in columns {
                let isHours = (column.end - column.start) % 3_600_000_000 == 0
                let grain: Int64 = isHours ? 3_600_000_000 : 60_000_000
                let from = max(column.start, HandMadeStore.at(since) / grain * grain)
                // A minute or an hour that the window cuts counts whole.
                let to = min(column.end, (HandMadeStore.at(until) + grain - 1) / grain * grain)
                let rows = try store.rows(
                    """
                    SELECT min(low_db), max(high_db), sum(mean_db * seconds) / sum(seconds), sum(silent_seconds), sum(seconds)
                      FROM meter_minutes WHERE processor = '\(trend.processor)' AND meter = '\(trend.meter)'
                       AND start_us >= \(from) AND start_us < \(to)
                    """)
                let wanted = rows[0].map { Double($0.plain) ?? .nan }
                let got = [column.low, column.high, column.mean, column.silentSeconds, column.seconds]
                #expect(zip(wanted, got).allSatisfy { abs($0 - $1) < 1e-5 }, "\(trend.meter): \(wanted), \(got)")
            }
        }
    }

    @Test("all of the window is in the columns, and in the rows of the table behind the picture")
    func sums() throws {
        let store = try store()
        for trend in try MeterTrend.all(in: store.reader(), store.question(0, 86_400), columns: 240) {
            let known = trend.columns.reduce(0) { $0 + $1.seconds }
            let wanted = try store.rows(
                """
                SELECT sum(seconds) FROM meter_minutes WHERE processor = '\(trend.processor)' AND meter = '\(trend.meter)'
                   AND start_us < \(HandMadeStore.at(86_400))
                """)
            #expect(abs(known - (Double(wanted[0][0].plain) ?? 0)) < 1e-6)
            let rows = trend.summed(by: 3_600_000_000)
            #expect(rows.count <= 25 && abs(rows.reduce(0) { $0 + $1.seconds } - known) < 1e-6)
            #expect(rows.map(\.low).min() == trend.total?.low && rows.map(\.high).max() == trend.total?.high)
        }
    }

    @Test("a meter has every name it had, and the changes of its own channel")
    func namesAndChanges() throws {
        let store = try store()
        for (at, parameter, value, previous) in [
            (100.0, "ZoneGain_0", "-12", "-18"), (200, "ZoneMute_0", "1", "0"), (300, "SourceMute_0", "0", "1"),
            (400, "ZoneGain_1", "-3", "NULL"), (500, "ZoneGain_01", "-3", "-4"), (600, "ZoneSource_0", "1", "0"),
        ] {
            try store.run(
                """
                INSERT INTO parameter_change (at_us, processor_id, parameter, value, previous)
                VALUES (\(HandMadeStore.at(at)), 1, '\(parameter)', \(value), \(previous))
                """)
        }
        let trends = try MeterTrend.all(in: store.reader(), store.question(0, 100_000, "Main Bar"), columns: 60)
        #expect(trends.map(\.labels) == [["Bar", "Front Bar"], [], []])
        #expect(
            trends[0].changes.map(\.value) == ["-12 dB", "on"]
                && trends[0].changes.map(\.previous) == ["-18 dB", "off"])
        // First known is no change.
        #expect(trends[1].changes.isEmpty)
        #expect(trends[2].changes.map(\.value) == ["off"])
        #expect(trends.map(\.isSilentAllAlong) == [false, true, false])
    }
}
