/// When a unit's meters link was up around one minute, and for which values that time counts
/// (docs/decisions/0004-minutes.md). Times are microseconds since 1970 UTC.
struct UpTime {
    /// How long before the link is up a value may come and still count from then on: the row of a link that comes up begins
    /// when the recorder noticed, a moment after the datagrams that it learnt it from.
    static let lead: Int64 = 1_000_000
    static let minute: Int64 = 60_000_000

    /// A row of `link_state` of the meters link. `ended` is `.max` for the row that lasts.
    struct Row {
        let started, ended: Int64
        let isUp, isUnknown, isClockStep: Bool
    }

    /// A stretch of time up.
    struct Stretch {
        let start, end: Int64
        /// Values from here on, before `end`, are this stretch's.
        let takesFrom: Int64
        /// Stretches of one chain follow one another without a break, or only the clock was set between them: a value of
        /// one goes on holding in the next.
        let chain: Int32
    }

    let start: Int64
    var end: Int64 { start + Self.minute }
    private(set) var stretches: [Stretch] = []
    /// False: nobody recorded in this minute, not even that the link was down.
    private(set) var isRecorded = false
    /// Whether the clock skipped the moment before it.
    private(set) var beginsInClockStep = false
    /// The chain that is up during the whole minute; nil: none.
    private(set) var wholeChain: Int32?

    /// The minute that begins at `start`. `rows` follow one another; they begin with the one that holds the moment two
    /// seconds before the first value that is taken, and end with the one that holds the second after the minute; after a
    /// clock step with the one that follows it.
    init(minute start: Int64, rows: [Row]) {
        self.start = start
        var (chain, lastUp, lastEnd) = (Int32(0), Int64.min, Int64.min)
        var isBroken = true
        for row in rows {
            if row.started > lastEnd { isBroken = true }
            if row.isUp {
                if isBroken { chain += 1 }
                let takesFrom = max(lastUp, row.started - Self.lead)
                stretches.append(Stretch(start: row.started, end: row.ended, takesFrom: takesFrom, chain: chain))
                lastUp = row.ended
            }
            if !row.isClockStep { isBroken = !row.isUp }
            lastEnd = row.ended
            if row.isClockStep, row.started < start, row.ended >= start { beginsInClockStep = true }
            let begins = row.isUp ? row.started - Self.lead : row.started
            if !row.isUnknown, begins < end, row.ended > start { isRecorded = true }
        }
        var reached = start
        for stretch in stretches where stretch.start <= reached && stretch.end > reached {
            reached = stretch.end
            if reached >= end { wholeChain = stretch.chain }
        }
    }

    /// Whose a value of this time is; nil: it holds nowhere.
    func chain(at time: Int64) -> Int32? {
        guard let stretch = stretches.first(where: { $0.end > time }), stretch.takesFrom <= time else { return nil }
        return stretch.chain
    }

    /// Whose the value is that held, or was about to, as the minute began.
    var chainAtStart: Int32? { stretches.first { $0.end > start }?.chain }

    /// Whether a value of this chain goes on holding after the minute.
    func goesOn(_ chain: Int32) -> Bool { stretches.contains { $0.chain == chain && $0.end > end } }
}
