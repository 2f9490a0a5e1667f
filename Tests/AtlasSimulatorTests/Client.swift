import Glibc
import NIOCore
import NIOPosix

@testable import AtlasSimulator

/// A controller's TCP connection.
final class Client {
    enum Heard: Equatable, Sendable { case line(String), finished, reset }

    let channel: any Channel
    private var heard: AsyncStream<Heard>.Iterator

    /// `from`: the local address, nil for the one the kernel chooses.
    init(_ unit: SocketAddress, from host: String? = nil) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Heard.self)
        let local = try host.map { try SocketAddress(ipAddress: $0, port: 0) }
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LineListener(continuation))
                }
            }
        if let local { bootstrap = bootstrap.bind(to: local) }
        channel = try await bootstrap.connect(to: unit).get()
        heard = stream.makeAsyncIterator()
    }

    func send(_ lines: String...) async throws {
        for line in lines { try await channel.writeAndFlush(ByteBuffer(string: line + "\n")).get() }
    }

    /// The next line, or how the connection ended.
    func next() async -> Heard? { await heard.next() }

    /// The next line; nil when the connection ended instead.
    func line() async -> String? {
        if case .line(let line) = await next() { line } else { nil }
    }

    func close() async throws { try await channel.close().get() }

    /// Ends the connection with RST.
    func reset() async throws {
        try await (channel as! any SocketOptionProvider).setSoLinger(NIOLinger(l_onoff: 1, l_linger: 0)).get()
        try await close()
    }

    func tcpInfo() async throws -> tcp_info {
        try await (channel as! any SocketOptionProvider).getTCPInfo().get()
    }
}

/// The UDP socket beside a controller.
final class MeterListener {
    struct Datagram: Equatable, Sendable {
        let text: String
        let from: SocketAddress
    }
    let port: Int
    private let channel: any Channel
    private var datagrams: AsyncStream<Datagram>.Iterator

    init(host: String = "127.0.0.1", port: Int = 0) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Datagram.self)
        channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramListener(continuation))
                }
            }
            .bind(host: host, port: port).get()
        self.port = channel.localAddress!.port!
        datagrams = stream.makeAsyncIterator()
    }

    func next() async -> Datagram { await datagrams.next()! }

    /// The next datagram for which it is true.
    func next(where isMeant: (String) -> Bool) async -> String {
        while true {
            let datagram = await next()
            if isMeant(datagram.text) { return datagram.text }
        }
    }

    func close() async throws { try await channel.close().get() }
}

/// The numbers of an `update`, by parameter name, as they are spelt.
func values(_ text: String, _ format: String = "val") -> [String: String] {
    guard case .array(let params) = JSONValue(Array(text.utf8))?["params"] else { return [:] }
    return params.reduce(into: [:]) { values, member in
        guard let name = member["param"]?.string, case .number(let number) = member[format] else { return }
        values[name] = number
    }
}

func subscribe(_ names: [String], _ format: String = "val", method: String = "sub", id: Int? = nil) -> String {
    let params = names.map { "{\"param\":\"\($0)\",\"fmt\":\"\(format)\"}" }.joined(separator: ",")
    let end = id.map { ",\"id\":\($0)" } ?? ""
    return "{\"jsonrpc\":\"2.0\",\"method\":\"\(method)\",\"params\":[\(params)]\(end)}"
}

func keepAlive(id: Int) -> String { subscribe(["KeepAlive"], "str", method: "get", id: id) }
func alive(id: Int) -> String {
    "{\"jsonrpc\":\"2.0\",\"method\":\"getResp\",\"params\":[{\"param\":\"KeepAlive\",\"str\":\"OK\"}],\"id\":\(id)}"
}

private final class LineListener: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let heard: AsyncStream<Client.Heard>.Continuation
    private var unread: [UInt8] = []
    private var end = Client.Heard.finished

    init(_ heard: AsyncStream<Client.Heard>.Continuation) { self.heard = heard }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unread += unwrapInboundIn(data).readableBytesView
        while let newline = unread.firstIndex(of: UInt8(ascii: "\n")) {
            heard.yield(.line(String(decoding: unread[..<newline], as: UTF8.self)))
            unread.removeSubrange(...newline)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end = .reset
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        heard.yield(end)
        heard.finish()
    }
}

private final class DatagramListener: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let heard: AsyncStream<MeterListener.Datagram>.Continuation

    init(_ heard: AsyncStream<MeterListener.Datagram>.Continuation) { self.heard = heard }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        heard.yield(.init(text: String(buffer: envelope.data), from: envelope.remoteAddress))
    }
}
