import WallTime

extension FeedMessage {
    /// `16:30:00.123  Main Bar  ZoneMeter_0 (Terrace)  -20.1 dB`, as `tail` shows it; nil for what is nothing to show. `meters`:
    /// the decoder's.
    package func text(_ meters: [FeedDecoder.MeterName]) -> String? {
        switch self {
        case .hello, .meter, .status, .unreadable: nil
        case .error(let words): words
        case .missed(let count): "(missed \(count == 0 ? "changes" : "\(count) values"): this reader was too slow)"
        case .value(let meter, let level, let at):
            "\(Self.clock(at))  \(meters[meter].processor)  \(meters[meter].meter)"
                + (meters[meter].label.map { " (\($0))" } ?? "") + "  \(Self.number(level)) dB"
        case .link(let processor, let link, let state, let cause, let since):
            "\(Self.clock(since))  \(processor)  \(link) \(state)" + (cause.map { ": \($0)" } ?? "")
        }
    }

    private static func clock(_ at: Int64) -> Substring { LocalTime.text(at).dropFirst(11) }

    /// As the feed writes it: whole numbers without a point.
    static func number(_ level: Double) -> String {
        level == level.rounded() && abs(level) < 1e15 ? "\(Int64(level))" : "\(level)"
    }
}
