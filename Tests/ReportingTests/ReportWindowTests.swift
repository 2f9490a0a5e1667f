import Testing

@testable import Reporting
@testable import WallTime

extension TimeSuite {
    @Suite struct ReportWindowTests {
        struct Case: Sendable, CustomTestStringConvertible {
            let now: String
            let since: String?
            let until: String?
            let split: String?
            let expected: String  // of --until or --split, whichever the table is about
            let notes: [String]
            var testDescription: String {
                "now \(now): \(since ?? "-") to \(until ?? "-") at \(split ?? "-")"
            }
        }

        static func until(
            _ now: String, _ since: String?, _ until: String?, is expected: String, _ notes: String...
        ) -> Case {
            Case(now: now, since: since, until: until, split: nil, expected: expected, notes: notes)
        }

        static func split(
            _ now: String, _ since: String?, _ until: String?, at split: String, is expected: String, _ notes: String...
        ) -> Case {
            Case(now: now, since: since, until: until, split: split, expected: expected, notes: notes)
        }

        private static let evening = "2025-10-21T18:02:00-05:00"
        private static let night = "2025-10-22T01:10:00-05:00"
        private static let winter = "2025-11-03T12:00:00-06:00"

        static let untils: [Case] = [
            until(evening, nil, nil, is: "2025-10-21T18:02:00.000-05:00"),
            until(evening, "16:30", "now", is: "2025-10-21T18:02:00.000-05:00"),
            until(evening, "16:30", "17:00", is: "2025-10-21T17:00:00.000-05:00"),
            until(evening, nil, "17:00", is: "2025-10-21T17:00:00.000-05:00"),
            until(evening, "3d", "12:00", is: "2025-10-21T12:00:00.000-05:00"),
            until(evening, "3d", "23:00", is: "2025-10-20T23:00:00.000-05:00"),
            until(evening, "2h", "1h", is: "2025-10-21T17:02:00.000-05:00"),
            until(evening, "@1761082200", "@1761082200.001", is: "2025-10-21T16:30:00.001-05:00"),
            until(evening, "yesterday", "today", is: "2025-10-21T00:00:00.000-05:00"),
            until(evening, "2025-10-19", "2025-10-20", is: "2025-10-20T00:00:00.000-05:00"),
            until(night, "16:30", "23:00", is: "2025-10-21T23:00:00.000-05:00"),
            until(night, "16:30", "01:00", is: "2025-10-22T01:00:00.000-05:00"),
            until(night, "16:30", "01:10", is: "2025-10-22T01:10:00.000-05:00"),
            until(night, "00:30", "16:30", is: "2025-10-22T01:10:00.000-05:00", "16:30:00.000-05:00 lies in"),
            until(night, "16:30", "16:30", is: "2025-10-22T01:10:00.000-05:00", "cut to now"),
            until(night, "yesterday 20:00", "16:30", is: "2025-10-22T01:10:00.000-05:00", "2025-10-22T16:30"),
            until(evening, "16:30", "2025-10-21 23:00", is: "2025-10-21T18:02:00.000-05:00", "cut to now"),
            until(evening, "16:30", "2099-01-01", is: "2025-10-21T18:02:00.000-05:00", "cut to now"),
            until(evening, "16:30", "2025-10-22T01:00:00+02:00", is: "2025-10-21T18:00:00.000-05:00"),
            until(
                winter, "2025-11-02", "2025-11-02 01:30", is: "2025-11-02T01:30:00.000-06:00",
                "--until: 01:30 existed twice on 2025-11-02, the later was taken"),
            until(
                winter, "2025-11-02 01:30", "2025-11-02 01:30", is: "2025-11-02T01:30:00.000-06:00",
                "--since: 01:30 existed twice on 2025-11-02, the earlier was taken",
                "--until: 01:30 existed twice on 2025-11-02, the later was taken"),
            until(winter, "2025-11-02", "2025-11-02 01:30 CDT", is: "2025-11-02T01:30:00.000-05:00"),
            until(
                winter, "2025-03-09", "2025-03-09 02:30", is: "2025-03-09T03:00:00.000-05:00",
                "--until: 02:30 did not exist on 2025-03-09"),
            until(
                "2025-11-02T01:45:00-05:00", "00:30", "2025-11-02 01:30", is: "2025-11-02T01:45:00.000-05:00",
                "the later was taken", "cut to now"),
            // The earlier 01:30 is not after since, the later one is.
            until(
                "2025-11-02T12:00:00-06:00", "2025-11-02 01:40 CDT", "01:30", is: "2025-11-02T01:30:00.000-06:00",
                "the later was taken"),
        ]

