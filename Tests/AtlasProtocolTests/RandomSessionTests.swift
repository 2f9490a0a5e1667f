@testable import AtlasProtocol
import Testing

/// Events in any order, at any pace: what no edge would send as well as what it would.
@Suite("a session under random events")
struct RandomSessionTests {
    private static let subscriptions = [
        [Subscription("ZoneMeter_0", .number), Subscription("ZoneMeter_1", .number)],
        [Subscription("ZoneName_0", .text)],
    ]
    private static let connectCauses: [Cause] = [.refused, .timeout, .unreachable, .unresolved]
    private static let endCauses: [Cause] = [.closed, .reset, .silent, .unreachable, .addressGone]

    private struct Edge {
        var now = Instant(microseconds: 0)
        var lastDatagram: Instant?
        var timers: [ControlSession.Timer: Instant] = [:]
        var lastID = 1
    }

    /// An event; mostly one that could come, in a phase that nobody asked for.
    private func event(_ edge: inout Edge, _ random: inout SplitMix64) -> ControlSession.Event {
        switch random.below(40) {
        case 0: return .start
        case 1...3: return .connected(local: Conversation.local, port: UInt16(random.below(65_536)))
        case 4...5: return .connectFailed(random.pick(Self.connectCauses), detail: "random")
        case 6...7: return .disconnected(random.pick(Self.endCauses))
        case 8...12: return .metersBound
        case 13: return .metersNotBound(.errno(random.pick(["EADDRINUSE", "ENETDOWN"])), detail: nil)
        case 14...17:
            edge.lastDatagram = edge.now
            return .datagramArrived
        case 18...27: return .received(message(edge, &random))
        default: return timer(&edge, &random)
        }
    }

    private func message(_ edge: Edge, _ random: inout SplitMix64) -> Message {
        let id = random.pick([nil, edge.lastID, edge.lastID, edge.lastID - 1, random.below(5_000)])
        switch random.below(6) {
        case 0: return .update([.text("ZoneName_0", "Bar")])
        case 1: return .unknown
        case 2: return .failure(id: id, code: random.pick([-32604, -32602, 0]), message: "random")
        case 3...4: return .result(id: id, values: [])
        default: return .getResponse([.text("KeepAlive", "OK")])
        }
    }

    /// Mostly the timer that is due next, at its time.
    private func timer(_ edge: inout Edge, _ random: inout SplitMix64) -> ControlSession.Event {
        var timer = random.pick([ControlSession.Timer.reconnect, .subscription, .probe, .refusedParameters])
        let next = edge.timers.filter { $0.key != .refusedParameters }.min {
            ($0.value, "\($0.key)") < ($1.value, "\($1.key)")
        }
        if random.below(20) > 0, let next {
            timer = next.key
            edge.now = max(edge.now, next.value)
        }
        edge.timers[timer] = nil
        return .timerFired(
            timer,
            .init(
                isAcknowledged: random.pick([true, true, false]), hasRoom: random.pick([true, true, false]),
                lastDatagram: edge.lastDatagram,
                rival: random.pick([nil, nil, "node"])))
    }

    @Test("never traps, repeats no change, and its history never goes back", arguments: 1...20 as ClosedRange<UInt64>)
    func history(seed: UInt64) {
        var random = SplitMix64(state: seed)
        var session = ControlSession(.init(keepAlive: .seconds(10), seed: seed, subscriptions: Self.subscriptions))
        var edge = Edge()
        var last: [Link: LinkChange] = [:]
        var seen: Set<String> = []
        for round in 0..<20_000 {
            if random.below(3) == 0 { edge.now = edge.now + Span(microseconds: Int64(random.below(3_000_000))) }
            let event = event(&edge, &random)
            for action in session.handle(event, at: edge.now) {
                switch action {
                case .change(let change):
                    let before = last[change.link]
                    #expect(before?.state != change.state, "seed \(seed), round \(round): \(change) again")
                    #expect(
                        before.map { $0.since <= change.since } ?? true,
                        "seed \(seed), round \(round): \(change) goes back")
                    #expect(change.since <= edge.now, "seed \(seed), round \(round): \(change) is in the future")
                    last[change.link] = change
                    seen.insert("\(change.link) \(change.state)")
                case .record(let record):
                    #expect(record.at <= edge.now, "seed \(seed), round \(round)")
                case .start(let timer, let instant):
                    #expect(
                        instant >= edge.now && instant <= edge.now + .seconds(3_600), "seed \(seed), round \(round)")
                    edge.timers[timer] = instant
                case .send(.subscribe(let id, let list)):
                    #expect(!list.isEmpty && id > 0)
                    edge.lastID = id
                case .learn(_, let since): #expect(since <= edge.now, "seed \(seed), round \(round)")
                case .send, .connect, .close, .bindMeters, .awaitDatagram, .store: break
                }
            }
        }
        // Otherwise the events have not come far, and this shows little.
        let states = [
            "control up", "control down(wedged)", "control down(silent)", "meters up", "meters down(control_down)",
        ]
        for state in states {
            #expect(seen.contains { $0.hasPrefix(state) }, "seed \(seed): \(state), seen \(seen.sorted())")
        }
    }

    @Test(
        "once all is well again both links come up by themselves, whatever was before",
        arguments: 1...20 as ClosedRange<UInt64>)
    func recovery(seed: UInt64) {
        var random = SplitMix64(state: seed)
        var unit = Conversation(seed: seed)
        unit.tell(.start)
        for _ in 0..<300 {
            switch random.below(8) {
            case 0: unit.world.answers.toggle()
            case 1: unit.world.echoes.toggle()
            case 2: random.below(2) == 0 ? unit.world.acknowledges.toggle() : unit.world.reads.toggle()
            case 3: unit.world.rival = random.pick([nil, "node"])
            case 4: unit.world.connectError = random.pick([nil, nil, .refused])
            case 5: unit.tell(.disconnected(random.pick(Self.endCauses)))
            case 6:
                unit.world.bindError = unit.world.bindError == nil ? .errno("EADDRINUSE") : nil
                unit.tell(unit.world.bindError.map { .metersNotBound($0, detail: nil) } ?? .metersBound)
            default: unit.datagram()
            }
            unit.run(.milliseconds(random.below(20_000)))
        }
        // All well again: both links must come up by themselves, whatever was before.
        unit.world = Conversation.World()
        unit.tell(.metersBound)
        unit.run(.seconds(60))
        #expect(unit.session.control == .up && unit.session.meters.state == .up, "seed \(seed)")
        unit.forget()
        unit.run(.seconds(3_600))
        #expect(unit.events == [] && unit.changes(.control) == [], "seed \(seed)")
    }
}
