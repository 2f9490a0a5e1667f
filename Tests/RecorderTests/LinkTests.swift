import AtlasProtocol
import AtlasSimulator
import RecorderStore
import Testing

@testable import Recorder

@Suite(.timeLimit(.minutes(1)))
struct LinkTests {
    @Test("a program that holds the port without address reuse is named; meters start by themselves when it goes")
    func portHeld() async throws {
        var holder: PlainSocket? = PlainSocket(port: 0, reuse: false)
        let port = try #require(holder).port
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let fault = RecorderClock().wallNow
        let rig = Rig(specs, meterPort: port)
        await rig.line("meters down: EADDRINUSE", "held by", "(pid ")
        #expect(holder != nil)
        try await eventually { try rig.integer("SELECT count FROM socket_errors WHERE code = 'EADDRINUSE'") >= 2 }
        holder = nil
        await rig.line("meters up")
        try await rig.stop()
        let errors = try rig.texts(
            "SELECT socket, operation, code, address, count >= 2, holder LIKE '% (pid %' FROM socket_errors")
        #expect(errors == ["udp bind EADDRINUSE 127.0.0.1:\(port) 1 1"])
        let states = try rig.texts("SELECT state, cause FROM link_states WHERE link = 'meters' ORDER BY started_us")
        #expect(states == ["unknown recorder_starting", "down EADDRINUSE", "up -", "unknown recorder_stopped"])
        // It begins with the first attempt to bind, which comes with the first connection.
        let row = try #require(try rig.downRow(.meters, "EADDRINUSE", after: fault))
        #expect(row.started == row.noticed && row.started > fault)
        #expect(try rig.integer("SELECT first_us FROM socket_errors WHERE code = 'EADDRINUSE'") <= row.started)
        let control = try rig.texts("SELECT state FROM link_states WHERE link = 'control' ORDER BY started_us")
        #expect(control == ["unknown", "up", "unknown"])
        try await simulator.shutdown()
    }

    @Test("a socket bound to 0.0.0.0 with address reuse, before or after, takes nothing from the recorder")
    func neighbours() async throws {
        let port = freePort()
        let before = PlainSocket(port: port, reuse: true)
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("meters up")
        let after = PlainSocket(port: port, reuse: true)
        try await eventually { try await simulator.statistics().samples > 500 }
        try await simulator.inject(.freeze)
        let sent = try await simulator.statistics().samples
        try await eventually { try rig.integer("SELECT sum(stored) FROM sample_minute") >= sent }
        try await rig.stop()
        #expect(try rig.integer("SELECT sum(stored) FROM sample_minute") == sent)
        #expect([before, after].count == 2)  // both lived until here
        try await simulator.shutdown()
    }

    @Test("a unit that goes away and comes back is one outage with its causes, and is subscribed again")
    func unitRestarts() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("meters up")
        let up = await rig.line("subscribed")
        let fault = RecorderClock().wallNow
        try await simulator.inject(.refuse)
        let down = await rig.line("control down: refused", after: up)
        try await eventually { try rig.integer("SELECT count FROM socket_errors WHERE code = 'ECONNREFUSED'") >= 2 }
        try await simulator.lift(.refuse)
        await rig.line("meters up", after: down)
        await rig.line("subscribed", after: down)
        try await rig.stop()
        let outages = try rig.texts("SELECT link, causes FROM outages WHERE ended_us > \(fault) ORDER BY link")
        #expect(outages == [#"control ["closed","refused"]"#, #"meters ["control_down"]"#])
        #expect(try rig.integer("SELECT count(*) FROM socket_errors WHERE code = 'ECONNREFUSED'") == 1)
        try await simulator.shutdown()
    }

    @Test("a unit that accepts and closes at once is one failure and one episode, however often it does so")
    func acceptsAndCloses() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        try await simulator.inject(.acceptAndClose)
        let rig = Rig(specs, meterPort: port)
        await rig.line("control down: closed")
        try await eventually { try rig.integer("SELECT count FROM socket_errors WHERE code = 'EOF'") >= 3 }
        try await rig.stop()
        #expect(try rig.integer("SELECT count(*) FROM socket_errors WHERE code = 'EOF'") == 1)
        let events = try rig.texts("SELECT event FROM connection_events WHERE link = 'control' AND cause = 'closed'")
        let rows = try rig.integer("SELECT count(*) FROM link_states WHERE link = 'control' AND cause = 'closed'")
        #expect(events == Array(repeating: "connect_failed", count: rows))
        try await simulator.shutdown()
    }

    @Test("two units at one address: the second is told that its meters go to the first")
    func sharedAddress() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let twin = ProcessorSpec(name: "Twin", host: "localhost", controlPort: specs[0].controlPort)
        let rig = Rig(specs + [twin], meterPort: port)
        await rig.line("address shared")
        try await rig.stop()
        try await simulator.shutdown()
    }
}
