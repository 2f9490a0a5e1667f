import AtlasProtocol
import NIOCore
import NIOPosix
import Recorder
import RecorderStore

/// The server's own reading of the feed: connects, again and again while nobody serves it, and hands on what the lines say. Of
/// values it asks for none: levels are looked at where the recorder keeps them. Confined to its event loop.
final class FeedClient {
    enum Event {
        /// `levels`: whether this recorder shows any.
        case began(levels: Bool)
        case message(FeedMessage)
        case ended
    }

    /// Between two tries, while nobody serves the feed.
    private static let pause = TimeAmount.milliseconds(500)
    /// Between two looks whether it greets, how many, and the pause where it did not: each try takes a place in its queue.
    private static let lookPause = TimeAmount.milliseconds(25)
    private static let looks = 40
    private static let silencePause = TimeAmount.seconds(5)

    private let eventLoop: any EventLoop
    private let store: String
    private let event: (Event) -> Void
    private var channel: (any Channel)?
    private var isStopped = false
    /// The levels of the recorder that speaks; nil while none does, or where it shows none.
    private(set) var levels: LevelMap?

    init(_ eventLoop: any EventLoop, store: String, event: @escaping (Event) -> Void) {
        (self.eventLoop, self.store, self.event) = (eventLoop, store, event)
    }

    func start() { connect() }

    func stop() {
        isStopped = true
        channel?.close(promise: nil)
    }

    private func connect() {
        guard !isStopped else { return }
        guard let connection = FeedConnection(store: store) else { return tryAgain() }
        listen(to: connection, looks: Self.looks)
    }

    /// A recorder greets at once; one that stands still lets one connect, and says nothing.
    private func listen(to connection: FeedConnection, looks: Int) {
        switch connection.look() {
        case .spoke(let first, let levels): take(connection.release(), Greeting(first: first, levels: levels))
        case .gone: tryAgain()
        case .waiting:
            guard looks > 0, !isStopped else { return tryAgain(in: Self.silencePause) }
            let bound = NIOLoopBound((client: self, connection: connection), eventLoop: eventLoop)
            eventLoop.scheduleTask(in: Self.lookPause) {
                bound.value.client.listen(to: bound.value.connection, looks: looks - 1)
            }
        }
    }

    private struct Greeting {
        let first: [UInt8]
        let levels: LevelMap?
    }

    private func take(_ socket: NIOBSDSocket.Handle, _ greeting: Greeting) {
        let bound = NIOLoopBound((client: self, greeting: greeting), eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        LineHandler(bound.value.client, bound.value.greeting))
                }
            }
            .withConnectedSocket(socket)
            .whenComplete { result in
                switch result {
                case .success(let channel): bound.value.client.connected(channel)
                case .failure: bound.value.client.tryAgain()
                }
            }
    }

    private func connected(_ channel: any Channel) {
        guard !isStopped, channel.isActive else { return channel.close(promise: nil) }
        self.channel = channel
        channel.write(ByteBuffer(string: FeedRequest.values(false).line), promise: nil)
        channel.writeAndFlush(ByteBuffer(string: FeedRequest.meters.line), promise: nil)
    }

    private func tryAgain(in pause: TimeAmount = FeedClient.pause) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: pause) { bound.value.connect() }
    }

    fileprivate func began(_ levels: LevelMap?) {
        self.levels = levels
        event(.began(levels: levels != nil))
    }

    fileprivate func take(_ message: FeedMessage) { event(.message(message)) }

    fileprivate func ended() {
        (channel, levels) = (nil, nil)
        event(.ended)
        tryAgain()
    }

    private final class LineHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let client: FeedClient
        private let greeting: Greeting
        private var framer = LineFramer()
        private var decoder = FeedDecoder()

        init(_ client: FeedClient, _ greeting: Greeting) { (self.client, self.greeting) = (client, greeting) }

        func channelActive(context: ChannelHandlerContext) {
            client.began(greeting.levels)
            read(greeting.first)
        }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { read(unwrapInboundIn(data).readableBytesView) }

        private func read(_ bytes: some Collection<UInt8>) {
            framer.feed(bytes) { line in
                guard case .complete(let bytes) = line else { return }
                client.take(decoder.decode(bytes))
            }
        }

        func channelInactive(context: ChannelHandlerContext) { client.ended() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
