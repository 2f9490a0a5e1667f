import Testing

@testable import Reporting

extension TimeSuite {
    /// Local days that are an hour longer or shorter than others.
    @Suite struct SummerTimeSummaryTests {
        @Test(
            "a local day across a change of summer time has 25 or 23 hours, all accounted for",
            arguments: [("2025-11-02", "2025-11-03", 25), ("2026-03-08", "2026-03-09", 23)])
        func localDay(since: String, until: String, hours: Int64) throws {
            try inZone("America/Chicago") {
                let window = try ReportWindow(
                    since: since, until: until, split: nil, now: instant("2026-06-01T00:00:00Z"))
                // Down from 01:30 before the change to 03:30 after it, as its clocks show it.
                let down = try instant(hours == 25 ? "2025-11-02T01:30:00-05:00" : "2026-03-08T01:30:00-06:00")
                let up = try instant(hours == 25 ? "2025-11-02T03:30:00-06:00" : "2026-03-08T03:30:00-05:00")
                let store = try HandMadeStore(ended: 100_000_000)
                func seconds(_ instant: Int64) -> Double { Double(instant - HandMadeStore.begin) / 1e6 }
                let before = seconds(down)
                try store.states([
                    ("up", before), ("down:refused", seconds(up) - before), ("up", 50_000_000 - seconds(up)),
                ])
                let question = Question(
                    since: window.sinceMicroseconds, until: window.untilMicroseconds, processor: nil,
                    now: window.untilMicroseconds)
                let summary = try Summary(store.reader(), question)
                let hour: Int64 = 3_600_000_000
                #expect(summary.window == hours * hour && summary.recorded == hours * hour)
                #expect(summary.link().down == (hours == 25 ? 3 : 1) * hour)
                #expect(summary.link().up == summary.window - summary.link().down && summary.link().unknown == 0)
            }
        }
    }
}
