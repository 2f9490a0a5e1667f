import NIOCore

/// How much a connection may send, and how long it may take, before a request is whole: bytes that trickle in do not hold a
/// place. Confined to its event loop.
final class HeadLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    /// Bytes: what a browser sends is a tenth of it.
    private static let limit = 32 * 1024
    private static let patience = TimeAmount.seconds(10)
    private var sent = 0
    private var deadline: Scheduled<Void>?

    func requestBegan() {
        sent = 0
        deadline?.cancel()
        deadline = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        expectHead(on: context.channel)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        sent += unwrapInboundIn(data).readableBytes
        guard sent <= Self.limit else { return context.close(promise: nil) }
        if deadline == nil { expectHead(on: context.channel) }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    private func expectHead(on channel: any Channel) {
        deadline = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }
}
