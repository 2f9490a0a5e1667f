import AtlasProtocol
import CSockets
import Glibc
import NIOCore
import NIOPosix

/// The TCP side of one unit: connects with a limit, cuts lines, notices a dead peer.
enum ControlChannel {
    /// Seconds, for the address and again for the connection.
    static let connectLimit: Int64 = 5
    /// Seconds without a segment from the unit after which the kernel asks by itself.
    static let quietLimit = 5

    enum Input: Sendable {
        case line(LineFramer.Line)
        /// The end: errno 0 for FIN. `unheard`: since when the unit's TCP had sent nothing, not even an acknowledgement;
        /// nil where that cannot be told.
        case closed(errno: Int32, unheard: Span?)
    }

    /// Connects; `receive` is called on the event loop, for each line and once for the end.
    static func connect(
        to address: SocketAddress, on eventLoop: any EventLoop, receive: @escaping @Sendable (Input) -> Void
    ) -> EventLoopFuture<any Channel> {
        func option(_ level: CInt, _ name: CInt) -> ChannelOptions.Types.SocketOption {
            ChannelOptions.Types.SocketOption(level: .init(rawValue: level), name: .init(rawValue: name))
        }
        let tcp = CInt(IPPROTO_TCP)
        return ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(connectLimit))
            .channelOption(option(SOL_SOCKET, SO_KEEPALIVE), value: 1)
            // A cut cable is noticed in about 7 s idle by the probes, in about 8.5 s writing by the user timeout;
            // neither does both (tcp(7)).
            .channelOption(option(tcp, TCP_KEEPIDLE), value: quietLimit)
            .channelOption(option(tcp, TCP_KEEPINTVL), value: 2)
            .channelOption(option(tcp, TCP_KEEPCNT), value: 3)
            .channelOption(option(tcp, TCP_USER_TIMEOUT), value: 8_000)
            .channelOption(option(tcp, TCP_NODELAY), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LineHandler(receive: receive))
                }
            }
            .connect(to: address)
    }

    /// What the kernel knows of a connection; fails once its socket is closed.
    static func look(at channel: any Channel) -> EventLoopFuture<csockets_tcp_info> {
        guard let socket = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        return socket.unsafeGetSocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: CInt(TCP_INFO)))
    }

    /// What an attempt failed of, and its errno.
    static func failure(_ error: any Error) -> (cause: Cause, errno: Int32) {
        switch error {
        case ChannelError.connectTimeout: return (.timeout, ETIMEDOUT)
        case let error as IOError: return (cause(connecting: error.errnoCode), error.errnoCode)
        default: return (.unreachable, EHOSTUNREACH)
        }
    }

    private static func cause(connecting errno: Int32) -> Cause {
        switch errno {
        case ECONNREFUSED: .refused
        case ETIMEDOUT: .timeout
        case ECONNRESET: .reset
        default: .unreachable
        }
    }

    /// Why an established connection ended.
    static func cause(ending errno: Int32) -> Cause {
        switch errno {
        case 0, EPIPE: .closed
        // What a router or our own host says of an established connection ends it only when the time is up (tcp(7)): a
        // cut cable is EHOSTUNREACH as often as ETIMEDOUT.
        case ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN: .silent
        default: .reset
        }
    }
}

extension csockets_tcp_info {
    /// Whether all that was written has reached the unit's TCP. What no route lets out is not even sent.
    var isAcknowledged: Bool { unacked == 0 && notsent_bytes == 0 }
    /// Whether the unit's TCP takes some more questions of 72 bytes. One that is sent more than the unit reads is stuck,
    /// and the user timeout ends a stuck connection as it ends a silent one.
    var hasRoom: Bool { snd_wnd >= 512 }
}

private final class LineHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let receive: @Sendable (ControlChannel.Input) -> Void
    private var framer = LineFramer()
    private var errno: Int32 = 0
    private var unheard: Span?

    init(receive: @escaping @Sendable (ControlChannel.Input) -> Void) { self.receive = receive }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        framer.feed(unwrapInboundIn(data).readableBytesView) { receive(.line($0)) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError {
            errno = error.errnoCode
            // Now, while the socket is open.
            ControlChannel.look(at: context.channel).assumeIsolated().whenSuccess { info in
                self.unheard = .milliseconds(Int(min(info.last_data_recv, info.last_ack_recv)))
            }
        }
        context.close(promise: nil)
    }

    /// A write that finds the connection reset ends the channel without an error event: only its promise knows why.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise()
        promise.futureResult.assumeIsolated().whenFailure { error in
            if self.errno == 0, let error = error as? IOError { self.errno = error.errnoCode }
        }
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) { receive(.closed(errno: errno, unheard: unheard)) }
}
