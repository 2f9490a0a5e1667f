import Testing

@testable import Reporting

extension TimeSuite {
    @Suite struct TimeAxisTests {
        @Test(
            "ticks are round local times, midnight is its day, and where the clocks change both are right",
            arguments: [
                (
                    "2025-10-21T15:30:00-05:00", "2025-10-22T01:30:00-05:00",
                    ["16:00", "18:00", "20:00", "22:00", "22 Oct"]
                ),
                (
                    "2025-10-21T16:30:00-05:00", "2025-10-21T16:30:30-05:00",
                    ["16:30:05", "16:30:10", "16:30:15", "16:30:20", "16:30:25"]
                ),
                // 2 November 2025, 02:00: back to 01:00.
                (
                    "2025-11-01T20:00:00-05:00", "2025-11-02T08:00:00-06:00",
                    ["22:00", "2 Nov", "02:00", "04:00", "06:00"]
                ),
                (
                    "2025-10-30T12:00:00-05:00", "2025-11-04T12:00:00-06:00",
                    ["31 Oct", "1 Nov", "2 Nov", "3 Nov", "4 Nov"]
                ),
                (
                    "2025-01-15T00:00:00-06:00", "2026-01-14T00:00:00-06:00",
                    ["Mar 2025", "May 2025", "Jul 2025", "Sep 2025", "Nov 2025", "Jan 2026"]
                ),
            ])
        func ticks(since: String, until: String, labels: [String]) throws {
            let axis = try TimeAxis(since: instant(since), until: instant(until))
            #expect(inZone("CST6CDT,M3.2.0,M11.1.0") { axis.ticks() }.map(\.label) == labels)
        }

        @Test(
            "there are never more than asked for, and never fewer than two in a window of any length",
            arguments: [3, 5, 7])
        func number(most: Int) {
            inZone("CST6CDT,M3.2.0,M11.1.0") {
                var length: Int64 = 10_000_000
                while length < 30 * 365 * 86_400_000_000 {
                    let axis = TimeAxis(since: 1_000_000_007_000_000, until: 1_000_000_007_000_000 + length)
                    let ticks = axis.ticks(most: most)
                    #expect(
                        ticks.count <= most + 1 && ticks.count >= 1, "\(length / 1_000_000) s: \(ticks.map(\.label))")
                    #expect(ticks.allSatisfy { $0.at > axis.since && $0.at < axis.until })
                    length = length * 13 / 10
                }
            }
        }

        @Test("places are thousandths, and what lies outside is at the edge")
        func places() {
            let axis = TimeAxis(since: 1_000, until: 3_000)
            #expect([0, 1_000, 1_001, 2_000, 3_000, 9_000].map(axis.place) == [0, 0, 1, 500, 1_000, 1_000])
            #expect(
                [0, 1, 10, 123, 1_000, -5].map(TimeAxis.percent) == ["0%", "0.1%", "1%", "12.3%", "100%", "-0.5%"])
        }
    }
}
