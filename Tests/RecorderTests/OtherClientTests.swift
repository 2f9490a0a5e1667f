import AtlasProtocol
import AtlasSimulator
import NIOCore
import NIOPosix
import Testing

@testable import Recorder

/// Another program of this host with a connection of its own: the unit sends each value for it, too, to the same port.
@Suite(.timeLimit(.minutes(1)))
struct OtherClientTests {
    @Test("a second client on an IPv6 socket that speaks IPv4 is one, too")
    func mappedClient() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("subscribed")
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: SocketAddress(ipAddress: "::ffff:127.0.0.1", port: Int(specs[0].controlPort))).get()
        let line = #"{"jsonrpc":"2.0","method":"sub","params":{"param":"ZoneMeter_0","fmt":"val"}}"# + "\n"
        try await channel.writeAndFlush(ByteBuffer(string: line))
        await rig.line("another program of this host has a connection")
        try await eventually { try rig.integer("SELECT sum(duplicate) FROM sample_minute") > 10 }
        try await channel.close()
        try await rig.stop()
        try await simulator.shutdown()
    }

    @Test("a second client does not double or spoil the samples", arguments: ["val", "pct"])
    func secondClient(format: String) async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("subscribed")
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: specs[0].host, port: Int(specs[0].controlPort)).get()
        for message in Subscription.everything.prefix(4) {
            let parameters = message.map { #"{"param":"\#($0.name)","fmt":"\#(format)"}"# }
            for parameter in parameters {
                let line = #"{"jsonrpc":"2.0","method":"sub","params":\#(parameter)}"# + "\n"
                try await channel.writeAndFlush(ByteBuffer(string: line))
            }
        }
        try await eventually {
            let connections = try await simulator.statistics().units[0].connections
            let open = connections.filter(\.isOpen)
            return open.count == 2 && open.allSatisfy { $0.samples > 1_000 }
        }
        try await simulator.inject(.freeze)
        let connections = try await simulator.statistics().units[0].connections
        let (ours, theirs) = (connections[0].samples, connections[1].samples)
        try await eventually { try rig.integer("SELECT sum(stored + duplicate) FROM sample_minute") >= ours }
        try await channel.close()
        try await rig.stop()
        let stored = try rig.integer("SELECT sum(stored) FROM sample_minute")
        let duplicates = try rig.integer("SELECT sum(duplicate) FROM sample_minute")
        if format == "val" {
            #expect(stored + duplicates == ours + theirs)
            // The first value after a subscription comes between two ticks and is a value of its own.
            #expect(stored - ours <= 34 * 3, "stored \(stored), sent to us \(ours), to the other \(theirs)")
        } else {
            // Where we had to subscribe anew, the first values may be copies of a tick of that moment.
            #expect(stored + duplicates == ours)
            #expect(duplicates <= 34 * 3)
        }
        #expect(try rig.integer("SELECT count(*) FROM meter_samples WHERE level_db > 0") == 0)
        try await simulator.shutdown()
    }
}
