import Glibc
import NIOCore
import NIOPosix
import RecorderStore

/// Serves the feed on a Unix stream socket beside the store. Each reader has a bounded queue of its own: one that is slow is
/// told how much it missed, and slows nobody.
package actor FeedServer {
    /// The socket that belongs to a store.
    package static func path(forStore path: String) -> String { path + ".feed" }
    /// Bytes that may wait for one reader; some seconds of a unit.
    private static let queueLimit = 1024 * 1024
    private static let readerLimit = 64

    private final class Reader {
        let channel: any Channel
        var missed = 0
        init(_ channel: any Channel) { self.channel = channel }
    }

    private nonisolated let eventLoop: any EventLoop
    private nonisolated let executor: any SerialExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let feed: Feed
    private let path: String
    private var text: FeedText
    private var readers: [ObjectIdentifier: Reader] = [:]
    private var listener: (any Channel)?

    package init(
        _ feed: Feed, store: String, processors: [RegisteredProcessor], version: String, eventLoop: any EventLoop
    ) {
        (self.feed, self.eventLoop) = (feed, eventLoop)
        executor = eventLoop.executor
        path = Self.path(forStore: store)
        text = FeedText(processors, store: store, version: version)
    }

    /// Listens. Throws with errno where it cannot: a path over 107 bytes (unix(7)), a folder without the right to write.
    package func start() async throws {
        removeSocket()  // left behind by a recorder that was killed; the store's lock says that no other is alive
        // The socket's file takes its rights from the umask; whoever may read the store may read the feed.
        let channel = try await ServerBootstrap(group: eventLoop)
            .childChannelOption(
                ChannelOptions.writeBufferWaterMark, value: .init(low: 64 * 1024, high: Self.queueLimit)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ReaderHandler(self))
                }
            }
            .bind(unixDomainSocketPath: path).get()
        chmod(path, 0o660)
        listener = channel
        let eventLoop = eventLoop
        feed.onItems { [weak self] in
            // A short pause gathers what comes meanwhile into one write.
            eventLoop.scheduleTask(in: .milliseconds(5)) { self?.assumeIsolated { $0.deliver() } }
        }
    }

    package func stop() async {
        feed.onItems {}
        deliver()
        for reader in readers.values { reader.channel.close(promise: nil) }
        try? await listener?.close()
        removeSocket()
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
        readers[ObjectIdentifier(channel)] = Reader(channel)
        feed.readerCame()
        channel.writeAndFlush(text.greeting(), promise: nil)
    }

    fileprivate func left(_ channel: any Channel) {
        if readers.removeValue(forKey: ObjectIdentifier(channel)) != nil { feed.readerLeft() }
    }

    fileprivate func drained(_ channel: any Channel) {
        guard let reader = readers[ObjectIdentifier(channel)], reader.missed > 0 else { return }
        channel.writeAndFlush(text.missed(reader.missed), promise: nil)
        reader.missed = 0
    }

    // MARK: what there is

    private func deliver() {
        let (items, missed) = feed.takeAll()
        var (buffer, count) = (ByteBuffer(), missed)
        for item in items {
            switch item {
            case .values(let block, let mark): count += text.write(block, after: mark, into: &buffer)
            case .learnt(let block):
                text.learn(block.newSlots)
                text.learn(latest: block.latestValues)
            case .label(let processor, let meter, let label): text.name(meter, of: processor, label)
            case .change(let processor, let link, let state, let since):
                var line = text.change(processor, link, state, since: since)
                buffer.writeBuffer(&line)
            }
        }
        for reader in readers.values {
            if missed > 0 { reader.missed += missed }
            send(buffer, values: count - missed, to: reader)
        }
    }

    private func send(_ buffer: ByteBuffer, values: Int, to reader: Reader) {
        guard buffer.readableBytes > 0 else { return }
        // A reader that has missed something is told first; its states then are those of now.
        if reader.missed > 0, reader.channel.isWritable { drained(reader.channel) }
        guard reader.channel.isWritable else {
            reader.missed += values
            return
        }
        reader.channel.writeAndFlush(buffer, promise: nil)
    }
}

/// A reader's end of the connection. What a reader sends is not looked at.
private final class ReaderHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let server: FeedServer

    init(_ server: FeedServer) { self.server = server }

    func channelActive(context: ChannelHandlerContext) {
        server.assumeIsolated { [channel = context.channel] in $0.came(channel) }
    }
    func channelInactive(context: ChannelHandlerContext) {
        server.assumeIsolated { [channel = context.channel] in $0.left(channel) }
    }
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        server.assumeIsolated { [channel = context.channel] in $0.drained(channel) }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
