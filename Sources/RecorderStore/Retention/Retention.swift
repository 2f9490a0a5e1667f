/// How long each kind of row is kept, and how large the store may become (docs/decisions/0009-retention.md). Lengths of time
/// in microseconds, over 0; a day is 86,400 s, a year 365.25 days.
package struct Retention: Sendable, Equatable {
    /// Frames and lone values; nil: for ever.
    package var samples: Int64?
    /// Minutes of meters, and the counts of samples; nil: for ever.
    package var minutes: Int64?
    /// Events, links' states, socket errors, losses, parameters' changes; nil: for ever.
    package var events: Int64?
    /// Bytes that the store may take, its write-ahead log included; nil: no limit.
    package var size: Int64?

    package init(samples: Int64?, minutes: Int64?, events: Int64?, size: Int64?) {
        (self.samples, self.minutes, self.events, self.size) = (samples, minutes, events, size)
    }

    package static let day: Int64 = 86_400_000_000
    package static let year: Int64 = 31_557_600_000_000

    /// The least size that can be asked for: below it the write-ahead log and one minute leave no room for samples.
    package static let smallestSize: Int64 = 10_000_000

    /// Samples for 90 days, minutes for 5 years, events for ever, whatever size that takes.
    package static let `default` = Retention(samples: 90 * day, minutes: 5 * year, events: nil, size: nil)

    /// Nothing is ever deleted.
    package static let none = Retention(samples: nil, minutes: nil, events: nil, size: nil)
}
