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

    /// Runs until the outbox is closed, or the store cannot be gone on with.
    func run() async -> End {
        await writer.occupy { writer in
            var nextSamples = clock.now
            var nextMinutes = clock.now
            var nextLeftOut = clock.now
            var nextLook = clock.now + Self.placeInterval
            var fault = StoreFault(logger: logger, "the store refuses; samples and events wait in memory")
            var minutesFault = StoreFault(logger: logger, "the meters' minutes cannot be counted; they will be later")
            while outbox.wait(atMost: .microseconds(Int(max(0, (nextSamples - clock.now).microseconds)))) {
                let now = clock.now
                if let words = verdict.damage { return .damaged(words) }
                if now >= nextLook {
                    nextLook = now + Self.placeInterval
                    if let displacement = writer.displacement() { return .displaced(displacement) }
                }
                let samples = now >= nextSamples || queue.isLong
                if samples { nextSamples = now + Self.interval }
                let entries = outbox.take(at: clock.wallNow)
                guard samples || !entries.isEmpty else { continue }
                do {
                    try writer.commit(entries, samples: samples, at: clock.wallNow)
                    fault.ended(at: now)
                } catch {
                    if let words = Self.damage(error) { return .damaged(words) }
                    fault.happened(error, at: now)
                    continue
                }
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

/// Tells of a lasting fault without filling the log.
struct StoreFault {
    private let logger: Logger
    private let message: Logger.Message
    private var since: Instant?
    private var lastTold: Instant?

    init(logger: Logger, _ message: Logger.Message) { (self.logger, self.message) = (logger, message) }

    mutating func happened(_ error: any Error, at now: Instant) {
        since = since ?? now
        if let lastTold, now - lastTold < .seconds(60) { return }
        lastTold = now
        logger.error(message, metadata: ["error": "\(error)", "seconds": seconds(until: now)])
    }

    mutating func ended(at now: Instant) {
        guard since != nil else { return }
        logger.notice("the store takes writes again", metadata: ["seconds": seconds(until: now)])
        (since, lastTold) = (nil, nil)
    }

    /// How long it has lasted.
    private func seconds(until now: Instant) -> Logger.MetadataValue {
        "\(since.map { Double((now - $0).microseconds) / 1e6 } ?? 0)"
    }
}
