/// One meter in one minute: the value that holds now, and the sums over what it held before. Whole tenths of a dB are summed
/// as integers, so that a sum does not depend on its order.
struct MeterCount {
    /// The value's character (`LevelCode`); `.exact`: `exact` holds it, in dB; `.none`: there is none.
    private(set) var code = LevelCode.none
    private(set) var exact = 0.0
    private(set) var chain: Int32 = 0
    /// Since when it holds, microseconds since 1970 UTC.
    private var since: Int64 = 0

    var samples: Int64 = 0
    private(set) var low = Double.infinity
    private(set) var high = -Double.infinity
    private(set) var silent: Int64 = 0
    private(set) var known: Int64 = 0
    private var tenths: Int64 = 0  // times microseconds
    private var exactTenths = 0.0
    private var hasExact = false

    /// What `meter_minute.level_us` holds: tenths of dB times microseconds.
    var level: SQLValue { hasExact ? .real(Double(tenths) + exactTenths) : .integer(tenths) }

    /// From `time` on this value holds.
    mutating func set(_ code: UInt16, _ exact: Double, chain: Int32, at time: Int64) {
        (self.code, self.exact, self.chain, since) = (code, exact, chain, time)
    }

    /// The hot path, for a minute in which the link is up throughout.
    @inline(__always)
    mutating func take(_ code: UInt16, _ exact: Double, at time: Int64, chain: Int32) {
        samples += 1
        if code == self.code, code != LevelCode.exact { return }
        hold(from: since, until: time)
        set(code, exact, chain: chain, at: time)
    }

    /// A value in a minute that is not up throughout, whose `chain` is nil if the link was not up, nor right after: then it
    /// neither holds nor ends what held.
    @inline(__always)
    mutating func take(_ code: UInt16, _ exact: Double, at time: Int64, chain: Int32?, _ upTime: UpTime) {
        if time >= upTime.start { samples += 1 }
        guard let chain else { return }
        // The same value again goes on holding; its end is what counts.
        if code == self.code, chain == self.chain, code != LevelCode.exact { return }
        hold(until: time, upTime)
        set(code, exact, chain: chain, at: time)
    }

    /// The value held for all of this time.
    @inline(__always)
    mutating func hold(from start: Int64, until end: Int64) {
        let time = end - start
        guard code != LevelCode.none, time > 0 else { return }
        let level: Double
        if code == LevelCode.exact {
            level = exact
            hasExact = true
            exactTenths += exact * 10 * Double(time)
        } else {
            let whole = LevelCode.tenths(code)
            level = Double(whole) / 10
            tenths += whole * time
            if code == LevelCode.silence { silent += time }
        }
        low = min(low, level)
        high = max(high, level)
        known += time
    }

    /// The value held until `end`, as far as the link was up.
    mutating func hold(until end: Int64, _ upTime: UpTime) {
        guard code != LevelCode.none else { return }
        for stretch in upTime.stretches where stretch.chain == chain && stretch.end > since {
            hold(from: max(since, stretch.start, upTime.start), until: min(end, stretch.end))
        }
    }
}
