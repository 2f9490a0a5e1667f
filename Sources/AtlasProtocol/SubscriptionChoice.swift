/// Which of a unit's parameters are asked for.
package struct SubscriptionChoice: Sendable, Equatable {
    package static let everything = SubscriptionChoice()

    /// Names of parameters; `*` stands for anything, nothing included. nil: all of `Subscription.everything`.
    package let patterns: [String]?
    /// Whether meters are among them.
    package let meters: Bool

    package init(patterns: [String]? = nil, meters: Bool = true) { (self.patterns, self.meters) = (patterns, meters) }

    /// What to ask for, in the order of `Subscription.everything`.
    package var messages: [[Subscription]] {
        guard self != .everything else { return Subscription.everything }
        return Subscription.everything.map { $0.filter(includes) }.filter { !$0.isEmpty }
    }

    /// Whether this unit's meters are recorded at all.
    package var hasMeters: Bool {
        meters && (patterns == nil || messages.contains { $0.contains { Meter(name: $0.name) != nil } })
    }

    private func includes(_ subscription: Subscription) -> Bool {
        guard meters || Meter(name: subscription.name) == nil else { return false }
        return patterns?.contains { Self.matches(subscription.name, $0) } ?? true
    }

    /// Whether a name that a unit may have is what this pattern means.
    package static func matches(_ name: String, _ pattern: String) -> Bool {
        let parts = pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        guard parts.count > 1 else { return name == pattern }
        var rest = Array(name.utf8)[...]
        guard rest.starts(with: parts[0]) else { return false }
        rest = rest.dropFirst(parts[0].count)
        // The first place that fits leaves the most to what follows.
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        let last = parts[parts.count - 1]
        return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
    }
}
