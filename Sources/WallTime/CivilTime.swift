/// A day of the proleptic Gregorian calendar, in no zone yet.
package struct CivilDate: Sendable, Hashable, CustomStringConvertible {
    package let year: Int
    package let month: Int  // 1...12
    package let day: Int  // 1...31

    package init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date so many days after 1970-01-01. Eras of 400 years, years from March, so that the leap day comes last.
    package init(daysSince1970 days: Int) {
        let shifted = days + 719_468  // days from 0000-03-01
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    package var daysSince1970: Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package func adding(days: Int) -> CivilDate { CivilDate(daysSince1970: daysSince1970 + days) }

    package static func daysIn(month: Int, of year: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    package var description: String { "\(zeroPadded(year, 4))-\(zeroPadded(month, 2))-\(zeroPadded(day, 2))" }
}

/// A time of day as a wall clock shows it; no leap seconds.
package struct ClockTime: Sendable, Hashable, CustomStringConvertible {
    package let hour: Int  // 0...23
    package let minute: Int  // 0...59
    package let second: Int  // 0...59
    package let microsecond: Int  // 0...999_999

    package static let midnight = ClockTime(hour: 0, minute: 0)

    package init(hour: Int, minute: Int, second: Int = 0, microsecond: Int = 0) {
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
    }

    /// Seconds since midnight on the clock's face, without the fraction.
    package var secondOfDay: Int { hour * 3_600 + minute * 60 + second }

    /// As short as it was probably typed: `16:30`, `16:30:05`, `16:30:05.250`.
    package var description: String {
        let short = "\(zeroPadded(hour, 2)):\(zeroPadded(minute, 2))"
        if microsecond > 0 {
            let isWhole = microsecond.isMultiple(of: 1_000)  // milliseconds
            let fraction = isWhole ? zeroPadded(microsecond / 1_000, 3) : zeroPadded(microsecond, 6)
            return "\(short):\(zeroPadded(second, 2)).\(fraction)"
        }
        return second > 0 ? "\(short):\(zeroPadded(second, 2))" : short
    }
}

/// What calendar and wall clock show together. Which instants that is, only a zone can say: `LocalTime.instants(of:)`.
package struct CivilTime: Sendable, Hashable {
    package let date: CivilDate
    package let clock: ClockTime

    package init(_ date: CivilDate, _ clock: ClockTime) {
        self.date = date
        self.clock = clock
    }

    /// Seconds since 1970 if the zone were UTC.
    package var secondsAsUTC: Int { date.daysSince1970 * 86_400 + clock.secondOfDay }

    package init(secondsAsUTC seconds: Int, microsecond: Int) {
        let (day, second) = flooredDivision(seconds, by: 86_400)
        date = CivilDate(daysSince1970: day)
        clock = ClockTime(
            hour: second / 3_600, minute: second / 60 % 60, second: second % 60, microsecond: microsecond)
    }
}

/// Quotient rounded down and the remainder, 0 or more: the division that clocks need before 1970.
package func flooredDivision(_ dividend: Int, by divisor: Int) -> (quotient: Int, remainder: Int) {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

/// At least `width` digits, zeros in front; the sign of a negative number comes before them.
package func zeroPadded(_ number: Int, _ width: Int) -> String {
    let digits = String(number.magnitude)
    return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
}
