import WallTime

/// How often something was, and in how much recorded time.
struct Tally: Equatable {
    let count: Int64
    /// Microseconds.
    let recorded, window: Int64
    /// The longest time without it, microseconds, at the window's ends too.
    var longestQuiet: Int64 = 0
    /// What began earlier lasted into this time: none may be counted, and it was not over.
    var isCarriedOver = false

    /// In an hour of recorded time; nil where nothing was recorded.
    var perHour: Double? { recorded > 0 ? Double(count) * 3_600e6 / Double(recorded) : nil }
}

/// What the time before a change and the time after it say together. Faults come in bursts, so "none after" proves something
/// only where as long a time without was not seen before, where some would have come at the old rate, and where a recorder
/// was there to see it.
enum Finding: Equatable {
    /// None before, none after.
    case none
    case gone
    /// None began after, but one from before lasted.
    case lingering
    /// None after, but before there was as long a time without: microseconds.
    case tooShort(longestQuiet: Int64)
    /// None after, but so few were to be expected that this may be chance.
    case tooFew(expected: Double)
    /// None after, but less than half of that time was recorded.
    case littleRecorded
    case new, fewer, same, more
    case notRecordedBefore, notRecordedAfter

    /// So many must have been expected for "none" to be an answer: of what comes singly and at random with a mean of 3,
    /// none comes in 5 % of cases.
    static let expectedForProof = 3.0
    /// An error that goes on is one episode while no more than this passes between two, microseconds.
    static let pause: Int64 = 60_000_000

    init(before: Tally, after: Tally) {
        guard let now = after.perHour else {
            self = .notRecordedAfter
            return
        }
        guard let then = before.perHour else {
            self = .notRecordedBefore
            return
        }
        switch (before.count, after.count) {
        case (_, 0) where after.isCarriedOver: self = .lingering
        case (0, 0): self = .none
        case (0, _): self = .new
        case (_, 0):
            let expected = then * Double(after.recorded) / 3_600e6
            let quiet = max(before.longestQuiet, Self.pause)
            if after.recorded < after.window / 2 {
                self = .littleRecorded
            } else if after.recorded <= quiet {
                self = .tooShort(longestQuiet: quiet)
            } else {
                self = expected < Self.expectedForProof ? .tooFew(expected: expected) : .gone
            }
        default:
            guard Self.differ(before, after) else {
                self = .same
                return
            }
            self = now < then ? .fewer : .more
        }
    }

    /// Whether the two rates are further apart than chance alone would put them in 95 % of cases: of all, the share that
    /// fell after is compared with the share of the time, by the binomial distribution's normal approximation.
    private static func differ(_ before: Tally, _ after: Tally) -> Bool {
        let all = Double(before.count + after.count)
        let share = Double(after.recorded) / Double(before.recorded + after.recorded)
        return abs(Double(after.count) - all * share) > 2 * (all * share * (1 - share)).squareRoot()
    }

    /// For a column of a table; empty where there is nothing to say.
    var word: String {
        switch self {
        case .none: ""
        case .gone: "gone"
        case .lingering: "lingers"
        case .tooShort, .tooFew: "too early"
        case .littleRecorded: "no proof"
        case .new: "new"
        case .fewer: "fewer"
        case .same: "as before"
        case .more: "more"
        case .notRecordedBefore, .notRecordedAfter: "unknown"
        }
    }

    /// The answer in words, in pieces between which a line may be broken; the first is the answer.
    func sentence(before: Tally, after: Tally) -> [String] {
        func told(_ tally: Tally, _ side: String) -> String {
            tally.count == 0 ? "none \(side)" : "\(tally.count.grouped) \(side)\(Rate.bracket(tally.perHour))"
        }
        let numbers = ["\(told(before, "before")),", told(after, "after")]
        let then = "\(told(before, "before")),"
        let none = "none in the \(Length.text(after.recorded)) recorded after"
        switch self {
        case .none: return ["none before,", "none after"]
        case .gone:
            return [
                "gone:", then, none, "(before, the longest time without was \(Length.text(before.longestQuiet)))",
            ]
        case .lingering: return ["not over at once:", then, "none after, but a link was still down with it"]
        case .tooShort(let quiet):
            return ["too early to tell:", then, none, "(before, too, up to \(Length.text(quiet)) passed without)"]
        case .tooFew(let expected):
            return [
                "too early to tell:", then, none,
                "(\(Rate.text(expected)) would have come at the old rate,", "3 are wanted for a proof)",
            ]
        case .littleRecorded: return ["no proof:", then, none, "(most of that time was not recorded)"]
        case .new: return ["new:"] + numbers
        case .fewer: return ["still there, fewer an hour:"] + numbers
        case .same: return ["still there, about as many an hour:"] + numbers
        case .more: return ["still there, more an hour:"] + numbers
        case .notRecordedBefore:
            return ["\(told(after, "after"));", "nothing was recorded before", "to compare with"]
        case .notRecordedAfter:
            return ["could not tell:", then, "nothing was recorded after"]
        }
    }
}

/// A rate for people: three digits, so that a small one is not "0".
enum Rate {
    static func text(_ value: Double) -> String {
        if value == 0 { return "0" }
        if value < 0.01 { return "under 0.01" }
        if value >= 99.95 { return Int64(value.rounded()).grouped }
        let digits = value < 9.995 ? 2 : 1
        let scale = digits == 2 ? 100 : 10
        let scaled = Int((value * Double(scale)).rounded())
        var text = "\(scaled / scale).\(zeroPadded(scaled % scale, digits))"
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }

    static func bracket(_ perHour: Double?) -> String { perHour.map { " (\(text($0)) an hour)" } ?? "" }
}
