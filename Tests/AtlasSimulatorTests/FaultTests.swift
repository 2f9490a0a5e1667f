import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import AtlasSimulator

@Suite(.timeLimit(.minutes(1)))
struct FaultTests {
    /// A client with a subscribed meter that has come once.
    private func subscribed(_ bench: Bench) async throws -> Client {
        let client = try await bench.connect()
        try await client.send(subscribe(["ZoneMeter_0"]))
        _ = await bench.values(with: "ZoneMeter_0")
        return client
    }

    @Test("refuse ends connections with FIN and refuses new ones; lifted, the unit listens at the same port")
    func refuse() async throws {
        try await Bench.run { bench in
            let client = try await subscribed(bench)
            try await bench.simulator.inject(.refuse, unit: 0)
            #expect(await client.next() == .finished)
            let refused = await #expect(throws: IOError.self) { _ = try await bench.connect() }
            #expect(refused?.errnoCode == ECONNREFUSED)
            try await bench.simulator.inject(.clear, unit: 0)
            let again = try await bench.connect()
            try await again.send(keepAlive(id: 1))
            #expect(await again.line() == alive(id: 1))
        }
    }

    @Test("accept and close: FIN at once, also to a client whose bytes came before the unit accepted it")
    func acceptAndClose() async throws {
        try await Bench.run { bench in
            let before = try await subscribed(bench)
            try await bench.simulator.inject(.freeze)
            let early = try await bench.connect()
            try await early.send(subscribe(["ZoneMeter_0"], id: 1))
            try await bench.simulator.inject(.acceptAndClose)
            #expect(await before.next() == .finished)
            try await bench.simulator.lift(.freeze)
            #expect(await early.next() == .finished)
            #expect(await (try await bench.connect()).next() == .finished)
            #expect(try await bench.simulator.statistics().commands.count == 1)
        }
    }

    @Test("wedge: commands are heard but not answered, meters flow")
    func wedge() async throws {
        try await Bench.run { bench in
            let client = try await subscribed(bench)
            try await bench.simulator.inject(.wedge)
            try await client.send("nonsense", keepAlive(id: 1), subscribe(["ZoneMeter_1"], id: 2))
            await bench.events.received("sub", "ZoneMeter_1")
            try await bench.simulator.set(parameter: "ZoneMeter_0", value: -1)
            _ = await bench.meters.next { values($0) == ["ZoneMeter_0": "-1.0"] }
            try await bench.simulator.lift(.wedge)
            try await client.send(keepAlive(id: 3))
            #expect(await client.line() == alive(id: 3))
        }
    }

    @Test("not enabled: connections are ended, new ones are never answered and get no meters")
    func notEnabled() async throws {
        try await Bench.run { bench in
            let before = try await subscribed(bench)
            try await bench.simulator.inject(.notEnabled)
            #expect(await before.next() == .finished)
            let client = try await bench.connect()
            try await client.send(subscribe(["ZoneMeter_1"], id: 1))
            await bench.events.received("sub", "ZoneMeter_1")
            try await bench.simulator.inject(.clear)
            try await client.send(subscribe(["ZoneMeter_2"], id: 2))
            #expect(await client.line() == #"{"jsonrpc":"2.0","result":"OK","id":2}"#)
            let first = await bench.meters.next { values($0)["ZoneMeter_0"] == nil }
            #expect(Array(values(first).keys) == ["ZoneMeter_2"])
        }
    }

    @Test(
        "without datagrams: commands are answered by TCP, meters and echo are lost",
        arguments: [
            Fault.silentUDP, .meterless,
        ])
    func noDatagrams(fault: Fault) async throws {
        try await Bench.run { bench in
            let client = try await subscribed(bench)
            try await bench.simulator.inject(fault)
            let before = try await bench.simulator.statistics().datagrams
            try await client.send(keepAlive(id: 1), subscribe(["ZoneMeter_1"], id: 2))
            #expect(await client.line() == alive(id: 1))
            #expect(await client.line() == #"{"jsonrpc":"2.0","result":"OK","id":2}"#)
            #expect(try await bench.simulator.statistics().datagrams == before)
            try await bench.simulator.lift(fault)
            try await client.send(keepAlive(id: 3))
            #expect(await bench.meters.next { $0.contains("KeepAlive") } == alive(id: 3) + "\n")
            _ = await bench.values(with: "ZoneMeter_1")
        }
    }

    @Test(
        "connections are dropped with FIN or reset with RST, and take their subscriptions along",
        arguments: [
            (Fault.dropConnections, Client.Heard.finished), (.reset, .reset),
        ])
    func connectionsEnd(fault: Fault, end: Client.Heard) async throws {
        try await Bench.run { bench in
            let client = try await subscribed(bench)
            try await bench.simulator.inject(fault)
            #expect(await client.next() == end)
            let again = try await bench.connect()
            try await again.send(subscribe(["ZoneMeter_3"]))
            let next = await bench.values(with: "ZoneMeter_3")
            #expect(Array(next.keys) == ["ZoneMeter_3"])
        }
    }

