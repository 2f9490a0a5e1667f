import AtlasProtocol
import AtlasSimulator
import RecorderStore
import Testing

@testable import Recorder

/// Each way a link goes down, over real sockets: the recorded cause, when its row begins, and when it was noticed.
/// Causes that take a cut cable or another program are in CommandTests.
@Suite(.timeLimit(.minutes(2)))
struct CauseTests {
    /// A fault of a unit that was up, and what has to be recorded of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let fault: Fault
        let link: Link
        let cause: String
        let event: String
        /// Seconds until the first evidence can be had: an end is one at once, a missing answer is asked for once a
        /// second here.
        let evidence: Int
        /// Seconds until it has to be noticed: two of those intervals, or what the socket takes.
        let limit: Int
        var testDescription: String { "\(fault): \(link.rawValue) \(cause)" }
    }

    @Test(
        "a unit that was up is down with this cause since the first evidence, and up when it is well again",
        arguments: [
            Case(fault: .refuse, link: .control, cause: "closed", event: "disconnected", evidence: 0, limit: 0),
            Case(fault: .refuse, link: .control, cause: "refused", event: "connect_failed", evidence: 0, limit: 1),
            Case(fault: .refuse, link: .meters, cause: "control_down", event: "meters_lost", evidence: 0, limit: 0),
            Case(fault: .reset, link: .control, cause: "reset", event: "disconnected", evidence: 0, limit: 0),
            Case(fault: .wedge, link: .control, cause: "wedged", event: "wedged", evidence: 1, limit: 2),
            Case(fault: .freeze, link: .control, cause: "wedged", event: "wedged", evidence: 1, limit: 2),
            Case(fault: .freeze, link: .meters, cause: "control_down", event: "meters_lost", evidence: 1, limit: 2),
            Case(fault: .notEnabled, link: .control, cause: "not_enabled", event: "unanswered", evidence: 1, limit: 2),
            Case(fault: .silentUDP, link: .meters, cause: "not_arriving", event: "meters_lost", evidence: 1, limit: 2),
            Case(fault: .meterless, link: .meters, cause: "not_arriving", event: "meters_lost", evidence: 1, limit: 2),
            Case(fault: .unplug, link: .control, cause: "silent", event: "unanswered", evidence: 1, limit: 9),
            Case(fault: .unplug, link: .meters, cause: "control_down", event: "meters_lost", evidence: 1, limit: 9),
        ])
    func down(_ expected: Case) async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("meters up")
        let up = await rig.line("subscribed")
        let fault = RecorderClock().wallNow
        try await simulator.inject(expected.fault)
        let down = await rig.line("\(expected.link.rawValue) down: \(expected.cause)", after: up)
        if expected.fault.isLasting { try await simulator.lift(expected.fault) }
        await rig.line("\(expected.link.rawValue) up", after: down)
        try await rig.stop()
        try await simulator.shutdown()

        let row = try #require(try rig.downRow(expected.link, expected.cause))
        let noticed = try #require(try rig.noticed(expected.event, expected.cause))
        #expect(row.started > fault - Rig.slack)
        #expect(row.started <= fault + Int64(expected.evidence) * 1_000_000 + Rig.slack)
        #expect(noticed <= fault + Int64(expected.limit) * 1_000_000 + Rig.slack)
        // What no answer is evidence of is noticed an interval after the question.
        #expect(noticed - row.started >= Int64(expected.evidence) * 1_000_000)
        let ends = try rig.texts(
            "SELECT state FROM link_states WHERE link = '\(expected.link.rawValue)' AND started_us = \(row.ended)")
        #expect(ends.count == 1, "the next row begins where this one ends")
        #expect(rig.count(of: "\(expected.link.rawValue) down: \(expected.cause)") == 1, "one line for one change")
    }

    @Test("wedged: the connection is kept and asked on, the meters keep up, and answering again is an event")
    func wedged() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        let up = await rig.line("subscribed")
        try await simulator.inject(.wedge)
        let down = await rig.line("control down: wedged", after: up)
        let before = try await simulator.statistics()
        func probes(_ statistics: SimulatorStatistics) -> Int {
            statistics.commands.reduce(0) { $0 + ($1.key.parameter == "KeepAlive" ? $1.value : 0) }
        }
        try await eventually {
            let now = try await simulator.statistics()
            return probes(now) > probes(before) + 3 && now.samples > before.samples + 100
        }
        let lifted = RecorderClock().wallNow
        try await simulator.lift(.wedge)
        await rig.line("control up", after: down)
        await rig.line("subscribed", after: down)
        let accepted = try await simulator.statistics().units[0].connectionsAccepted
        try await rig.stop()
        try await simulator.shutdown()

        #expect(accepted == 1)
        let states = try rig.texts("SELECT state, cause FROM link_states WHERE link = 'control' ORDER BY started_us")
        #expect(states == ["unknown recorder_starting", "up -", "down wedged", "up -", "unknown recorder_stopped"])
        #expect(try rig.texts("SELECT state FROM link_states WHERE link = 'meters' AND state = 'down'").isEmpty)
        let events = try rig.texts(
            "SELECT event, cause FROM connection_events WHERE link = 'control' AND event <> 'subscribed' ORDER BY at_us"
        )
        #expect(events == ["connected -", "answering -", "wedged wedged", "answering -"])
        #expect(try #require(try rig.downRow(.control, "wedged")).ended >= lifted)
    }

    @Test("a cut cable is silent once: by our own keep-alive, then the kernel gives the connection up")
    func silentThenGivenUp() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        let up = await rig.line("meters up")
        try await simulator.inject(.unplug)
        let given = await rig.line("connection given up: silent", after: up)
        await rig.line("control down: timeout", after: given)
        try await simulator.lift(.unplug)
        await rig.line("meters up", after: given)
        try await rig.stop()
        try await simulator.shutdown()
        let states = try rig.texts("SELECT state, cause FROM link_states WHERE link = 'control' ORDER BY started_us")
        #expect(
            states == [
                "unknown recorder_starting", "up -", "down silent", "down timeout", "up -", "unknown recorder_stopped",
            ])
        #expect(rig.count(of: "control down: silent") == 1)
        #expect(try rig.texts("SELECT cause, causes FROM outages WHERE link = 'meters'").count == 1)
    }

    @Test("attempts without an answer are down since the first of them began, not since it was given up")
    func timeout() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        try await simulator.inject(.unplug)
        let fault = RecorderClock().wallNow
        let rig = Rig(specs, meterPort: port)
        await rig.line("control down: timeout")
        try await simulator.lift(.unplug)
        await rig.line("meters up")
        try await rig.stop()
        try await simulator.shutdown()
        let row = try #require(try rig.downRow(.control, "timeout"))
        let noticed = try #require(try rig.noticed("connect_failed", "timeout"))
        #expect(row.started >= fault && row.started <= fault + Rig.slack)
        #expect(noticed - row.started >= 5_000_000 && noticed <= fault + 5_000_000 + Rig.slack)
        #expect(try rig.texts("SELECT cause FROM outages WHERE link = 'meters'") == ["control_down"])
        let errors = try rig.texts("SELECT code, operation, socket FROM socket_errors")
        #expect(errors == ["ETIMEDOUT connect tcp"])
    }

    @Test("a unit that is not there when the recorder starts: refused, unreachable and unresolved are told apart")
    func neverThere() async throws {
        let fault = RecorderClock().wallNow
        let rig = Rig(
            [
                ProcessorSpec(name: "Refusing", host: "127.0.0.52", controlPort: 9),
                // No TCP goes to a broadcast address: ENETUNREACH.
                ProcessorSpec(name: "Nowhere", host: "127.255.255.255", controlPort: 9),
                ProcessorSpec(name: "Nameless", host: "no-such-host.invalid", controlPort: 5321),
            ], meterPort: freePort())
        let causes = [("Refusing", "refused"), ("Nowhere", "unreachable"), ("Nameless", "unresolved")]
        for (name, cause) in causes { await rig.line("\(name)  control down: \(cause)") }
        for (name, _) in causes { await rig.line("\(name)  meters down: control_down") }
        try await rig.stop()
        for (name, cause) in causes {
            let row = try #require(try rig.downRow(.control, cause, of: name))
            #expect(row.started >= fault && row.started <= fault + Rig.slack, "\(name)")
            #expect(try rig.downRow(.meters, "control_down", of: name)?.started == row.started, "\(name)")
        }
        let codes = try rig.texts("SELECT processor, code FROM socket_errors ORDER BY processor DESC")
        #expect(codes.filter { !$0.hasPrefix("Nameless") } == ["Refusing ECONNREFUSED", "Nowhere ENETUNREACH"])
        #expect(codes.contains { $0.hasPrefix("Nameless EAI_") })
    }
}

extension Rig {
    /// Microseconds that a loaded machine may add to what a test times.
    static let slack: Int64 = 8_000_000

    /// The first row of this cause.
    func downRow(_ link: Link, _ cause: String, of processor: String? = nil) throws -> (started: Int64, ended: Int64)? {
        let name = processor.map { "AND processor = '\($0)'" } ?? ""
        let rows = try query(
            """
            SELECT started_us, coalesce(ended_us, 0) FROM link_states
             WHERE link = '\(link.rawValue)' AND state = 'down' AND cause = '\(cause)' \(name) ORDER BY started_us LIMIT 1
            """)
        guard let row = rows.first, case .integer(let started) = row[0], case .integer(let ended) = row[1] else {
            return nil
        }
        return (started, ended)
    }

    /// When the first event of this name and cause was recorded.
    func noticed(_ event: String, _ cause: String) throws -> Int64? {
        let sql = "SELECT min(at_us) FROM connection_events WHERE event = '\(event)' AND cause = '\(cause)'"
        guard case .integer(let at)? = try query(sql).first?.first else { return nil }
        return at
    }
}
