import AtlasProtocol
import CSockets
import Diagnosis
import Glibc
import Testing

@testable import Recorder

/// What `ports` says is held to what the kernel does: real sockets, real datagrams.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct PortLookTests {
    /// How another program's socket is bound, in the order they come.
    enum Binding: String, Sendable { case any, specific, connected, any6, mapped6, only6 }

    private static let arrangements: [[Binding]] = [
        [.any], [.any, .any], [.any, .any, .any], [.any, .specific], [.specific, .any], [.specific, .specific],
        [.specific, .specific, .any], [.any6], [.any6, .any], [.any, .any6], [.any6, .any6], [.mapped6, .any],
        [.any, .mapped6], [.mapped6, .specific], [.specific, .mapped6], [.connected, .specific],
        [.specific, .connected],
        [.connected, .connected, .any], [.any6, .specific, .any, .connected], [.any6, .mapped6],
        [.only6], [.only6, .only6], [.only6, .any], [.only6, .specific],
    ]

    @Test("the socket that is said to get the datagrams gets them all, the others none", arguments: arrangements)
    func saysWhoGetsThem(bindings: [Binding]) throws {
        let sender = PlainSocket(address: "127.0.0.1", port: 0, reuse: false)
        let port = freePort()
        let sockets = bindings.map { ReceivingSocket($0, port, peer: sender.port) }
        let picture = try PortLook.look(port: port, controlPort: 9)
        #expect(picture.entries.count == sockets.count)
        for _ in 0..<20 { sender.send("x", to: "127.0.0.1", port) }
        let connected = bindings.contains(.connected)
        for (binding, socket) in zip(bindings, sockets) {
            let entry = try #require(picture.entries.first { $0.socket.inode == socket.inode })
            // All are sent to 127.0.0.1, by the one that some are connected to.
            let isFirst = entry.share == .fromPeer || (entry.share == .all && !connected)
            let received = socket.drain()
            #expect(received == (isFirst ? 20 : 0), "\(binding): \(entry.share), \(entry.reason)")
            #expect(entry.socket.owner.programs.map(\.pid) == [getpid()])
        }
        withExtendedLifetime(sockets) {}
    }

    @Test("a lone socket's address reuse is told without taking anything from it", arguments: [true, false])
    func reuse(isShared: Bool) throws {
        let port = freePort()
        let socket = PlainSocket(port: port, reuse: isShared)
        let sender = PlainSocket(address: "127.0.0.1", port: 0, reuse: false)
        for _ in 0..<50 {
            sender.send("x", to: "127.0.0.1", port)
            let entries = try PortLook.look(port: port, controlPort: 9).entries
            #expect(entries.map(\.reusesAddress) == [isShared])
            sender.send("x", to: "127.0.0.1", port)
        }
        var bytes = [UInt8](repeating: 0, count: 16)
        var count = 0
        while recv(socket.descriptor, &bytes, 16, Int32(MSG_DONTWAIT)) > 0 { count += 1 }
        #expect(count == 100)
    }

    @Test("an IPv6 socket is told by its own address")
    func ipv6Places() throws {
        let port = freePort()
        let sockets = [ReceivingSocket(.mapped6, port, peer: 9), ReceivingSocket(.any6, port, peer: 9)]
        let places = Set(try PortLook.look(port: port, controlPort: 9).entries.map(\.socket.place))
        #expect(places == ["[::ffff:127.0.0.1]:\(port)", "[::]:\(port)"])
        withExtendedLifetime(sockets) {}
    }

    @Test("hundreds of sockets on one port")
    func many() throws {
        let port = freePort()
        let sockets = (0..<300).map { _ in PlainSocket(port: port, reuse: true) }
        let entries = try PortLook.look(port: port, controlPort: 9).entries
        #expect(entries.count == 300)
        #expect(entries.count { $0.share == .all } == 1)
        #expect(entries.allSatisfy { $0.reusesAddress == true })
        withExtendedLifetime(sockets) {}
    }
}

/// A socket with address reuse that counts what it receives.
private final class ReceivingSocket {
    let descriptor: Int32
    var inode: UInt64 { PortInspector.inode(of: descriptor) }

    init(_ binding: PortLookTests.Binding, _ port: UInt16, peer: UInt16) {
        let isIPv6 = [.any6, .mapped6, .only6].contains(binding)
        descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        if isIPv6 {
            var only: Int32 = binding == .only6 ? 1 : 0
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &only, 4)
            var local = sockaddr_in6()
            local.sin6_family = sa_family_t(AF_INET6)
            local.sin6_port = port.bigEndian
            inet_pton(AF_INET6, binding == .mapped6 ? "::ffff:127.0.0.1" : "::", &local.sin6_addr)
            attach(&local, bind)
        } else {
            var local = PlainSocket.endpoint(binding == .any ? "0.0.0.0" : "127.0.0.1", port)
            attach(&local, bind)
        }
        if binding == .connected {
            var remote = PlainSocket.endpoint("127.0.0.1", peer)
            attach(&remote, connect)
        }
    }

    private func attach<Address>(
        _ address: inout Address, _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) {
        let size = socklen_t(MemoryLayout<Address>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(descriptor, $0, size) }
        }
        precondition(code == 0, String(cString: strerror(errno)))
    }

    /// How many datagrams were there. A loopback send has arrived when it returns.
    func drain() -> Int {
        var bytes = [UInt8](repeating: 0, count: 16)
        var count = 0
        while recv(descriptor, &bytes, 16, Int32(MSG_DONTWAIT)) > 0 { count += 1 }
        return count
    }

    deinit { close(descriptor) }
}
