import AtlasProtocol

/// What a unit is asked for.
extension Settings {
    static func subscriptions(_ unit: inout TableReader) -> SubscriptionChoice {
        let patterns = unit.texts("subscriptions", example: "ZoneMeter_*", refusing: fault(ofPattern:))
        let choice = SubscriptionChoice(patterns: patterns, meters: unit.flag("meters") ?? true)
        if unit.faults.isEmpty, choice.messages.isEmpty {
            unit.refuse(
                "meters", "leaves nothing to subscribe to: subscriptions has only meters; leave one of the two out")
        }
        return choice
    }

    private static let names = Array(Set(Subscription.everything.flatMap { $0.map(\.name) })).sorted()

    /// Without its number, for `ZoneMeter_*`.
    private static let stems = Set(names.compactMap { name in name.lastIndex(of: "_").map { "\(name[...$0])*" } })
        .sorted()

    private static func fault(ofPattern pattern: String) -> String? {
        guard !names.contains(where: { SubscriptionChoice.matches($0, pattern) }) else { return nil }
        // A number that no unit has.
        let stem = pattern.lastIndex(of: "_").map { "\(pattern[...$0])*" }
        let meant =
            stems.first { $0 == stem }
            ?? Guess.of(pattern, among: pattern.contains("*") ? stems : names) ?? Guess.of(pattern, among: stems)
        let advice = meant.map { "Did you mean '\($0)'?" } ?? "For example: ZoneMeter_*"
        return "no unit has a parameter '\(pattern)'. \(advice)"
    }
}
