import AtlasProtocol
import Glibc
import NIOCore
import NIOPosix
import RecorderStore

/// Serves the feed on a Unix stream socket beside the store, on a thread of its own. Each reader has a bounded queue of its
/// own: one that is slow is told how much it missed, and slows nobody.
package actor FeedServer {
    /// The socket that belongs to a store.
    package static func path(forStore path: String) -> String { path + ".feed" }
    /// With so many bytes waiting, nothing more is written for a reader; with the slice that reached it, some last values and
    /// the states it is less than 1 MiB.
    private static let queueLimit = 512 * 1024
    private static let readerLimit = 64

    private final class Reader {
        let channel: any Channel
        /// Values that are not in its lines.
        var missed = 0
        /// Whether anything is not in its lines, be it a change and no value.
        var isBehind = false
        /// Units whose last values it still waits for.
        var toGreet: ArraySlice<Int32>
        /// Whether it reads meters, or only how the links and the recorder do.
        var wantsValues = true
        /// Whether it is told of the meters that there are; of which units it has not been yet.
        var wantsMeters = false
        var toName: Set<Int32> = []

        init(_ channel: any Channel, _ toGreet: [Int32]) { (self.channel, self.toGreet) = (channel, toGreet[...]) }
    }

    private nonisolated let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private nonisolated let eventLoop: any EventLoop
    private nonisolated let executor: any SerialExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let feed: Feed
    private let store: String
    private let path: String
    private let levels: LevelMemory?
    /// How long readers have at the end.
    private let patience: TimeAmount
    private var text: FeedText
    private var backlog = FeedBacklog()
    private var isDelivering = false
    private var readers: [ObjectIdentifier: Reader] = [:]
    private var listener: (any Channel)?

    package init(
        _ feed: Feed, store: String, processors: [RegisteredProcessor], version: String,
        levels: LevelMemory? = nil, patience: TimeAmount = .seconds(1)
    ) {
        (self.feed, self.store, self.levels, self.patience) = (feed, store, levels, patience)
        eventLoop = group.next()
        executor = eventLoop.executor
        path = Self.path(forStore: store)
        text = FeedText(processors, store: store, version: version)
    }

    /// Listens. Throws with errno where it cannot: a path over 107 bytes (unix(7)), a folder without the right to write.
    package func start() async throws {
        removeSocket()  // left behind by a recorder that was killed; the store's lock says that no other is alive
        let descriptor = try UnixSocket.bound(to: path, UnixSocket.Rights(readersOf: store))
        listener = try await ServerBootstrap(group: group)
            .childChannelOption(
                ChannelOptions.writeBufferWaterMark, value: .init(low: 64 * 1024, high: Self.queueLimit)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ReaderHandler(self))
                }
            }
            .withBoundSocket(descriptor).get()
        feed.open { [weak self, eventLoop] in
            // A short pause gathers what comes meanwhile into one write.
            eventLoop.scheduleTask(in: .milliseconds(5)) { [weak self] in self?.assumeIsolated { $0.deliver() } }
        }
    }

    /// Ends the feed. Readers have a second to take what waits for them; after it the line that is on its way may be cut.
    package nonisolated func stop() async {
        await finish()
        // Not by the actor, which runs on it.
        try? await group.shutdownGracefully()
    }

    private func finish() async {
        feed.close()
        try? await listener?.close()
        removeSocket()
        repeat { await Task.yield() } while deliverSlice()
        let flushed = readers.values.map { reader in
            let last = reader.isBehind || !reader.toGreet.isEmpty ? text.missed(reader.missed) : ByteBuffer()
            (reader.missed, reader.isBehind, reader.toGreet) = (0, false, [])
            return reader.channel.writeAndFlush(last)
        }
        let end = eventLoop.makePromise(of: Void.self)
        EventLoopFuture.andAllComplete(flushed, on: eventLoop).cascade(to: end)
        let timer = eventLoop.scheduleTask(in: patience) { end.succeed() }
        try? await end.futureResult.get()
        timer.cancel()
        for reader in readers.values { reader.channel.close(promise: nil) }
    }

    /// Whatever else somebody keeps under that name is not ours to delete: then bind(2) fails, and that is told.
    private func removeSocket() {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        unlink(path)
    }

    // MARK: readers

    fileprivate func came(_ channel: any Channel) {
        guard readers.count < Self.readerLimit else {
            channel.writeAndFlush(
                ByteBuffer(string: "{\"error\":\"64 readers are connected: close one\"}\n"), promise: nil)
            return channel.close(promise: nil)
        }
        let reader = Reader(channel, text.flowing)
        readers[ObjectIdentifier(channel)] = reader
        feed.readerCame()
        let hello = ByteBuffer(string: text.hello)
        channel.write(levels?.hand(with: hello, to: channel) ?? hello, promise: nil)
        channel.writeAndFlush(text.standing(), promise: nil)
        goOn(with: reader)
    }

    fileprivate func left(_ channel: any Channel) {
        if let reader = readers.removeValue(forKey: ObjectIdentifier(channel)), reader.wantsValues { feed.readerLeft() }
    }

    fileprivate func asked(_ channel: any Channel, for request: FeedRequest) {
        guard let reader = readers[ObjectIdentifier(channel)] else { return }
        switch request {
        case .values(let wanted):
            guard reader.wantsValues != wanted else { return }
            reader.wantsValues = wanted
            if wanted { feed.readerCame() } else { feed.readerLeft() }
            reader.toGreet = wanted ? text.flowing[...] : []
        case .meters:
            guard !reader.wantsMeters else { return }
            reader.wantsMeters = true
            reader.toName = text.units
        }
        goOn(with: reader)
    }

    fileprivate func drained(_ channel: any Channel) {
        if let reader = readers[ObjectIdentifier(channel)] { goOn(with: reader) }
    }

    /// Writes what a reader has to have before it gets more: the rest of its greeting, then what it missed meanwhile.
    private func goOn(with reader: Reader) {
        while reader.channel.isWritable, let processor = reader.toName.popFirst() {
            reader.channel.writeAndFlush(text.meters(of: processor), promise: nil)
        }
        while reader.channel.isWritable, let processor = reader.toGreet.popFirst() {
            reader.channel.writeAndFlush(text.lastValues(of: processor), promise: nil)
        }
        guard reader.isBehind, reader.channel.isWritable else { return }
        let missed = reader.missed
        (reader.missed, reader.isBehind) = (0, false)  // before it writes, which may come back here
        reader.channel.writeAndFlush(text.missed(missed), promise: nil)
    }

    // MARK: what there is

    /// Hands out what waits, a slice at a time: between two of them the readers take what they were sent.
    private func deliver() {
        guard !isDelivering else { return }
        isDelivering = deliverSlice()
        guard isDelivering else { return }
        eventLoop.execute { [weak self] in
            self?.assumeIsolated {
                $0.isDelivering = false
                $0.deliver()
            }
        }
    }

    /// False: nothing waits any more.
    private func deliverSlice() -> Bool {
        if backlog.isEmpty {
            let waiting = feed.takeAll()
            guard !waiting.isEmpty else { return false }
            text.learn(waiting.knowledge)
            backlog = FeedBacklog(waiting)
            if backlog.hasHoles {
                for reader in readers.values { note(missed: backlog.missed, by: reader) }
            }
        }
        let slice = backlog.slice(by: &text)
        let renamed = text.takeRenamed()
        if !renamed.isEmpty {
            for reader in readers.values where reader.wantsMeters {
                reader.toName.formUnion(renamed)
                goOn(with: reader)
            }
        }
        guard slice.bytes.readableBytes > 0 else { return true }
        for reader in readers.values {
            // A reader that has missed something is told first; its states then are those of now.
            goOn(with: reader)
            let bytes = reader.wantsValues ? slice.bytes : slice.news
            guard bytes.readableBytes > 0 else { continue }
            if reader.channel.isWritable, reader.toGreet.isEmpty {
                reader.channel.writeAndFlush(bytes, promise: nil)
            } else {
                note(missed: reader.wantsValues ? slice.values : 0, by: reader)
            }
        }
        return true
    }

    private func note(missed values: Int, by reader: Reader) {
        reader.missed += values
        reader.isBehind = true
    }
}

/// A reader's end of the connection. Of what it may say see `FeedRequest`; other lines are not looked at.
private final class ReaderHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let server: FeedServer
    private var framer = LineFramer()

    init(_ server: FeedServer) { self.server = server }

    func channelActive(context: ChannelHandlerContext) {
        server.assumeIsolated { [channel = context.channel] in $0.came(channel) }
    }
    func channelInactive(context: ChannelHandlerContext) {
        server.assumeIsolated { [channel = context.channel] in $0.left(channel) }
    }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data).readableBytesView
        framer.feed(bytes) { [channel = context.channel] line in
            guard case .complete(let line) = line, let request = FeedRequest(line: line) else { return }
            server.assumeIsolated { $0.asked(channel, for: request) }
        }
    }
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        server.assumeIsolated { [channel = context.channel] in $0.drained(channel) }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
