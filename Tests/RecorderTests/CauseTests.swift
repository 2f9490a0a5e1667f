import AtlasProtocol
import AtlasSimulator
import Locks
import RecorderStore
import Testing

@testable import Recorder

/// Each way a link goes down, over real sockets: the recorded cause, and that its row begins with the first evidence. What
/// came when is told by the unit, so that a slow machine is no error. Causes that take a cut cable or another program are
/// in CommandTests; how soon each is noticed, AtlasProtocolTests and scripts/evening show.
@Suite(.timeLimit(.minutes(2)))
struct CauseTests {
    /// A fault of a unit that was up, and what has to be recorded of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let fault: Fault
        let rows: [Row]
        var testDescription: String { "\(fault)" }

        init(_ fault: Fault, _ rows: Row...) { (self.fault, self.rows) = (fault, rows) }
    }
    struct Row: Sendable {
        /// What shows that a link is down.
        enum Evidence {
            /// The connection ends, or is refused: noticed at once.
            case end
            /// A keep-alive that the unit receives and does not answer.
            case question
            /// A keep-alive that the unit does not even read.
            case unread
        }
        let link: Link
        let cause: String
        let event: String
        let evidence: Evidence

        init(_ link: Link, _ cause: String, _ event: String, _ evidence: Evidence) {
            (self.link, self.cause, self.event, self.evidence) = (link, cause, event, evidence)
        }
        var line: String { "\(link.rawValue) down: \(cause)" }
    }

    @Test(
        "a unit that was up is down with this cause since the first evidence, and up when it is well again",
        arguments: [
            Case(
                .refuse, Row(.control, "closed", "disconnected", .end),
                Row(.control, "refused", "connect_failed", .end),
                Row(.meters, "control_down", "meters_lost", .end)),
            Case(.reset, Row(.control, "reset", "disconnected", .end)),
            Case(.notEnabled, Row(.control, "not_enabled", "unanswered", .question)),
            Case(.silentUDP, Row(.meters, "not_arriving", "meters_lost", .question)),
            Case(.meterless, Row(.meters, "not_arriving", "meters_lost", .question)),
            Case(
                .freeze, Row(.control, "wedged", "wedged", .unread),
                Row(.meters, "control_down", "meters_lost", .unread)),
            Case(
                .unplug, Row(.control, "silent", "unanswered", .unread),
                Row(.meters, "control_down", "meters_lost", .unread)),
        ])
    func down(_ expected: Case) async throws {
        let (port, diary) = (freePort(), Diary())
        let (simulator, specs) = try await quietUnit(port) { diary.note($0) }
        let rig = Rig(specs, meterPort: port, keepAlive: .seconds(2))
        await rig.line("meters up")
        let up = await rig.line("subscribed")
        let fault = diary.now
        try await simulator.inject(expected.fault)
        let begun = diary.now
        var down = up
        for row in expected.rows { down = max(down, await rig.line(row.line, after: up)) }
        if expected.fault.isLasting { try await simulator.lift(expected.fault) }
        for link in Set(expected.rows.map(\.link)) { await rig.line("\(link.rawValue) up", after: down) }
        try await rig.stop()
        try await simulator.shutdown()

        for wanted in expected.rows {
            let row = try #require(try rig.downRow(wanted.link, wanted.cause, after: fault))
            #expect(row.event == wanted.event)
            if wanted.evidence == .end {
                #expect(row.started == row.noticed && row.started >= fault - Diary.clocks)
            } else {
                // Noticed an interval after the question, which is no earlier than the last one that was answered.
                #expect(row.noticed - row.started >= 2_000_000)
                let answered = try #require(diary.questions.last { $0 < fault })
                #expect(row.started >= answered - Diary.clocks)
            }
            if wanted.evidence == .question {
                let received = try #require(diary.questions.first { $0 > begun })
                #expect(row.started <= received + Diary.clocks)
            }
            let link = "link = '\(wanted.link.rawValue)'"
            let next = try rig.texts("SELECT 1 FROM link_states WHERE \(link) AND started_us = \(row.ended)")
            #expect(next.count == 1, "the next row begins where this one ends")
            let rows = try rig.integer("SELECT count(*) FROM link_states WHERE \(link) AND cause = '\(wanted.cause)'")
            #expect(rig.count(of: wanted.line) == rows, "one line for one change")
        }
    }

    @Test("wedged: the connection is kept and asked on, the meters keep up, and answering again is an event")
    func wedged() async throws {
        let (port, diary) = (freePort(), Diary())
        let (simulator, specs) = try await quietUnit(port) { diary.note($0) }
        let rig = Rig(specs, meterPort: port, keepAlive: .seconds(2))
        await rig.line("meters up")
        let up = await rig.line("subscribed")
        let fault = diary.now
        try await simulator.inject(.wedge)
        let begun = diary.now
        let down = await rig.line("control down: wedged", after: up)
        let (questions, samples) = (diary.questions.count, try await simulator.statistics().samples)
        let accepted = try await simulator.statistics().units[0].connectionsAccepted
        try await eventually {
            let now = try await simulator.statistics().samples
            return diary.questions.count > questions + 3 && now > samples + 100
        }
        let lifted = diary.now
        try await simulator.lift(.wedge)
        await rig.line("control up", after: down)
        await rig.line("subscribed", after: down)
        let acceptedThen = try await simulator.statistics().units[0].connectionsAccepted
        try await rig.stop()
        try await simulator.shutdown()

        #expect(acceptedThen == accepted)
        let states = try rig.texts(
            "SELECT state, cause FROM link_states WHERE link = 'control' AND ended_us > \(fault) ORDER BY started_us")
        #expect(states == ["up -", "down wedged", "up -"])
        let meters = try rig.texts("SELECT cause FROM link_states WHERE link = 'meters' AND state = 'down'")
        #expect(meters == [])
        let events = try rig.texts(
            "SELECT event, cause FROM connection_events WHERE link = 'control' AND at_us > \(fault) ORDER BY at_us, event"
        )
        #expect(events == ["wedged wedged", "answering -", "subscribed -"])
        let row = try #require(try rig.downRow(.control, "wedged", after: fault))
        let answered = try #require(diary.questions.last { $0 < fault })
        let received = try #require(diary.questions.first { $0 > begun })
        #expect(row.started >= answered - Diary.clocks && row.started <= received + Diary.clocks)
        #expect(row.noticed - row.started >= 2_000_000 && row.ended >= lifted - Diary.clocks)
    }

    @Test("a cut cable is silent once: by our own keep-alive, then the kernel gives the connection up")
    func silentThenGivenUp() async throws {
        let port = freePort()
        let (simulator, specs) = try await quietUnit(port)
        // Our own question goes out before the kernel gives up, after 8 s.
        let rig = Rig(specs, meterPort: port, keepAlive: .seconds(3))
        await rig.line("meters up")
        let up = await rig.line("subscribed")
        let fault = RecorderClock().wallNow
        try await simulator.inject(.unplug)
        let given = await rig.line("connection given up: silent", after: up)
        await rig.line("control down: timeout", after: given)
        try await simulator.lift(.unplug)
        await rig.line("meters up", after: given)
        try await rig.stop()
        try await simulator.shutdown()
        let since = "state = 'down' AND ended_us > \(fault)"
        let states = try rig.texts("SELECT cause FROM link_states WHERE link = 'control' AND \(since)")
        #expect(states == ["silent", "timeout"])
        #expect(rig.count(of: "control down: silent") == 1)
        #expect(try rig.texts("SELECT cause FROM link_states WHERE link = 'meters' AND \(since)") == ["control_down"])
    }

    @Test("attempts without an answer are down since the first of them began, not since it was given up")
    func timeout() async throws {
        let port = freePort()
        let (simulator, specs) = try await quietUnit(port)
        try await simulator.inject(.unplug)
        let fault = RecorderClock().wallNow
        let rig = Rig(specs, meterPort: port)
        await rig.line("control down: timeout")
        try await simulator.lift(.unplug)
        await rig.line("meters up")
        try await rig.stop()
        try await simulator.shutdown()
        let row = try #require(try rig.downRow(.control, "timeout", after: fault))
        #expect(row.started >= fault - Diary.clocks && row.noticed - row.started >= 5_000_000)
        #expect(try rig.texts("SELECT cause FROM outages WHERE link = 'meters'") == ["control_down"])
        let errors = try rig.texts("SELECT DISTINCT code, operation, socket FROM socket_errors")
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
            let row = try #require(try rig.downRow(.control, cause, of: name, after: fault))
            #expect(row.started >= fault - Diary.clocks && row.started <= row.noticed, "\(name)")
            let meters = try rig.downRow(.meters, "control_down", of: name, after: fault)
            #expect(meters?.started == row.started, "\(name)")
        }
        let codes = try rig.texts("SELECT processor, code FROM socket_errors ORDER BY processor DESC")
        #expect(codes.filter { !$0.hasPrefix("Nameless") } == ["Refusing ECONNREFUSED", "Nowhere ENETUNREACH"])
        #expect(codes.contains { $0.hasPrefix("Nameless EAI_") })
    }
}