        @Test("--until is the instant that its words name, and never after now", arguments: untils)
        func resolvesUntil(_ row: Case) throws {
            let now = try instant(row.now)
            try inZone("America/Chicago") {
                let window = try ReportWindow(since: row.since, until: row.until, split: nil, now: now)
                #expect(LocalTime.iso8601(window.untilMicroseconds) == row.expected)
                expect(window.notes, contain: row.notes)
            }
        }

        static let splits: [Case] = [
            split(evening, nil, nil, at: "16:30", is: "2025-10-21T16:30:00.000-05:00"),
            split(evening, "3d", nil, at: "16:30", is: "2025-10-21T16:30:00.000-05:00"),
            split(evening, "3d", "12:00", at: "16:30", is: "2025-10-20T16:30:00.000-05:00"),
            split(evening, "3d", "16:30", at: "16:30", is: "2025-10-20T16:30:00.000-05:00"),
            split(night, "16:30", nil, at: "23:00", is: "2025-10-21T23:00:00.000-05:00"),
            split(night, "16:30", nil, at: "00:00", is: "2025-10-22T00:00:00.000-05:00"),
            split(night, nil, nil, at: "01:10:00.001", is: "2025-10-21T01:10:00.001-05:00"),
            split(evening, nil, nil, at: "2h", is: "2025-10-21T16:02:00.000-05:00"),
            split(evening, nil, nil, at: "2025-10-21 16:30", is: "2025-10-21T16:30:00.000-05:00"),
            split(evening, "2d", nil, at: "yesterday", is: "2025-10-20T00:00:00.000-05:00"),
            split(evening, nil, nil, at: "@1761082200.5", is: "2025-10-21T16:30:00.500-05:00"),
            split(
                winter, "2025-11-02", nil, at: "2025-11-02 01:30", is: "2025-11-02T01:30:00.000-05:00", "the earlier"),
            split(
                winter, "2025-11-02 01:40 CDT", nil, at: "2025-11-02 01:30", is: "2025-11-02T01:30:00.000-06:00",
                "--split: 01:30 existed twice on 2025-11-02, the later was taken"),
            split(
                winter, "2025-11-02", "2025-11-02 06:00", at: "01:30", is: "2025-11-02T01:30:00.000-06:00",
                "the later was taken"),
            split(winter, "2025-03-09", nil, at: "2025-03-09 02:30", is: "2025-03-09T03:00:00.000-05:00", "not exist"),
        ]

        @Test("--split is the last such instant inside the window", arguments: splits)
        func resolvesSplit(_ row: Case) throws {
            let now = try instant(row.now)
            try inZone("America/Chicago") {
                let window = try ReportWindow(since: row.since, until: row.until, split: row.split, now: now)
                #expect(window.splitMicroseconds.map(LocalTime.iso8601) == row.expected)
                expect(window.notes, contain: row.notes)
            }
        }

        @Test("an --until at a midnight that comes twice is the later of the two")
        func midnightTwice() throws {
            let now = try instant("2025-11-03T12:00:00-05:00")
            try inZone("America/Havana") {
                let window = try ReportWindow(since: "2025-11-01", until: "yesterday", split: nil, now: now)
                #expect(LocalTime.iso8601(window.untilMicroseconds) == "2025-11-02T00:00:00.000-05:00")
                expect(window.notes, contain: ["00:00 existed twice on 2025-11-02, the later was taken"])
            }
        }

