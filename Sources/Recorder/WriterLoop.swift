import AtlasProtocol
import Logging
import RecorderStore

/// Feeds the writer: what is urgent at once, samples twice a second. A store that refuses is told of when it begins, at
/// most once a minute, and when it ends.
final class WriterLoop: Sendable {
    /// Between two commits of samples. With what the receiver holds, less than a second is ever unwritten.
    static let interval = Duration.milliseconds(500)

    private let writer: StoreWriter
    private let outbox: EntryOutbox
    private let queue: FrameQueue
    private let clock: RecorderClock
    private let logger: Logger

    init(writer: StoreWriter, outbox: EntryOutbox, queue: FrameQueue, clock: RecorderClock, logger: Logger) {
        (self.writer, self.outbox, self.queue, self.clock, self.logger) = (writer, outbox, queue, clock, logger)
    }

    /// Runs until the outbox is closed.
    func run() async {
        let ticker = Task { [outbox] in
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                outbox.wake()
            }
        }
        defer { ticker.cancel() }
        var nextSamples = clock.now
        var fault = StoreFault(logger: logger)
        for await _ in outbox.wakes {
            let now = clock.now
            let samples = now >= nextSamples || queue.isLong
            if samples { nextSamples = now + .milliseconds(450) }
            let entries = outbox.take(at: clock.wallNow)
            guard samples || !entries.isEmpty else { continue }
            do {
                try await writer.commit(entries, samples: samples, at: clock.wallNow)
                fault.ended(at: now)
            } catch {
                fault.happened(error, at: now)
            }
        }
    }
}

/// Tells of a lasting fault without filling the log.
struct StoreFault {
    private let logger: Logger
    private var since: Instant?
    private var lastTold: Instant?

    init(logger: Logger) { self.logger = logger }

    mutating func happened(_ error: any Error, at now: Instant) {
        since = since ?? now
        if let lastTold, now - lastTold < .seconds(60) { return }
        lastTold = now
        logger.error("the store refuses; samples and events wait in memory", metadata: ["error": "\(error)"])
    }

    mutating func ended(at now: Instant) {
        guard let began = since else { return }
        logger.notice(
            "the store takes writes again", metadata: ["seconds": "\(Double((now - began).microseconds) / 1e6)"])
        (since, lastTold) = (nil, nil)
    }
}