    @Test("garbage comes by UDP and TCP beside what is right, and holds no sample")
    func garbage() async throws {
        try await Bench.run {
            $0.updatesPerSecond = 200
        } body: { bench in
            let client = try await subscribed(bench)
            try await bench.simulator.inject(.garbage)
            var malformed = 0
            while malformed < 40 {
                let text = await bench.meters.next().text
                if values(text)["ZoneMeter_0"] == nil || JSONValue(Array(text.utf8)) == nil { malformed += 1 }
            }
            #expect(await client.line().map { JSONValue(Array($0.utf8))?["result"] == nil } == true)
            try await bench.simulator.lift(.garbage)
            try await client.send(keepAlive(id: 5))
            while await client.line() != alive(id: 5) {}
            let unit = try await bench.simulator.statistics().units[0]
            #expect(unit.garbageDatagrams >= 40 && unit.garbageLines >= 1)
        }
    }

    @Test("freeze: nothing is read or sent; what came meanwhile is answered afterwards")
    func freeze() async throws {
        try await Bench.run { bench in
            let client = try await subscribed(bench)
            try await bench.simulator.inject(.freeze)
            let before = try await bench.simulator.statistics()
            let question = subscribe(["FirmwareVersion"], "str", method: "get")
            try await client.send(question)
            let newcomer = try await bench.connect()  // by the kernel
            try await newcomer.send(question)
            for asking in [client, newcomer] {
                while try await asking.tcpInfo().tcpi_unacked > 0 { await Task.yield() }
            }
            let after = try await bench.simulator.statistics()
            #expect(after.commands == before.commands && after.datagrams == before.datagrams)
            #expect(after.units[0].connectionsAccepted == 1)
            try await bench.simulator.set(parameter: "FirmwareVersion", value: "after the freeze")
            try await bench.simulator.inject(.clear)
            #expect(await client.line()?.contains("after the freeze") == true)
            #expect(await newcomer.line()?.contains("after the freeze") == true)
        }
    }

    @Test("unplug: bytes are not acknowledged, connecting times out; plugged in again, it goes on")
    func unplug() async throws {
        try await Bench.run { bench in
            let client = try await subscribed(bench)
            try await bench.simulator.inject(.unplug)
            try await client.send(keepAlive(id: 1))
            while try await client.tcpInfo().tcpi_retransmits == 0 { await Task.yield() }
            await #expect(throws: ChannelError.self) {
                try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connectTimeout(.milliseconds(300)).connect(to: bench.units[0]).get()
            }
            try await bench.simulator.lift(.unplug)
            #expect(await client.line() == alive(id: 1))
            _ = await bench.values(with: "ZoneMeter_0")
        }
    }

    @Test("a client that went away while the cable was out is found out when it is in again")
    func unplugHalfOpen() async throws {
        try await Bench.run { bench in
            let client = try await subscribed(bench)
            try await bench.simulator.inject(.unplug)
            try await client.reset()
            #expect(try await bench.simulator.statistics().units[0].connections.map(\.isOpen) == [true])
            try await bench.simulator.lift(.unplug)
            await bench.events.wait { $0 == .disconnected(unit: 0, connection: 0) }
        }
    }

    @Test("rename is told to who subscribed to the name")
    func rename() async throws {
        try await Bench.run { bench in
            let client = try await bench.connect()
            try await client.send(subscribe(["ZoneName_1"], "str"))
            _ = await client.line()
            try await bench.simulator.inject(.rename(zone: 1, name: "Jardín \"B\""))
            #expect(
                await client.line() == #"{"jsonrpc":"2.0","method":"update","params":"#
                    + #"{"param":"ZoneName_1","str":"Jardín \"B\""}}"#)
            await #expect(throws: SimulatorError.self) {
                try await bench.simulator.inject(.rename(zone: 8, name: "none"))
            }
        }
    }

    @Test("a fault hits the unit it is meant for, and a script's fault begins and ends")
    func units() async throws {
        let script = try FaultScript.parse(["unit 1 at 10ms wedge for 20ms"])
        try await Bench.run {
            $0.units = 3
            $0.script = script
        } body: { bench in
            #expect(bench.units.map(\.ipAddress) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
            await bench.events.wait { $0 == .faultBegan(unit: 1, .wedge) }
            await bench.events.wait { $0 == .faultEnded(unit: 1, .wedge) }
            try await bench.simulator.inject(.refuse, unit: 2)
            await #expect(throws: IOError.self) { _ = try await bench.connect(unit: 2) }
            let client = try await bench.connect(unit: 1)
            try await client.send(subscribe(["ZoneMeter_0"]))
            #expect(await bench.meters.next().from.ipAddress == "127.0.0.2")
            let faults = try await bench.simulator.statistics().units.map(\.faults)
            #expect(faults == [[], [], [.refuse]])
        }
    }

    @Test("it runs until it is cancelled, then every socket is closed")
    func cancellation() async throws {
        try await Bench.run { bench in
            let client = try await subscribed(bench)
            let simulator = bench.simulator
            let running = Task { try await simulator.run() }
            running.cancel()
            try await running.value
            #expect(await client.line() == nil)
            await #expect(throws: IOError.self) { _ = try await bench.connect() }
            await #expect(throws: SimulatorError.self) { try await bench.simulator.inject(.reset) }
        }
    }

    @Test("a connection without commands is ended after the limit")
    func idle() async throws {
        try await Bench.run {
            $0.idleLimit = .zero
        } body: { bench in
            let client = try await bench.connect()
            #expect(await client.next() == .finished)
        }
    }
}
