import WallTime

/// A length of time for people: the two largest units, cut and not rounded, so that 59.9s never reads "1m 0s".
enum Length {
    /// Microseconds, 0 or more.
    static func text(_ microseconds: Int64) -> String {
        let seconds = microseconds / 1_000_000
        if microseconds == 0 { return "0s" }
        if microseconds < 1_000_000 { return "\(max(1, microseconds / 1_000))ms" }
        if seconds < 60 { return "\(seconds).\(microseconds / 100_000 % 10)s" }
        if seconds < 3_600 { return "\(seconds / 60)m \(seconds % 60)s" }
        if seconds < 86_400 { return "\(seconds / 3_600)h \(seconds / 60 % 60)m" }
        return "\(seconds / 86_400)d \(seconds / 3_600 % 24)h"
    }
}

/// A percentage for people: cut to two decimals, so that only 100 reads "100".
package enum Percent {
    package static func text(_ percent: Double) -> String {
        let hundredths = Int((percent * 100).rounded(.down))
        if hundredths == 10_000 { return "100" }
        return "\(hundredths / 100).\(zeroPadded(hundredths % 100, 2))"
    }
}
