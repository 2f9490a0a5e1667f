import AtlasProtocol
import Glibc
import Locks
import Logging
import NIOCore
import NIOPosix
import RecorderStore
import ServiceLifecycle
import WallTime

/// What to record, and where.
package struct RecorderConfiguration: Sendable {
    package let processors: [ProcessorSpec]
    package let store: String
    package let version: String
    package let links: LinkSettings
    /// The host's clocks; a test may pass its own.
    package let clocks: HostClocks
    /// Whether to wait for a store that another recorder writes.
    package let standsBy: Bool
    package let serviceManager: ServiceManager
    package let retention: Retention
    package let reloads: ReloadSource?

    package init(
        processors: [ProcessorSpec], store: String, version: String, links: LinkSettings, clocks: HostClocks = .system,
        standsBy: Bool = false, serviceManager: ServiceManager = ServiceManager([:]), retention: Retention = .default,
        reloads: ReloadSource? = nil
    ) {
        (self.retention, self.reloads) = (retention, reloads)
        (self.processors, self.store, self.version, self.links) = (processors, store, version, links)
        (self.clocks, self.standsBy, self.serviceManager) = (clocks, standsBy, serviceManager)
    }
}

/// The recorder: opens the store, receives, keeps the links, and on shutdown stops them in the order of the data's way,
/// so that everything received is stored.
package struct Recorder: Service {
    let configuration: RecorderConfiguration
    let live: LiveState
    private let logger: Logger
    private let print: @Sendable (String) -> Void

    /// `print`: one line for each change of state.
    package init(_ configuration: RecorderConfiguration, logger: Logger, print: @escaping @Sendable (String) -> Void) {
        (self.configuration, self.logger, self.print) = (configuration, logger, print)
        live = LiveState(
            LiveSettings(
                processors: configuration.processors, keepAlive: configuration.links.keepAlive,
                relays: configuration.links.relays, retention: configuration.retention))
    }

    /// Records until graceful shutdown or cancellation. A store that is found damaged, or that somebody moves or deletes, is
    /// left, and a new one begun. Throws a `StoreError` if the store cannot be opened or taken, `RecordingEnded` if no new one
    /// can be begun, a `ReceiverError` if the host has no thread or descriptor left.
    package func run() async throws {
        let manager = configuration.serviceManager
        let allowed = DescriptorLimit.raise()
        if let shortage = DescriptorLimit.shortage(units: configuration.processors.count, allowed: allowed) {
            logger.warning("\(shortage)")
        }
        // Until the control plane gives them.
        let reloading = Task { await reload() }
        defer { reloading.cancel() }
        let signsOfLife = Task { await manager.giveSignsOfLife() }
        defer { signsOfLife.cancel() }
        guard var (lock, predecessor) = try await claimStore() else { return }
        let path = StoreFile.resolved(configuration.store)
        var succession: StoreSuccession?
        while true {
            let ending = try await record(lock, predecessor, after: &succession) { signsOfLife.cancel() }
            if case .closed = ending.end { return }
            // A connection that is still open would share its files with the next one.
            for await _ in ending.closed {}
            do {
                succession = try StoreSuccession.after(ending.end, ending.departure, of: path, clock: clock)
                predecessor = nil
                guard !lock.isInPlace(forStore: path) else { continue }
                guard let (again, _) = try await claimStore() else { return }
                lock = again
            } catch let error as StoreError {
                throw RecordingEnded(cause: error)
            }
        }
    }

    private var clock: RecorderClock { RecorderClock(configuration.clocks) }

    private struct Ending {
        let end: WriterLoop.End
        let departure: StoreDeparture
        /// Ends when the store's files are closed.
        let closed: AsyncStream<Void>
    }

    /// Records into one store, to its end or the recorder's.
    private func record(
        _ lock: StoreLock, _ predecessor: String?, after succession: inout StoreSuccession?,
        records: () -> Void
    ) async throws -> Ending {
        let manager = configuration.serviceManager
        let limits = configuration.links.limits
        let (clock, outbox) = (clock, EntryOutbox())
        let queue = FrameQueue(limit: limits.queueBytes)
        let names = Names()
        let print = print
        let present = live.settings
        let overview = LinkOverview(count: present.processors.count)
        let opening = StoreOpening(
            configuration: configuration, units: present.processors, lock: lock, clock: clock)
        let (writer, processors) = try await open(opening, queue, &succession) { entries in
            for entry in entries {
                if let line = StatusLine.text(for: entry, processor: { names[$0] }) { print(line) }
            }
            if let line = overview.line(after: entries) { manager.tell(["STATUS=\(line)"]) }
        }
        let followsCrash = await writer.followsCrash  // from here on the writer's thread is the loop's
        names.set(processors)
        let loop = ControlLoop(eventLoop: MultiThreadedEventLoopGroup.singleton.any())
        let feed = Feed()
        let levels = LevelMemory.make(logger)
        let receiver = try MeterReceiver(
            queue: queue, slotBytes: limits.slotBytes, clock: clock, feed: feed, levels: levels,
            wakeWriter: { outbox.wake() },
            notify: { loop.notice($0) })
        let verdict = StoreVerdict()
        let (ends, ended) = AsyncStream<WriterLoop.End>.makeStream()
        Task {
            ended.yield(
                await WriterLoop(
                    writer: writer, verdict: verdict, outbox: outbox, queue: queue, clock: clock, logger: logger,
                    retention: present.retention, feed: feed
                ).run())
            ended.finish()
        }
        let count = processors.count == 1 ? "1 processor" : "\(processors.count) processors"
        print("recording \(count) into \(configuration.store)")
        let detail = configuration.version + (predecessor.map { ", taking over from \($0)" } ?? "")
        outbox.put([.event(.init(processor: nil, at: clock.wallNow, link: nil, name: .started, detail: detail))])
        if let succession { outbox.put(succession.entries(at: clock.wallNow)) }
        let server = FeedServer(
            feed, store: StoreFile.resolved(configuration.store), processors: processors,
            version: configuration.version, levels: levels)
        do {
            try await server.start()
        } catch {
            let path = FeedServer.path(forStore: configuration.store)
            logger.error("no feed: recording goes on without it", metadata: ["socket": "\(path)", "error": "\(error)"])
        }
        var settings = configuration.links
        (settings.keepAlive, settings.relays) = (present.keepAlive, present.relays)
        settings.onTick = { manager.isAlive() }
        tell("READY=1", "STATUS=recording \(count)")  // before the links have a word to say
        await loop.start(
            processors, clock: clock, outbox: outbox, receiver: receiver, feed: feed, settings: settings)
        records()  // from here on the control plane gives the signs of life
        let checkup =
            followsCrash
            ? StoreCheckup(
                path: StoreFile.resolved(configuration.store), verdict: verdict, outbox: outbox, clock: clock,
                logger: logger) : nil
        checkup?.start()

        live.began(
            LiveRecording(loop: loop, outbox: outbox, clock: clock, names: names, overview: overview), with: present)
        Task { await live.apply() }  // what was asked for since `present`

        let early = await Self.firstEnd(of: ends)

        live.ended()
        if early == nil { tell("STOPPING=1", "STATUS=storing what was received") }
        // The run ends here: from now on the links go, and what comes is no longer the whole of it.
        let end = clock.wallNow
        await loop.stop()
        await receiver.stop()
        await loop.settle()
        await server.stop()
        await checkup?.stop()
        // Only now has the receiver handed over all that it had.
        var departure = StoreDeparture()
        switch early {
        case .damaged: departure = await writer.abandoned(outbox.take(at: end))
        case .displaced(let displacement):
            outbox.put([.event(.init(processor: nil, at: end, link: nil, name: .stopped))])
            departure = await writer.leave(
                displacement, outbox.take(at: end), at: end, stamp: StoreSuccession.stamp(clock))
        case .closed, nil:
            outbox.put([.event(.init(processor: nil, at: end, link: nil, name: .stopped))])
            outbox.close()
            for await _ in ends {}
            try await finish(writer, outbox.take(at: end), at: end)
        }
        return Ending(end: early ?? .closed, departure: departure, closed: writer.closed)
    }

    /// Opens the store; one that takes the place of another is tried for as long as it takes: a disk may be full still.
    private func open(
        _ opening: StoreOpening, _ queue: FrameQueue, _ succession: inout StoreSuccession?,
        committed: @escaping @Sendable ([Entry]) -> Void
    ) async throws -> (StoreWriter, [RegisteredProcessor]) {
        var fault = StoreFault(logger: logger, "the new store cannot be begun; nothing is recorded until it can")
        while true {
            do {
                let opened = try await opening.open(queue, &succession, committed: committed)
                fault.ended(at: clock.now)
                return opened
            } catch let error as StoreError where succession != nil {
                guard error.mayPass else { throw RecordingEnded(cause: error) }
                fault.happened(error, at: clock.now)
                await cancelWhenGracefulShutdown { try? await Task.sleep(for: .milliseconds(500)) }
                if Task.isShuttingDownGracefully { throw error }
            }
        }
    }

    /// How the writer ended by itself; nil: graceful shutdown came first.
    private static func firstEnd(of ends: AsyncStream<WriterLoop.End>) async -> WriterLoop.End? {
        for await end in ends.cancelOnGracefulShutdown() { return end }
        return nil
    }

    /// The store's lock, at once or, where the recorder stands by, when its holder is gone, with that one's name; nil:
    /// stopped before that.
    private func claimStore() async throws -> (StoreLock, after: String?)? {
        let standby = try Standby(store: configuration.store, clock: clock)
        do throws(StoreError) {
            return (try standby.claim(), nil)
        } catch {
            guard error.kind == .lockHeld, configuration.standsBy else { throw error }
        }
        let holder = standby.holder
        print("standing by: \(holder) records into \(configuration.store)")
        // Ready: whoever waits for this service to start need not wait for another one's death.
        tell("READY=1", "STATUS=standing by: \(holder) records")
        guard let lock = try await standby.wait(configuration.serviceManager, first: holder) else {
            tell("STOPPING=1")
            return nil
        }
        let before = lock.predecessor ?? "the recorder before"
        print("taking over: \(before) has ended")
        return (lock, before)
    }

    /// What could not be said is logged: without READY=1 systemd ends the recorder as one that does not start.
    private func tell(_ lines: String...) {
        if lines[0] == "READY=1" { live.isReadyNow() }
        let code = configuration.serviceManager.tell(lines, waits: true)
        guard code != 0 else { return }
        logger.warning(
            "cannot tell the service manager: look at NOTIFY_SOCKET and the unit's NotifyAccess",
            metadata: ["message": "\(lines[0])", "error": "\(ErrnoName.message(code))"])
    }

    /// Stores what waits. A store that refuses is asked again for as long as those who stop services will wait.
    private func finish(_ writer: StoreWriter, _ last: [Entry], at end: Int64) async throws {
        let deadline = ContinuousClock.now + Self.finishingLimit
        var failure = await writer.failure(finishing: last, at: end)
        if let failure {
            logger.warning(
                "asked to stop, and the store refuses what waits; it is tried for up to 20 s more",
                metadata: ["error": "\(failure)"])
        }
        while let error = failure {
            guard ContinuousClock.now < deadline else {
                let left = await writer.abandoned([])
                logger.error(
                    "given up: what waited is lost",
                    metadata: ["samples": "\(left.samplesLeft)", "events": "\(left.entriesLeft)"])
                throw error
            }
            try? await Task.sleep(for: .milliseconds(200))
            failure = await writer.failure(finishing: [], at: end)  // it has the entries already
        }
    }

    private static let finishingLimit = Duration.seconds(20)
}

/// The store could not be gone on with, and no other one begun.
package struct RecordingEnded: Error, CustomStringConvertible {
    package let cause: StoreError
    package var description: String { "recording has ended, for the store was moved, deleted or damaged: \(cause)" }
}

extension StoreWriter {
    fileprivate func failure(finishing last: [Entry], at end: Int64) -> StoreError? {
        do throws(StoreError) {
            try finish(last, at: end)
            return nil
        } catch {
            return error
        }
    }
}
