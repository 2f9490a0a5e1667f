import Testing

@testable import Reporting
@testable import WallTime

extension TimeSuite {
    @Suite struct ReportWindowSinceTests {
        struct Case: Sendable, CustomTestStringConvertible {
            let zone: String
            let now: String
            let since: String
            let expected: String
            let note: String?
            var testDescription: String { "\(zone), now \(now): \(since)" }
        }

        /// `--since` as given and the instant it must be, at one moment in one zone; a note where one must be printed.
        static func at(_ now: String, _ zone: String, _ rows: [(String, String, String?)]) -> [Case] {
            rows.map { Case(zone: zone, now: now, since: $0.0, expected: $0.1, note: $0.2) }
        }

        static let forms = at(
            "2025-10-21T18:02:11.250-05:00", "America/Chicago",
            [
                ("16:30", "2025-10-21T16:30:00.000-05:00", nil),
                ("16:30:05", "2025-10-21T16:30:05.000-05:00", nil),
                ("16:30:05.250", "2025-10-21T16:30:05.250-05:00", nil),
                ("9:05", "2025-10-21T09:05:00.000-05:00", nil),
                ("18:02:11.249", "2025-10-21T18:02:11.249-05:00", nil),
                ("18:02:11.251", "2025-10-20T18:02:11.251-05:00", nil),
                ("18:03", "2025-10-20T18:03:00.000-05:00", nil),
                ("2025-10-21", "2025-10-21T00:00:00.000-05:00", nil),
                ("2025-10-20 16:30", "2025-10-20T16:30:00.000-05:00", nil),
                ("2025-10-20 16:30:05", "2025-10-20T16:30:05.000-05:00", nil),
                ("2025-10-20 16:30:05.5", "2025-10-20T16:30:05.500-05:00", nil),
                ("2025-10-20 16:30:05.123999", "2025-10-20T16:30:05.123-05:00", nil),
                ("2025-10-20T16:30", "2025-10-20T16:30:00.000-05:00", nil),
                ("2025-10-20t16:30:05.250", "2025-10-20T16:30:05.250-05:00", nil),
                ("  2025-10-20   16:30  ", "2025-10-20T16:30:00.000-05:00", nil),
                ("2025-10-21T21:30:05Z", "2025-10-21T16:30:05.000-05:00", nil),
                ("2025-10-21T21:30:05+02:00", "2025-10-21T14:30:05.000-05:00", nil),
                ("2025-10-21T21:30:05+0200", "2025-10-21T14:30:05.000-05:00", nil),
                ("2025-10-21 16:30:05.250 -0500", "2025-10-21T16:30:05.250-05:00", nil),
                ("2025-10-21 16:30 CDT", "2025-10-21T16:30:00.000-05:00", nil),
                ("2025-10-21 21:30 UTC", "2025-10-21T16:30:00.000-05:00", nil),
                ("today", "2025-10-21T00:00:00.000-05:00", nil),
                ("yesterday", "2025-10-20T00:00:00.000-05:00", nil),
                ("Yesterday 16:30", "2025-10-20T16:30:00.000-05:00", nil),
                ("today 06:00", "2025-10-21T06:00:00.000-05:00", nil),
                ("90s", "2025-10-21T18:00:41.250-05:00", nil),
                ("15m", "2025-10-21T17:47:11.250-05:00", nil),
                ("2h", "2025-10-21T16:02:11.250-05:00", nil),
                ("3d", "2025-10-18T18:02:11.250-05:00", nil),
                ("1w", "2025-10-14T18:02:11.250-05:00", nil),
                ("2 hours ago", "2025-10-21T16:02:11.250-05:00", nil),
                ("10 minutes ago", "2025-10-21T17:52:11.250-05:00", nil),
                ("1 day ago", "2025-10-20T18:02:11.250-05:00", nil),
                ("-2h", "2025-10-21T16:02:11.250-05:00", nil),
                ("1h30m", "2025-10-21T16:32:11.250-05:00", nil),
                ("@1761082200", "2025-10-21T16:30:00.000-05:00", nil),
                ("@1761082200.5", "2025-10-21T16:30:00.500-05:00", nil),
                ("2024-02-29 12:00", "2024-02-29T12:00:00.000-06:00", nil),
                ("2000-02-29", "2000-02-29T00:00:00.000-06:00", nil),
                ("1970-01-01T00:00:00Z", "1969-12-31T18:00:00.000-06:00", nil),
                ("1969-12-31 18:00:00.000", "1969-12-31T18:00:00.000-06:00", nil),
            ])

