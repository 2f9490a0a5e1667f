import NIOCore
import NIOHTTP1

/// One connection of HTTP/1.1. A request is judged by its head; one that carries a body is refused with it.
final class RequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: WebServer
    private let limit: HeadLimit

    init(_ server: WebServer, _ limit: HeadLimit) { (self.server, self.limit) = (server, limit) }

    func channelActive(context: ChannelHandlerContext) {
        server.assumeIsolated { [channel = context.channel] in $0.came(channel) }
    }
    func channelInactive(context: ChannelHandlerContext) {
        server.assumeIsolated { [channel = context.channel] in $0.left(channel) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // The end of a request says nothing more, and what has a body was refused.
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        limit.requestBegan()
        let asked = Gate.Head(
            method: head.method.rawValue, target: head.uri,
            fields: head.headers.map { ($0.name.lowercased(), $0.value) })
        let reply = Reply(
            channel: context.channel, isHead: head.method == .HEAD, isKept: head.isKeepAlive && !asked.hasBody)
        server.assumeIsolated { $0.answer(asked, reply) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        server.assumeIsolated { [channel = context.channel] in $0.drained(channel) }
    }

    /// Nothing was asked and nothing is followed for so long.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
        let follows = server.assumeIsolated { [channel = context.channel] in $0.follows(channel) }
        if !follows { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Where an answer goes.
struct Reply: Sendable {
    let channel: any Channel
    /// Asked by HEAD: it gets no body.
    let isHead: Bool
    let isKept: Bool

    func send(_ answer: Answer) {
        var head = Answer.head(answer.status, type: answer.type, length: answer.body.readableBytes, answer.fields)
        if !isKept { head.headers.add(name: "Connection", value: "close") }
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        if !isHead { channel.write(HTTPServerResponsePart.body(.byteBuffer(answer.body)), promise: nil) }
        let sent = channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        if !isKept { sent.whenComplete { _ in channel.close(promise: nil) } }
    }

    /// The begin of an answer without end.
    func begin(type: String) {
        channel.writeAndFlush(HTTPServerResponsePart.head(Answer.head(.ok, type: type, length: nil)), promise: nil)
    }
}