/// A unit with few meter values, so that many tests at once do not keep each other from answering.
private func quietUnit(
    _ meterPort: UInt16, onEvent: @escaping @Sendable (SimulatorEvent) -> Void = { _ in }
) async throws -> (AtlasSimulator, [ProcessorSpec]) {
    try await simulatedUnits(meterPort: meterPort, { $0.updatesPerSecond = 2 }, onEvent: onEvent)
}

/// When a unit received each keep-alive. Microseconds since 1970 UTC.
private final class Diary: Sendable {
    /// The recorder has a clock of its own, anchored at another moment: what the host's clock is corrected by meanwhile.
    static let clocks: Int64 = 20_000

    private let clock = RecorderClock()
    private let times = Mutex<[Int64]>([])

    var now: Int64 { clock.wallNow }
    var questions: [Int64] { times.withLock { $0 } }

    func note(_ event: SimulatorEvent) {
        guard case .received(_, _, let command) = event, command.parameter == "KeepAlive" else { return }
        let now = clock.wallNow
        times.withLock { $0.append(now) }
    }
}

extension Rig {
    /// A row of this cause, and the event that noticed it: the first of which some lies after `time`.
    func downRow(
        _ link: Link, _ cause: String, of processor: String = "Unit 0", after time: Int64
    ) throws -> (started: Int64, ended: Int64, noticed: Int64, event: String)? {
        let rows = try query(
            """
            SELECT s.started_us, coalesce(s.ended_us, 0), e.at_us, e.event
              FROM link_states s JOIN connection_events e USING (processor, link, cause)
             WHERE s.link = '\(link.rawValue)' AND s.cause = '\(cause)' AND s.processor = '\(processor)'
               AND coalesce(s.ended_us, \(Int64.max)) > \(time) AND e.at_us >= s.started_us
             ORDER BY s.started_us, e.at_us LIMIT 1
            """)
        guard let row = rows.first, case .integer(let started) = row[0], case .integer(let ended) = row[1],
            case .integer(let noticed) = row[2], case .text(let event) = row[3]
        else { return nil }
        return (started, ended, noticed, event)
    }
}
