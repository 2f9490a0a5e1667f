import CSockets
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Recorder

@Suite(.timeLimit(.minutes(1)))
struct ControlChannelTests {
    @Test("a unit that reads no more acknowledges what it has room for; what is more is stuck")
    func roomOfAUnitThatDoesNotRead() async throws {
        let unit = DeafListener(receiveBuffer: 4_096)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        let target = try SocketAddress(ipAddress: "127.0.0.1", port: Int(unit.port))
        let channel = try await ControlChannel.connect(to: target, on: eventLoop) { _ in }.get()
        func look() async throws -> csockets_tcp_info { try await ControlChannel.look(at: channel).get() }

        var questions = 0
        while try await look().hasRoom, questions < 1_000 {
            try await channel.writeAndFlush(ByteBuffer(repeating: 10, count: 72))
            questions += 1
            try await eventually { try await look().isAcknowledged }
        }
        #expect((1..<1_000).contains(questions))
        try await channel.writeAndFlush(ByteBuffer(repeating: 10, count: 16_384))
        try await eventually { try await look().notsent_bytes > 0 }
        let isAcknowledged = try await look().isAcknowledged
        #expect(!isAcknowledged)
        try await channel.close()
    }

    @Test("an end that the kernel decides is silence, whatever errno it gives; FIN and RST are the unit's own")
    func ends() {
        for errno in [ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EHOSTDOWN] {
            #expect(ControlChannel.cause(ending: errno) == .silent, "\(ErrnoName.name(errno))")
        }
        #expect(ControlChannel.cause(ending: 0) == .closed && ControlChannel.cause(ending: EPIPE) == .closed)
        #expect(ControlChannel.cause(ending: ECONNRESET) == .reset)
    }
}

/// Takes connections and never reads from them.
private final class DeafListener: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init(receiveBuffer: Int32) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var size = receiveBuffer
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
        var local = PlainSocket.endpoint("127.0.0.1", 0)
        var length: socklen_t = 16
        withUnsafeMutablePointer(to: &local) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(descriptor, $0, 16) == 0 && listen(descriptor, 1) == 0)
                getsockname(descriptor, $0, &length)
            }
        }
        self.descriptor = descriptor
        port = UInt16(bigEndian: local.sin_port)
    }
    deinit { close(descriptor) }
}