        static let midnights =
            at(
                "2025-10-22T01:10:00-05:00", "America/Chicago",
                [
                    ("16:30", "2025-10-21T16:30:00.000-05:00", nil),
                    ("01:09:59", "2025-10-22T01:09:59.000-05:00", nil),
                    ("01:11", "2025-10-21T01:11:00.000-05:00", nil),
                    ("00:00", "2025-10-22T00:00:00.000-05:00", nil),
                    ("23:59:59.999", "2025-10-21T23:59:59.999-05:00", nil),
                    ("today", "2025-10-22T00:00:00.000-05:00", nil),
                    ("yesterday", "2025-10-21T00:00:00.000-05:00", nil),
                ])
            + at(
                "2024-03-01T01:10:00-06:00", "America/Chicago",
                [
                    ("16:30", "2024-02-29T16:30:00.000-06:00", nil),
                    ("yesterday", "2024-02-29T00:00:00.000-06:00", nil),
                    ("1d", "2024-02-29T01:10:00.000-06:00", nil),
                ])
            + at(
                "2025-03-01T01:10:00-06:00", "America/Chicago", [("16:30", "2025-02-28T16:30:00.000-06:00", nil)])
            + at(
                "2025-01-01T01:10:00-06:00", "America/Chicago", [("16:30", "2024-12-31T16:30:00.000-06:00", nil)])
            + at(
                "2025-10-22T01:10:00+05:45", "Asia/Kathmandu",
                [
                    ("16:30", "2025-10-21T16:30:00.000+05:45", nil),
                    ("2025-10-21T16:30Z", "2025-10-21T22:15:00.000+05:45", nil),
                    ("2025-10-21 16:30 +0545", "2025-10-21T16:30:00.000+05:45", nil),
                    ("today", "2025-10-22T00:00:00.000+05:45", nil),
                ])
            + at(
                "2025-10-22T01:10:00Z", "UTC",
                [
                    ("16:30", "2025-10-21T16:30:00.000+00:00", nil),
                    ("2025-10-21 16:30 UTC", "2025-10-21T16:30:00.000+00:00", nil),
                    ("yesterday", "2025-10-21T00:00:00.000+00:00", nil),
                ])

        private static let earlier = "existed twice on 2025-11-02, the earlier was taken"
        private static let later = "existed twice on 2025-11-02, the later was taken"
        private static let skipped = "02:30 did not exist on 2025-03-09, the instant of the change was taken"

        static let summerTime =
            at(
                "2025-11-03T12:00:00-06:00", "America/Chicago",
                [
                    ("2025-11-02 00:59:59", "2025-11-02T00:59:59.000-05:00", nil),
                    ("2025-11-02 01:00", "2025-11-02T01:00:00.000-05:00", "01:00 \(earlier)"),
                    ("2025-11-02 01:30", "2025-11-02T01:30:00.000-05:00", "01:30 \(earlier)"),
                    ("2025-11-02 01:59:59.999", "2025-11-02T01:59:59.999-05:00", "01:59:59.999 \(earlier)"),
                    ("2025-11-02 01:30 CDT", "2025-11-02T01:30:00.000-05:00", nil),
                    ("2025-11-02 01:30 CST", "2025-11-02T01:30:00.000-06:00", nil),
                    ("2025-11-02T01:30-06:00", "2025-11-02T01:30:00.000-06:00", nil),
                    ("2025-11-02 02:00", "2025-11-02T02:00:00.000-06:00", nil),
                    ("2025-03-09 01:59:59", "2025-03-09T01:59:59.000-06:00", nil),
                    ("2025-03-09 02:30", "2025-03-09T03:00:00.000-05:00", skipped),
                    ("2025-03-09 02:30 CST", "2025-03-09T03:00:00.000-05:00", skipped),
                    ("2025-03-09 02:59:59.999", "2025-03-09T03:00:00.000-05:00", "02:59:59.999 did not exist"),
                    ("2025-03-09 03:00", "2025-03-09T03:00:00.000-05:00", nil),
                    ("yesterday 01:30", "2025-11-02T01:30:00.000-05:00", "01:30 \(earlier)"),
                ])
            // A day is 86,400 s, also when the calendar's has 25 or 23 hours.
            + at("2025-11-02T12:00:00-06:00", "America/Chicago", [("1d", "2025-11-01T13:00:00.000-05:00", nil)])
            + at("2025-03-09T12:00:00-05:00", "America/Chicago", [("1d", "2025-03-08T11:00:00.000-06:00", nil)])
            // A bare clock time is the latest not after now, whichever of two that is.
            + at(
                "2025-11-02T01:45:00-05:00", "America/Chicago",
                [("01:30", "2025-11-02T01:30:00.000-05:00", "01:30 \(earlier)")])
            + at(
                "2025-11-02T01:15:00-06:00", "America/Chicago",
                [("01:30", "2025-11-02T01:30:00.000-05:00", "01:30 \(earlier)")])
            + at(
                "2025-11-02T01:45:00-06:00", "America/Chicago",
                [("01:30", "2025-11-02T01:30:00.000-06:00", "01:30 \(later)")])
            + at("2025-03-09T10:00:00-05:00", "America/Chicago", [("02:30", "2025-03-09T03:00:00.000-05:00", skipped)])
            + at("2025-03-10T01:00:00-05:00", "America/Chicago", [("02:30", "2025-03-09T03:00:00.000-05:00", skipped)])

