import Glibc
import Testing

@testable import Reporting
@testable import WallTime

extension TimeSuite {
    @Suite struct LocalTimeTests {
        struct Printed: Sendable {
            let zone: String
            let microseconds: Int64
            let text: String
            let iso8601: String
            init(_ zone: String, _ microseconds: Int64, _ text: String, _ iso8601: String) {
                self.zone = zone
                self.microseconds = microseconds
                self.text = text
                self.iso8601 = iso8601
            }
        }

        static let printed = [
            Printed(
                "America/Chicago", 1_761_082_200_000_000,
                "2025-10-21 16:30:00.000 CDT", "2025-10-21T16:30:00.000-05:00"),
            Printed(
                "America/Chicago", 1_764_624_600_999_999,
                "2025-12-01 15:30:00.999 CST", "2025-12-01T15:30:00.999-06:00"),
            Printed("UTC", 1_761_082_200_000_999, "2025-10-21 21:30:00.000 UTC", "2025-10-21T21:30:00.000+00:00"),
            Printed(
                "Asia/Kathmandu", 1_761_082_200_500_000,
                "2025-10-22 03:15:00.500 +0545", "2025-10-22T03:15:00.500+05:45"),
            Printed("UTC", 951_782_400_000_000, "2000-02-29 00:00:00.000 UTC", "2000-02-29T00:00:00.000+00:00"),
            Printed("UTC", -1, "1969-12-31 23:59:59.999 UTC", "1969-12-31T23:59:59.999+00:00"),
            Printed("Africa/Monrovia", 0, "1969-12-31 23:15:30.000 MMT", "1969-12-31T23:15:30.000-00:44:30"),
            Printed("UTC+3", 0, "1969-12-31 21:00:00.000 UTC", "1969-12-31T21:00:00.000-03:00"),
        ]

        @Test("an instant is printed in local time, cut to the millisecond and never rounded up", arguments: printed)
        func printing(_ expected: Printed) {
            inZone(expected.zone) {
                #expect(LocalTime.textWithZone(expected.microseconds) == expected.text)
                #expect(expected.text.hasPrefix(LocalTime.text(expected.microseconds)))
                #expect(LocalTime.iso8601(expected.microseconds) == expected.iso8601)
            }
        }

        @Test("no instant is too far away to be printed", arguments: [Int64.min, Int64.min + 1, -1, Int64.max])
        func extremes(_ microseconds: Int64) {
            inZone("America/Chicago") {
                #expect(!LocalTime.iso8601(microseconds).isEmpty)
                #expect(!LocalTime.textWithZone(microseconds).isEmpty)
            }
        }

        @Test("the zone at an instant has its abbreviation and offset")
        func zone() throws {
            let summer = try instant("2025-11-02T01:30:00-05:00")
            let winter = try instant("2025-11-02T01:30:00-06:00")
            inZone("America/Chicago") {
                #expect(LocalTime.zone(at: summer) == .init(abbreviation: "CDT", offsetSeconds: -18_000))
                #expect(LocalTime.zone(at: winter) == .init(abbreviation: "CST", offsetSeconds: -21_600))
            }
        }

        /// Zone and a change of its clocks, seconds since 1970 UTC.
        static let changes: [(zone: String, at: Int64)] = [
            ("America/Chicago", 1_741_507_200), ("America/Chicago", 1_762_066_800),
            ("Europe/Berlin", 1_743_296_400), ("Europe/Berlin", 1_761_440_400),
            ("Australia/Lord_Howe", 1_743_865_200), ("Australia/Lord_Howe", 1_759_591_800),
            ("America/Santiago", 1_743_908_400), ("America/Santiago", 1_757_217_600),
            ("America/Havana", 1_762_059_600),  // midnight comes twice
            ("America/Goose_Bay", 1_289_098_860),  // 00:01 becomes 23:01 of the day before
            ("Europe/Moscow", 1_414_274_400),  // standard time itself is set back
            ("Pacific/Apia", 1_325_239_200),  // a day is left out
            ("Europe/Dublin", 1_761_440_400),  // winter is the one with tm_isdst 1
            ("UTC", 1_761_440_400), ("Asia/Kathmandu", 1_761_440_400),
        ]

        @Test("each civil time around a change gives all the instants that show it, or the change", arguments: changes)
        func civilToInstants(zone: String, at change: Int64) {
            inZone(zone) {
                // What the clocks show, asked minute by minute over eight days, is the answer to be found again.
                var shown: [CivilTime: [Int64]] = [:]
                for minute in -5_760...5_760 {
                    let microseconds = (change + Int64(minute) * 60) * 1_000_000 + 250_000
                    shown[LocalTime.civil(at: microseconds), default: []].append(microseconds)
                }
                let wall = LocalTime.civil(at: change * 1_000_000).secondsAsUTC
                for minute in -2_880...2_880 {
                    let civil = CivilTime(secondsAsUTC: wall + minute * 60, microsecond: 250_000)
                    let expected: LocalTime.Instants =
                        switch shown[civil] {
                        case .some(let all) where all.count == 2: .twice(earlier: all[0], later: all[1])
                        case .some(let all): .once(all[0])
                        case nil: .never(change: change * 1_000_000)
                        }
                    #expect(LocalTime.instants(of: civil) == expected, "\(civil)")
                }
            }
        }

        @Test("whatever mktime finds with tm_isdst 0 or 1, and localtime_r confirms, is found here", arguments: changes)
        func agreesWithMktime(zone: String, at change: Int64) {
            inZone(zone) {
                let wall = LocalTime.civil(at: change * 1_000_000).secondsAsUTC
                for quarter in -200...200 {
                    let civil = CivilTime(secondsAsUTC: wall + quarter * 900, microsecond: 0)
                    let found = Occurrence(of: civil).candidates
                    for summer: Int32 in [0, 1] {
                        var fields = tm()
                        fields.tm_year = Int32(civil.date.year - 1900)
                        fields.tm_mon = Int32(civil.date.month - 1)
                        fields.tm_mday = Int32(civil.date.day)
                        fields.tm_hour = Int32(civil.clock.hour)
                        fields.tm_min = Int32(civil.clock.minute)
                        fields.tm_isdst = summer
                        let instant = Int64(mktime(&fields)) * 1_000_000
                        if LocalTime.civil(at: instant) == civil { #expect(found.contains(instant), "\(civil)") }
                    }
                }
            }
        }

        @Test("every day of 1600 to 2400 has its number, and the number its day")
        func calendar() {
            var (year, month, day) = (1600, 1, 1)
            var number = CivilDate(year: year, month: month, day: day).daysSince1970
            #expect(number == -135_140)
            while year <= 2400 {
                let date = CivilDate(year: year, month: month, day: day)
                guard date.daysSince1970 == number, CivilDate(daysSince1970: number) == date else {
                    Issue.record("\(date) is not day \(number)")
                    return
                }
                number += 1
                day += 1
                if day > CivilDate.daysIn(month: month, of: year) { (day, month) = (1, month + 1) }
                if month > 12 { (month, year) = (1, year + 1) }
            }
        }
    }
}
