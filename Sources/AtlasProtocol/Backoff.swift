/// How long to wait before the next attempt: at once after a connection that worked, then 0.5, 1, 2, 4, 5, 5, … s with
/// 20 % jitter, for ever. A longer wait would lengthen the outages that we report; only a unit that accepts and closes
/// at once is left alone for up to 30 s, because it leaks connections.
package struct Backoff: Sendable {
    private var failures = 0
    private var isFirst = true
    private var random: SplitMix64

    package init(seed: UInt64) { random = SplitMix64(state: seed) }

    package mutating func reset() { (failures, isFirst) = (0, true) }

    /// True once, until `reset`: the first attempt after a connection that answered comes at once.
    package mutating func takeFirst() -> Bool {
        defer { isFirst = false }
        return isFirst && failures == 0
    }

    /// The wait after one more failure. `accepted`: the unit took the connection and closed it without an answer.
    package mutating func next(accepted: Bool) -> Span {
        let ceiling: Int64 = accepted ? 30_000_000 : 5_000_000
        let base = min(500_000 << Int64(min(failures, 6)), ceiling)
        failures += 1
        let fifth = base / 5
        let wait = base - fifth + Int64(random.next() % UInt64(2 * fifth + 1))
        return Span(microseconds: min(wait, ceiling))
    }
}

/// A small seeded generator (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64
    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
