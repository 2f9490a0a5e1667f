import AtlasProtocol
import Logging
import RecorderStore

/// When the writer prunes: while nothing waits to be written, or, where something always does, after commits too; no more
/// than half of its time.
struct Pruning {
    /// Between two looks for what is due.
    private static let interval = Span.seconds(10)
    /// The same where the store's size is limited: it grows with every commit.
    private static let limitedInterval = Span.seconds(1)
    /// For the next commit.
    private static let pause = Span.milliseconds(100)
    /// For so long it waits for a moment in which nothing is to be written.
    private static let patience = Span.milliseconds(500)
    /// What it takes at most between two commits then.
    private static let share = Span.milliseconds(10)
    /// Between two words on a store that stays too large, and how long it must be that first: the minute that lasts is
    /// deleted by nobody.
    private static let exceededInterval = Span.seconds(86_400)
    private static let exceededPatience = Span.seconds(300)

    let retention: Retention
    let clock: RecorderClock
    let logger: Logger
    /// When there is something to do next.
    private(set) var next: Instant
    private var fault: StoreFault
    /// Whether the last step left something to do.
    private var isGoing = false
    /// Whether no moment comes in which nothing is to be written.
    private var isStarved = false
    private var exceededSince: Instant?
    private var exceededTold: Instant?
    private var isShrinkTold = false

    init(_ retention: Retention, _ writer: isolated StoreWriter, clock: RecorderClock, logger: Logger) {
        (self.retention, self.clock, self.logger) = (retention, clock, logger)
        next = clock.now
        writer.retain(retention, lived: next.microseconds)
        fault = StoreFault(logger: logger, "what is not kept any more cannot be deleted; it will be tried again")
    }

    /// Takes note of what was committed: a clock that was set proves nothing of any row's age.
    func heard(_ entries: [Entry], _ writer: isolated StoreWriter) {
        for case .clockSet(_, let step) in entries { writer.clockSet(by: step, lived: clock.now.microseconds) }
    }

    /// One step, while nothing waits. Throws where the store is damaged.
    mutating func step(_ writer: isolated StoreWriter) throws(StoreError) {
        isStarved = false
        try advance(writer)
    }

    /// Some steps after a commit that took so long, where there was no other time for them: the limit of the size is for just
    /// the load that leaves none. Throws as `step`.
    mutating func stepUnderLoad(after commit: Span, _ writer: isolated StoreWriter) throws(StoreError) {
        let begin = clock.now
        if begin - next >= Self.patience { isStarved = true }
        guard isStarved, isGoing || begin >= next else { return }
        let end = begin + min(commit, Self.share)
        repeat { try advance(writer) } while isGoing && clock.now < end
    }

    private mutating func advance(_ writer: isolated StoreWriter) throws(StoreError) {
        let begin = clock.now
        isGoing = false
        do throws(StoreError) {
            let outcome = try writer.prune(at: clock.wallNow, lived: begin.microseconds) { clock.now.microseconds }
            let end = clock.now
            fault.ended(at: end)
            isGoing = outcome == .more
            switch outcome {
            case .more: next = end + (end - begin)
            case .paused: next = end + Self.pause
            case .done, .exceeded: rest(at: end)
            }
            tell(outcome, at: end)
            tellShrink(writer.bytesToGo)
        } catch {
            guard !error.isDamage else { throw error }
            rest(at: clock.now)
            // Somebody else holds the store: then it is tried again, and nothing is wrong.
            if error.kind != .busy { fault.happened(error, at: clock.now) }
        }
    }

    private mutating func rest(at now: Instant) {
        next = now + (retention.size == nil ? Self.interval : Self.limitedInterval)
    }

    /// While there is time to put it right.
    private mutating func tellShrink(_ bytes: Int64?) {
        guard let bytes, !isShrinkTold else { return }
        isShrinkTold = true
        logger.warning(
            "the store is larger than its new limit: the oldest samples go, then the oldest minutes, from an hour on; if that is not meant, set the size (or --max-size) as it was before then, and reload or start again",
            metadata: [
                "to_go": "\(SizeExpression.text(bytes))", "max_size": "\(SizeExpression.text(retention.size ?? 0))",
                "in_minutes": "\(RetentionPlan.settling / 60_000_000)",
            ])
    }

    private mutating func tell(_ outcome: PruneOutcome, at now: Instant) {
        guard case .exceeded(let bytes) = outcome else {
            exceededSince = nil
            return
        }
        let since = exceededSince ?? now
        exceededSince = since
        guard now - since >= Self.exceededPatience, exceededTold.map({ now - $0 >= Self.exceededInterval }) ?? true
        else { return }
        exceededTold = now
        logger.warning(
            "the store is larger than it may be, and samples and minutes are deleted already: raise --max-size, or keep events for less long",
            metadata: ["bytes": "\(bytes)", "max_size": "\(retention.size ?? 0)"])
    }
}
