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

    private let eventLoop: any EventLoop
    private let store: String
    private let event: (Event) -> Void
    private var channel: (any Channel)?
    private var isStopped = false
    /// The connection that is being made.
    private var pending: EventLoopFuture<Void>
    /// The levels of the recorder that speaks; nil while none does, or where it shows none.
    private(set) var levels: LevelMap?

    init(_ eventLoop: any EventLoop, store: String, event: @escaping (Event) -> Void) {
        (self.eventLoop, self.store, self.event) = (eventLoop, store, event)
        pending = eventLoop.makeSucceededVoidFuture()
    }

    func start() { connect() }

    /// Done when nothing of it is on its way any more.
    func stop() -> EventLoopFuture<Void> {
        isStopped = true
        channel?.close(promise: nil)
        return pending
    }

    private func connect() {
        guard !isStopped else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        // A recorder that stands still lets one connect, and says nothing.
        pending = NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { [store] in
            FeedConnection(store: store, waitingAtMost: 1)
        }.map { connection in
            if let connection { bound.value.take(connection) } else { bound.value.tryAgain() }
        }.recover { _ in bound.value.tryAgain() }
    }

    private func take(_ connection: FeedConnection) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LineHandler(bound.value, connection))
                }
            }
            .withConnectedSocket(connection.descriptor)
            .whenComplete { result in
                switch result {
                case .success(let channel): bound.value.connected(channel)
                case .failure: bound.value.tryAgain()
                }
            }
    }

    private func connected(_ channel: any Channel) {
        guard !isStopped, channel.isActive else { return channel.close(promise: nil) }
        self.channel = channel
        channel.write(ByteBuffer(string: FeedRequest.values(false).line), promise: nil)
        channel.writeAndFlush(ByteBuffer(string: FeedRequest.meters.line), promise: nil)
    }

    private func tryAgain() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .milliseconds(500)) { bound.value.connect() }
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
        private let connection: FeedConnection
        private var framer = LineFramer()
        private var decoder = FeedDecoder()

        init(_ client: FeedClient, _ connection: FeedConnection) {
            (self.client, self.connection) = (client, connection)
        }

        func channelActive(context: ChannelHandlerContext) {
            client.began(connection.levels)
            read(connection.first)
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
