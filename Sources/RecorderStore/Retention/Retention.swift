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

    /// What is other than in `old`, in the configuration's words: `size 20.0 GB -> 20.0 MB, samples forever -> 90d`.
    package func changes(from old: Retention) -> String {
        var words: [String] = []
        func add<Value: Equatable>(_ name: String, _ old: Value, _ new: Value, _ text: (Value) -> String) {
            if new != old { words.append("\(name) \(text(old)) -> \(text(new))") }
        }
        add("size", old.size, size) { $0.map(SizeExpression.text) ?? "any" }
        add("samples", old.samples, samples, Self.text)
        add("minutes", old.minutes, minutes, Self.text)
        add("events", old.events, events, Self.text)
        return words.joined(separator: ", ")
    }

    /// A length of time in the largest unit that it is a whole number of.
    package static func text(_ microseconds: Int64?) -> String {
        guard let microseconds else { return "forever" }
        let units = [(year, "y"), (day, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s")]
        let (length, unit) = units.first { microseconds.isMultiple(of: $0.0) } ?? (1, "us")
        return "\(microseconds / length)\(unit)"
    }
}
