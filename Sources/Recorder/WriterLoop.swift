import AtlasProtocol
import Logging
import RecorderStore

/// Feeds the writer, on the writer's own thread: what is urgent at once, samples twice a second. A store that refuses is
/// told of when it begins, at most once a minute, and when it ends.
struct WriterLoop: Sendable {
    /// Between two commits of samples. With what the receiver holds, less than a second is ever unwritten.
    private static let interval = Span.milliseconds(500)
    /// Between two looks for minutes that are over.
    private static let minutesInterval = Span.seconds(10)

    /// Between two words on minutes that were left out: each is named once, but all may be.
    private static let leftOutInterval = Span.seconds(60)

    /// Between two looks at the store's files.
    private static let placeInterval = Span.seconds(1)

    /// Why it ended.
    enum End: Sendable {
        case closed
        /// In SQLite's words; what waits is not stored.
        case damaged(String)
        case displaced(StorePlace.Displacement)
    }

    let writer: StoreWriter
    /// What a check of the store beside the recording finds.
    let verdict: StoreVerdict
    let outbox: EntryOutbox
    let queue: FrameQueue
    let clock: RecorderClock
    let logger: Logger
    let retention: Retention
    let feed: Feed

    /// Runs until the outbox is closed, or the store cannot be gone on with.
    func run() async -> End {
        await writer.occupy { writer in
            var nextSamples = clock.now
            var nextMinutes = clock.now
            var nextLeftOut = clock.now
            var nextLook = clock.now + Self.placeInterval
            var fault = StoreFault(logger: logger, "the store refuses; samples and events wait in memory")
            var minutesFault = StoreFault(logger: logger, "the meters' minutes cannot be counted; they will be later")
            var pruning = Pruning(retention, writer, clock: clock, logger: logger)
            while outbox.wait(
                atMost: .microseconds(Int(max(0, (min(nextSamples, pruning.next) - clock.now).microseconds))))
            {
                let now = clock.now
                if let words = verdict.damage { return .damaged(words) }
                if now >= nextLook {
                    nextLook = now + Self.placeInterval
                    feed.put(.status(Feed.Status(writer, queue, at: clock.wallNow)))
                    if let displacement = writer.displacement() { return .displaced(displacement) }
                }
                var registrations: [StoreWriter.Registration] = []
                for request in outbox.takeRequests() {
                    switch request {
                    case .register(let registration): registrations.append(registration)
                    case .retain(let retention):
                        pruning = Pruning(retention, writer, clock: clock, logger: logger)
                    }
                }
                let samples = now >= nextSamples || queue.isLong || !registrations.isEmpty
                if samples { nextSamples = now + Self.interval }
                let entries = outbox.take(at: clock.wallNow, onlyUrgent: !samples)
                guard samples || !entries.isEmpty else {
                    guard now >= pruning.next else { continue }
                    do throws(StoreError) { try pruning.step(writer) } catch { return .damaged(error.message) }
                    continue
                }
                do {
                    try writer.commit(entries, registering: registrations, samples: samples, at: clock.wallNow)
                    fault.ended(at: now)
                    writer.totals.committed(in: (clock.now - now).microseconds)
                    pruning.heard(entries, writer)
                } catch {
                    if let words = Self.damage(error) { return .damaged(words) }
                    fault.happened(error, at: now)
                    continue
                }
                do throws(StoreError) {
                    try pruning.stepUnderLoad(after: clock.now - now, writer)
                } catch { return .damaged(error.message) }
                guard samples, now >= nextMinutes else { continue }
                nextMinutes = now + Self.minutesInterval
                do {
                    if try writer.countMinutes() { nextMinutes = now }
                    minutesFault.ended(at: now)
                    guard now >= nextLeftOut, let leftOut = writer.takeMinutesLeftOut() else { continue }
                    nextLeftOut = now + Self.leftOutInterval
                    logger.warning(
                        "minutes or hours of meters were left out; their samples are stored",
                        metadata: [
                            "count": "\(leftOut.count)", "from_us": "\(leftOut.first)", "error": "\(leftOut.error)",
                        ])
                } catch {
                    if let words = Self.damage(error) { return .damaged(words) }
                    minutesFault.happened(error, at: now)
                }
            }
            return .closed
        }
    }

    private static func damage(_ error: any Error) -> String? {
        guard let error = error as? StoreError, error.kind == .damaged else { return nil }
        return error.message
    }
}

/// Tells of a fault without filling the log: at once, each minute while it lasts, and when it is over. Of one that comes and
/// goes it tells once a minute, with how often it has.
struct StoreFault {
    private static let interval = Span.seconds(60)
    private let logger: Logger
    private let message: Logger.Message
    private var since: Instant?
    /// Whether anything was said of it since it began; then its end is worth a word.
    private var isTold = false
    private var lastTold: Instant?
    /// How often it began and ended since, and nothing was said.
    private var untold = 0

    init(logger: Logger, _ message: Logger.Message) { (self.logger, self.message) = (logger, message) }

    mutating func happened(_ error: any Error, at now: Instant) {
        since = since ?? now
        guard isDue(now) else { return }
        (lastTold, isTold) = (now, true)
        logger.error(message, metadata: told(at: now, ["error": "\(error)"]))
    }

    /// Called with every write that went well.
    mutating func ended(at now: Instant) {
        if since != nil, !isTold { untold += 1 }
        if isTold || (untold > 0 && isDue(now)) {
            logger.notice("the store takes writes again", metadata: told(at: now, [:]))
        }
        (since, isTold) = (nil, false)
    }

    private func isDue(_ now: Instant) -> Bool { lastTold.map { now - $0 >= Self.interval } ?? true }

    /// How long it has lasted, and how often it was not told of.
    private mutating func told(at now: Instant, _ metadata: Logger.Metadata) -> Logger.Metadata {
        var metadata = metadata
        if let since { metadata["seconds"] = "\(Double((now - since).microseconds / 100_000) / 10)" }
        if untold > 0 { metadata["times_before"] = "\(untold)" }
        untold = 0
        return metadata
    }
}