        static let elsewhere =
            at(
                "2025-10-26T12:00:00+01:00", "Europe/Berlin",
                [
                    ("2025-10-26 02:30", "2025-10-26T02:30:00.000+02:00", "the earlier"),
                    ("02:30", "2025-10-26T02:30:00.000+01:00", "the later"),
                    ("2025-10-26 02:30 CET", "2025-10-26T02:30:00.000+01:00", nil),
                    ("2025-03-30 02:15", "2025-03-30T03:00:00.000+02:00", "did not exist"),
                    ("2025-10-26 03:00", "2025-10-26T03:00:00.000+01:00", nil),
                ])
            + at(
                "2025-10-06T12:00:00+11:00", "Australia/Lord_Howe",
                [
                    ("2025-10-05 02:15", "2025-10-05T02:30:00.000+11:00", "did not exist"),
                    ("2025-04-06 01:29:59", "2025-04-06T01:29:59.000+11:00", nil),
                    ("2025-04-06 01:45", "2025-04-06T01:45:00.000+11:00", "the earlier"),
                    ("2025-04-06 01:45 +1030", "2025-04-06T01:45:00.000+10:30", nil),
                    ("2025-04-06 02:00", "2025-04-06T02:00:00.000+10:30", nil),
                ])
            + at(
                "2025-09-07T12:00:00-03:00", "America/Santiago",
                [
                    ("today", "2025-09-07T01:00:00.000-03:00", "00:00 did not exist on 2025-09-07"),
                    ("2025-09-07", "2025-09-07T01:00:00.000-03:00", "00:00 did not exist on 2025-09-07"),
                    ("00:00", "2025-09-07T01:00:00.000-03:00", "00:00 did not exist on 2025-09-07"),
                    ("2025-04-05 23:30", "2025-04-05T23:30:00.000-03:00", "the earlier"),
                ])
            + at(
                "2025-09-08T12:00:00-03:00", "America/Santiago",
                [("yesterday", "2025-09-07T01:00:00.000-03:00", "00:00 did not exist on 2025-09-07")])
            + at("2025-04-06T12:00:00-04:00", "America/Santiago", [("23:30", "2025-04-05T23:30:00.000-04:00", "later")])
            + at("2025-11-02T12:00:00-05:00", "America/Havana", [("today", "2025-11-02T00:00:00.000-04:00", "earlier")])
            // 00:01 of the 7th became 23:01 of the 6th: the 7th's first seconds come before the 6th's last.
            + at(
                "2010-11-06T23:30:00-04:00", "America/Goose_Bay",
                [("0:00:30", "2010-11-07T00:00:30.000-03:00", "00:00:30 existed twice on 2010-11-07, the earlier")])
            + at(
                "2014-10-27T12:00:00+03:00", "Europe/Moscow",
                [
                    ("2014-10-26 01:30", "2014-10-26T01:30:00.000+04:00", "the earlier"),
                    ("2014-10-26 01:30 MSK", "2014-10-26T01:30:00.000+04:00", "the earlier"),
                ])
            + at(
                "2012-01-02T12:00:00+14:00", "Pacific/Apia",
                [("2011-12-30 12:00", "2011-12-31T00:00:00.000+14:00", "did not exist")])
            + at(
                "2025-10-21T18:00:00-03:00", "UTC+3",  // a POSIX TZ: the zone is called UTC and is 3 h west of it
                [
                    ("2025-10-21 16:30 UTC", "2025-10-21T16:30:00.000-03:00", nil),
                    ("2025-10-21 16:30Z", "2025-10-21T13:30:00.000-03:00", nil),
                ])

        @Test("--since is the instant that its words name", arguments: forms + midnights + summerTime + elsewhere)
        func since(_ row: Case) throws {
            let now = try instant(row.now)
            let window = try inZone(row.zone) {
                let window = try ReportWindow(since: row.since, until: nil, split: nil, now: now)
                #expect(LocalTime.iso8601(window.sinceMicroseconds) == row.expected)
                return window
            }
            #expect(window.untilMicroseconds == now)
            #expect(window.splitMicroseconds == nil)
            #expect(window.notes.count == (row.note == nil ? 0 : 1), "\(window.notes)")
            if let note = row.note { #expect(window.notes.allSatisfy { $0.contains(note) }, "\(window.notes)") }
        }

        @Test("fractions are kept to the microsecond")
        func microseconds() throws {
            let now = try instant("2025-10-21T18:00:00-05:00")
            let window = try inZone("America/Chicago") {
                try ReportWindow(since: "16:30:00.123456", until: nil, split: nil, now: now)
            }
            #expect(window.sinceMicroseconds == 1_761_082_200_123_456)
        }

        @Test("without flags the window is the last 24 hours, of elapsed time")
        func defaults() throws {
            let now = try instant("2025-11-02T12:00:00-06:00")
            let window = try inZone("America/Chicago") {
                try ReportWindow(since: nil, until: nil, split: nil, now: now)
            }
            #expect(window.sinceMicroseconds == now - 86_400_000_000)
            #expect(window.untilMicroseconds == now && window.splitMicroseconds == nil && window.notes.isEmpty)
        }

        @Test("a host whose clock starts in 1970 has a window that starts in 1970")
        func clockNotSet() throws {
            let window = try ReportWindow(since: nil, until: nil, split: nil, now: 5_000_000)
            #expect(window.sinceMicroseconds == 0 && window.untilMicroseconds == 5_000_000)
        }
    }
}
