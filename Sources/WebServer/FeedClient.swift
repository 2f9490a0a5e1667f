import AtlasProtocol
import NIOCore
import NIOPosix
import Recorder
import RecorderStore

/// The server's own reading of the feed: connects, again and again while nobody serves it, and hands on what the lines say.
/// Confined to its event loop.
final class FeedClient {
    enum Event {
        case began
        case message(FeedMessage, FeedDecoder)
        case ended
    }

    private let eventLoop: any EventLoop
    private let path: String
    private let event: (Event) -> Void
    private var channel: (any Channel)?
    private var isStopped = false
    /// Whether anybody looks at meters: else the recorder need not tell of them.
    private(set) var wantsValues = false

    init(_ eventLoop: any EventLoop, store: String, event: @escaping (Event) -> Void) {
        (self.eventLoop, self.event) = (eventLoop, event)
        path = FeedServer.path(forStore: StoreFile.resolved(store))
    }

    func start() { connect() }

    func stop() {
        isStopped = true
        channel?.close(promise: nil)
    }

    func wantValues(_ wanted: Bool) {
        guard wanted != wantsValues else { return }
        wantsValues = wanted
        ask()
    }

    private func ask() {
        channel?.writeAndFlush(ByteBuffer(string: FeedRequest.line(values: wantsValues)), promise: nil)
    }

    private func connect() {
        guard !isStopped else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LineHandler(bound.value))
                }
            }
            .connect(unixDomainSocketPath: path)
            .whenComplete { result in
                switch result {
                case .success(let channel): bound.value.connected(channel)
                case .failure: bound.value.tryAgain()
                }
            }
    }

    private func connected(_ channel: any Channel) {
        guard !isStopped else { return channel.close(promise: nil) }
        self.channel = channel
        event(.began)
        ask()
    }

    private func tryAgain() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .milliseconds(500)) { bound.value.connect() }
    }

    fileprivate func take(_ message: FeedMessage, _ decoder: FeedDecoder) { event(.message(message, decoder)) }

    fileprivate func ended() {
        guard channel != nil else { return }
        channel = nil
        event(.ended)
        tryAgain()
    }

    private final class LineHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let client: FeedClient
        private var framer = LineFramer()
        private var decoder = FeedDecoder()

        init(_ client: FeedClient) { self.client = client }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            framer.feed(unwrapInboundIn(data).readableBytesView) { line in
                guard case .complete(let bytes) = line else { return }
                let message = decoder.decode(bytes)
                client.take(message, decoder)
            }
        }
        func channelInactive(context: ChannelHandlerContext) { client.ended() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
