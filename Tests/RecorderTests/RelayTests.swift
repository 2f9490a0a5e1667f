import AtlasProtocol
import AtlasSimulator
import CSockets
import Glibc
import Testing

@testable import Recorder

/// The sending end alone, between real sockets.
@Suite(.timeLimit(.minutes(1)))
struct RelayYieldTests {
    @Test("from half a receive buffer on recording goes first: what is not passed on is counted; then it is again")
    func yields() throws {
        let port = freePort()
        var got: Int32 = 0
        let descriptor = csockets_bind_udp(IPv4Address("127.0.0.1")!.bits, port, 64 * 1024, &got)
        try #require(descriptor >= 0)
        let socket = MeterSocket(descriptor, IPv4Address("127.0.0.1")!, peer: nil)
        defer { socket.close() }
        let batch = try #require(csockets_batch_create(8, 2048))
        defer { csockets_batch_free(batch) }
        let relay = try Relay()
        relay.isWanted = true
        let listener = Listener(port: port)
        let sender = PlainSocket(address: "127.0.0.1", port: 0, reuse: false)
        let text = String(repeating: "x", count: 400)

        sender.send(text, to: "127.0.0.1", port)
        socket.isDrained = false
        socket.lookAtFilling()
        #expect(!socket.isFilling)
        for _ in 0..<2_000 { sender.send(text, to: "127.0.0.1", port) }
        socket.lookAtFilling()
        #expect(socket.isFilling)
        #expect(csockets_receive(descriptor, batch) == 8)
        relay.pass(batch, count: 8, from: socket)
        let unsent = try #require(relay.takeFailures())
        #expect(unsent.count == 8 && unsent.errno == ENOBUFS && unsent.port == port)
        #expect(listener.drain() == 0)

        while csockets_receive(descriptor, batch) == 8 {}
        socket.lookAtFilling()
        #expect(!socket.isFilling)
        sender.send(text, to: "127.0.0.1", port)
        #expect(csockets_receive(descriptor, batch) == 1)
        relay.pass(batch, count: 1, from: socket)
        #expect(relay.takeFailures() == nil)
        #expect(listener.drain() == 1)
    }
}

/// Other programs beside the recorder, on real sockets.
@Suite(.timeLimit(.minutes(1)))
struct RelayTests {
    @Test("programs on 0.0.0.0, one there before the recorder and one after, each get every datagram, and so does it")
    func everybody() async throws {
        let port = freePort()
        let before = Listener(port: port)
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("relaying")
        let up = await rig.line("subscribed")
        let after = Listener(port: port)
        await rig.line("another program is on the meters' port", "gets every datagram by relay", after: up)

        /// Stops the unit; when all that it sent is stored, it has been passed on, too.
        func settled() async throws -> (datagrams: Int, samples: Int) {
            try await simulator.inject(.freeze)
            let sent = try await simulator.statistics()
            try await eventually { try rig.integer("SELECT sum(stored) FROM sample_minute") >= sent.samples }
            return (sent.datagrams, sent.samples)
        }
        let first = try await settled()
        let (seenBefore, seenAfter) = (before.drain(), after.drain())
        #expect(seenBefore == first.datagrams)
        try await simulator.lift(.freeze)
        try await eventually { try await simulator.statistics().samples > first.samples + 500 }
        let second = try await settled()
        let (moreBefore, moreAfter) = (before.drain(), after.drain())
        #expect(moreBefore == second.datagrams - first.datagrams)
        #expect(moreAfter == second.datagrams - first.datagrams)
        #expect(seenAfter < seenBefore)
        try await rig.stop()
        #expect(try rig.integer("SELECT sum(stored) FROM sample_minute") == second.samples)
        try await simulator.shutdown()
    }

