import AtlasProtocol
import Glibc
import Logging
import NIOCore
import NIOPosix
import RecorderStore
import ServiceLifecycle
import Synchronization
import WallTime

/// What to record, and where.
package struct RecorderConfiguration: Sendable {
    package let processors: [ProcessorSpec]
    package let store: String
    package let version: String
    package let links: LinkSettings
    /// The host's clocks; a test may pass its own.
    package let clocks: HostClocks

    package init(
        processors: [ProcessorSpec], store: String, version: String, links: LinkSettings, clocks: HostClocks = .system
    ) {
        (self.processors, self.store, self.version, self.links) = (processors, store, version, links)
        self.clocks = clocks
    }
}

/// The recorder: opens the store, receives, keeps the links, and on shutdown stops them in the order of the data's way,
/// so that everything received is stored.
package struct Recorder: Service {
    private let configuration: RecorderConfiguration
    private let logger: Logger
    private let print: @Sendable (String) -> Void

    /// `print`: one line for each change of state.
    package init(_ configuration: RecorderConfiguration, logger: Logger, print: @escaping @Sendable (String) -> Void) {
        (self.configuration, self.logger, self.print) = (configuration, logger, print)
    }

    /// Records until graceful shutdown or cancellation. Throws a `StoreError` if the store cannot be opened or taken, a
    /// `ReceiverError` if the host has no thread or descriptor left.
    package func run() async throws {
        let limits = configuration.links.limits
        let (clock, outbox) = (RecorderClock(configuration.clocks), EntryOutbox())
        let queue = FrameQueue(limit: limits.queueBytes)
        let names = Names()
        let print = print
        let writer = try StoreWriter(
            path: configuration.store, holder: "pid \(getpid()) since \(LocalTime.text(clock.wallNow).prefix(19))",
            queue: queue
        ) { entries in
            for entry in entries {
                if let line = StatusLine.text(for: entry, processor: { names[$0] }) { print(line) }
            }
        }
        let start = RunStart(version: configuration.version, pid: getpid(), host: Self.hostName())
        let processors = try await writer.begin(start, processors: configuration.processors, at: clock.begin())
        names.set(processors)
        let loop = ControlLoop(eventLoop: MultiThreadedEventLoopGroup.singleton.any())
        let receiver = try MeterReceiver(
            queue: queue, slotBytes: limits.slotBytes, clock: clock, wakeWriter: { outbox.wake() },
            notify: { loop.notice($0) })
        let writing = Task {
            await WriterLoop(writer: writer, outbox: outbox, queue: queue, clock: clock, logger: logger).run()
        }
        let count = processors.count == 1 ? "1 processor" : "\(processors.count) processors"
        print("recording \(count) into \(configuration.store)")
        outbox.put([
            .event(.init(processor: nil, at: clock.wallNow, link: nil, name: .started, detail: configuration.version))
        ])
        await loop.start(processors, clock: clock, outbox: outbox, receiver: receiver, settings: configuration.links)

        try? await gracefulShutdown()

        // The run ends here: from now on the links go, and what comes is no longer the whole of it.
        let end = clock.wallNow
        await loop.stop()
        await receiver.stop()
        await loop.settle()
        outbox.put([.event(.init(processor: nil, at: end, link: nil, name: .stopped))])
        outbox.close()
        await writing.value
        try await finish(writer, outbox.take(at: end), at: end)
    }

    /// Stores what waits. A store that refuses is asked again for as long as those who stop services will wait.
    private func finish(_ writer: StoreWriter, _ last: [Entry], at end: Int64) async throws {
        let deadline = ContinuousClock.now + Self.finishingLimit
        var failure = await writer.failure(finishing: last, at: end)
        while let error = failure {
            guard error.kind == .busy || error.kind == .full, ContinuousClock.now < deadline else { throw error }
            try? await Task.sleep(for: .milliseconds(200))
            failure = await writer.failure(finishing: [], at: end)  // it has the entries already
        }
    }

    private static let finishingLimit = Duration.seconds(20)

    private static func hostName() -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, 255) == 0 else { return "unknown" }
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The units' names by their row.
private final class Names: Sendable {
    private let names = Mutex<[Int32: String]>([:])

    func set(_ processors: [RegisteredProcessor]) {
        names.withLock { names in for processor in processors { names[processor.id] = processor.spec.name } }
    }
    subscript(id: Int32) -> String { names.withLock { $0[id] ?? "processor \(id)" } }
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