        struct Refusal: Sendable {
            let since, until, split: String?
            let kind: TimeExpressionError.Kind
            let flag: String
            let says: String
            init(
                since: String? = nil, until: String? = nil, split: String? = nil, _ kind: TimeExpressionError.Kind,
                _ flag: String, _ says: String
            ) {
                (self.since, self.until, self.split) = (since, until, split)
                (self.kind, self.flag, self.says) = (kind, flag, says)
            }
        }

        /// Now is 2025-10-21 18:02:00.000 in Chicago.
        static let refusals: [Refusal] = [
            Refusal(since: "2025-10-21 18:02:00.001", .inFuture, "--since", "now is 2025-10-21T18:02:00.000-05:00"),
            Refusal(since: "2099-01-01", .inFuture, "--since", "lies in the future"),
            Refusal(since: "today 20:00", .inFuture, "--since", "Give a time before now"),
            Refusal(since: "now", .emptyWindow, "--since", "is not before now"),
            Refusal(since: "0s", .emptyWindow, "--since", "is not before now"),
            Refusal(since: "18:02", .emptyWindow, "--since", "is not before now"),
            Refusal(since: "now", until: "2099-01-01", .emptyWindow, "--until", "what --since says"),
            Refusal(since: "today", until: "yesterday", .emptyWindow, "--until", "is not after 2025-10-21T00:00"),
            Refusal(since: "1h", until: "2h", .emptyWindow, "--until", "what --since says"),
            Refusal(since: "2025-10-21", until: "2025-10-21", .emptyWindow, "--until", "a later --until"),
            Refusal(until: "2025-10-20", .emptyWindow, "--until", "24 hours ago, as no --since was given"),
            Refusal(since: "17:00", split: "16:30", .splitOutsideWindow, "--split", "2025-10-21T17:00:00.000-05:00 to"),
            Refusal(since: "16:30", split: "16:30", .splitOutsideWindow, "--split", "not lie inside"),
            Refusal(split: "now", .splitOutsideWindow, "--split", "not lie inside"),
            Refusal(split: "2025-10-22", .splitOutsideWindow, "--split", "between --since and --until"),
            Refusal(split: "2d", .splitOutsideWindow, "--split", "2025-10-20T18:02:00.000-05:00 to"),
            Refusal(since: "25:00", .outOfRange, "--since", "hours go from 00 to 23"),
            Refusal(until: "soon", .notUnderstood, "--until", "'soon'"),
            Refusal(since: "2099-01-01", split: "soon", .notUnderstood, "--split", "'soon'"),
            Refusal(since: "100000d", .outOfRange, "--since", "1970 to 9999"),
            Refusal(until: "100000d", .outOfRange, "--until", "1970 to 9999"),
            Refusal(since: "2025-10-21 16:30 CST", .notUnderstood, "--since", "called CDT then"),
            Refusal(since: "2025-11-02 01:30 EST", .notUnderstood, "--since", "called CDT or CST then"),
            Refusal(since: "1969-12-31 17:59:59", .outOfRange, "--since", "1970 to 9999"),
            Refusal(until: "9999-12-31 23:59:59", .outOfRange, "--until", "1970 to 9999"),
        ]

        @Test("a window that cannot be is refused by the flag at fault, with the forms that work", arguments: refusals)
        func refusing(_ row: Refusal) throws {
            let now = try instant(Self.evening)
            inZone("America/Chicago") {
                let error = #expect(throws: TimeExpressionError.self) {
                    try ReportWindow(since: row.since, until: row.until, split: row.split, now: now)
                }
                #expect(error?.kind == row.kind && error?.flag == row.flag)
                let description = error?.description ?? ""
                #expect(description.contains(row.says), "\(description)")
                #expect(description.contains(TimeExpression.forms), "\(description)")
            }
        }

        private func expect(_ notes: [String], contain parts: [String]) {
            #expect(notes.count == parts.count, "\(notes)")
            for (note, part) in zip(notes, parts) { #expect(note.contains(part)) }
        }
    }
}