    @Test("without a listener nothing is passed on, and without relay a listener gets nothing")
    func noRelay() async throws {
        let port = freePort()
        let listener = Listener(port: port)
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port, relays: false)
        await rig.line("gets nothing: --no-relay")
        await rig.line("subscribed")
        try await eventually { try rig.integer("SELECT sum(stored) FROM sample_minute") > 300 }
        #expect(listener.drain() == 0)
        #expect(try rig.integer("SELECT count(*) FROM connection_events WHERE event = 'relaying'") == 0)
        try await rig.stop()
        try await simulator.shutdown()
    }

    @Test(
        "a program on [::] is passed everything, too; one that takes IPv6 only, or one address, does not start the relay"
    )
    func ipv6() async throws {
        let port = freePort()
        let deaf = [
            Listener(ipv6: "::", only: true, port: port), Listener(ipv6: "::1", port: port),
            Listener(ipv6: "::ffff:127.0.0.1", port: port),
        ]
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("subscribed")
        try await eventually { try rig.integer("SELECT sum(stored) FROM sample_minute") > 300 }
        #expect(rig.count(of: "another address, none of the recorder's datagrams") == 2)
        #expect(rig.count(of: "gets nothing, bound to this recorder's own address before it") == 1)
        #expect(rig.count(of: "relaying") == 0)
        let both = Listener(ipv6: "::", port: port)
        await rig.line("relaying")
        try await eventually { both.drain() > 0 }
        await rig.line("gets every datagram by relay")
        #expect(rig.count(of: "gets every datagram by relay") == 1)
        for listener in deaf { #expect(listener.drain() == 0) }
        try await rig.stop()
        try await simulator.shutdown()
    }

    @Test("with the right to, the unit's own address is kept", .enabled(if: geteuid() == 0, "takes CAP_NET_RAW"))
    func ownAddress() async throws {
        let port = freePort()
        let listener = Listener(port: port)
        let (simulator, specs) = try await simulatedUnits(meterPort: port) { $0.firstAddress = "127.0.0.9" }
        let rig = Rig(specs, meterPort: port)
        await rig.line("relaying", "under the unit's own address")
        try await eventually { listener.drain() > 0 }
        #expect(listener.sources == [IPv4Address("127.0.0.9")!])
        try await rig.stop()
        try await simulator.shutdown()
    }

    @Test("who binds the recorder's own address after it is named, recorded as taken, and loses it again")
    func thief() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        let up = await rig.line("meters up")
        let thief = PlainSocket(address: "127.0.0.1", port: port, reuse: true)
        let taken = await rig.line("meters down: taken", "(pid \(getpid()))", after: up)
        await rig.line("taken back from", "(pid \(getpid()))", after: up)
        await rig.line("meters up", after: taken)
        try await rig.stop()
        #expect(thief.port == port)  // it lived until here
        let rows = try rig.texts(
            "SELECT state, cause, ended_us - started_us < 2000000 FROM link_states WHERE link = 'meters' AND cause = 'taken'"
        )
        #expect(rows == ["down taken 1"])
        try await simulator.shutdown()
    }

    @Test("from a socket that is connected to the unit a connected one takes the meters back")
    func connectedThief() async throws {
        let port = freePort()
        // Answers the keep-alive by TCP and everything else with OK.
        let unit = try await ScriptedUnit { line, id in
            line.contains("KeepAlive")
                ? [#"{"jsonrpc":"2.0","method":"getResp","params":[{"param":"KeepAlive","str":"OK"}]}"#]
                : [#"{"jsonrpc":"2.0","result":"OK","id":\#(id)}"#]
        }
        let sender = PlainSocket(address: "127.0.0.1", port: 0, reuse: false)
        let rig = Rig([unit.spec], meterPort: port)
        func send(_ level: Int) {
            sender.send(
                #"{"jsonrpc":"2.0","method":"update","params":{"param":"ZoneMeter_0","val":\#(level)}}"#,
                to: "127.0.0.1",
                port)
        }
        await rig.line("control up")
        send(-1)
        let up = await rig.line("meters up")
        let thief = Listener(address: "127.0.0.1", port: port)
        thief.connect("127.0.0.1", sender.port)
        let back = await rig.line("taken back from", after: up)
        try await eventually {
            send(-2)
            return rig.lineCount > back
        }
        await rig.line("meters up", after: back - 1)
        try await eventually { try rig.integer("SELECT count(*) FROM meter_samples WHERE level_db = -2") > 0 }
        try await rig.stop()
        try await unit.stop()
    }
}

/// A program that listens on the port, as others do.
final class Listener: @unchecked Sendable {
    private let socket: PlainSocket
    private(set) var sources: Set<IPv4Address> = []

    convenience init(address: String = "0.0.0.0", port: UInt16) {
        self.init(PlainSocket(address: address, port: port, reuse: true))
    }
    convenience init(ipv6: String, only: Bool = false, port: UInt16) {
        self.init(PlainSocket(ipv6: ipv6, only: only, port: port))
    }
    private init(_ socket: PlainSocket) {
        self.socket = socket
        var size: Int32 = 4 * 1024 * 1024
        setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, 4)
    }

    func connect(_ address: String, _ port: UInt16) {
        var peer = PlainSocket.endpoint(address, port)
        _ = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket.descriptor, $0, 16) }
        }
    }

    /// Reads what waits; how many datagrams it was.
    func drain() -> Int {
        var count = 0
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            var source = sockaddr_in()
            var size: socklen_t = 16
            let length = withUnsafeMutablePointer(to: &source) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(socket.descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT), $0, &size)
                }
            }
            guard length >= 0 else { return count }
            sources.insert(IPv4Address(bits: UInt32(bigEndian: source.sin_addr.s_addr)))
            count += 1
        }
    }
}
