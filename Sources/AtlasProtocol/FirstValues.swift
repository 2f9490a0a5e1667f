/// Which parameters have yet to tell the value that a unit sends for each subscription. That one says what held when the
/// subscription was made; every later one says that something changed, or of an action, that it fired.
struct FirstValues {
    /// A first value follows the answer to its subscription at once. What comes later than this after the answer has
    /// changed: a unit that sends no first values must not have the first firing taken for one.
    static let limit = Span.seconds(5)

    enum Kind { case first, firstAgain, later }

    /// Until when, by name.
    private var awaited: [String: Instant] = [:]
    /// Names that told a first value before.
    private var told: Set<String> = []

    /// A message with these goes out. Meters come by UDP and tell no first values here.
    mutating func ask(_ subscriptions: [Subscription]) {
        for subscription in subscriptions where Meter(name: subscription.name) == nil {
            awaited[subscription.name] = Instant(microseconds: .max)
        }
    }

    /// The unit took them.
    mutating func accept(_ subscriptions: [Subscription], at now: Instant) {
        for subscription in subscriptions where awaited[subscription.name] != nil {
            awaited[subscription.name] = now + Self.limit
        }
    }

    mutating func refuse(_ subscriptions: [Subscription]) {
        for subscription in subscriptions { awaited[subscription.name] = nil }
    }

    /// Which a value of this parameter is that comes now: the first that this connection tells, the first of another
    /// subscription on the same connection, or a later one.
    mutating func take(_ name: String, at now: Instant) -> Kind {
        guard let until = awaited.removeValue(forKey: name) else { return .later }
        let isNew = told.insert(name).inserted
        return now > until ? .later : isNew ? .first : .firstAgain
    }
}
