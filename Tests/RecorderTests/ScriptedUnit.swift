import NIOCore
import NIOPosix
import RecorderStore

/// A unit that answers each line as the test says; for what the simulator does not do.
final class ScriptedUnit: Sendable {
    let spec: ProcessorSpec
    private let channel: any Channel

    /// `answer`: the lines to send back for a line with this id (0 if it has none).
    init(_ answer: @escaping @Sendable (String, Int) -> [String]) async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        spec = ProcessorSpec(name: "Unit 0", host: "127.0.0.1", controlPort: UInt16(channel.localAddress!.port!))
    }

    func stop() async throws { try await channel.close() }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: @Sendable (String, Int) -> [String]
        private var held = ""

        init(_ answer: @escaping @Sendable (String, Int) -> [String]) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            held += String(buffer: unwrapInboundIn(data))
            while let end = held.firstIndex(of: "\n") {
                let line = String(held[..<end])
                held.removeSubrange(...end)
                let id = line.split(separator: #""id":"#, maxSplits: 1).dropFirst().first.flatMap {
                    Int($0.prefix { $0.isNumber })
                }
                for reply in answer(line, id ?? 0) {
                    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: reply + "\n")), promise: nil)
                }
            }
        }
    }
}
