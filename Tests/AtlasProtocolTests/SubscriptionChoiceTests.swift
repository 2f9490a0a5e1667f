import Testing

@testable import AtlasProtocol

/// Which parameters are asked for, and what becomes of a unit whose meters are not wanted.
struct SubscriptionChoiceTests {
    private func names(_ choice: SubscriptionChoice) -> [String] { choice.messages.flatMap { $0.map(\.name) } }

    @Test("without a choice it is everything, in the same messages")
    func everything() {
        #expect(SubscriptionChoice.everything.messages == Subscription.everything)
        #expect(SubscriptionChoice.everything.hasMeters)
    }

    @Test(
        "a star stands for anything, nothing included",
        arguments: [
            ("ZoneMeter_*", "ZoneMeter_7", true), ("ZoneMeter_*", "ZoneMeter_", true),
            ("ZoneMeter_*", "ZoneGain_7", false),
            ("*", "LoudNoise", true), ("*_0", "ZoneMeter_0", true), ("*_0", "ZoneMeter_10", false),
            ("Zone*_1", "ZoneName_1", true), ("Zone*_1", "SourceName_1", false), ("*Meter*", "MixMeter_3", true),
            ("Zone**", "ZoneMute_0", true), ("Z*e*t*1", "ZoneMeter_11", true), ("a*a", "a", false),
            ("ZoneMeter_0", "ZoneMeter_0", true), ("ZoneMeter_0", "ZoneMeter_01", false), ("", "ZoneMeter_0", false),
            ("zonemeter_*", "ZoneMeter_0", false),
        ])
    func patterns(pattern: String, name: String, isMeant: Bool) {
        #expect(SubscriptionChoice.matches(name, pattern) == isMeant)
    }

    @Test("only what is chosen is asked for, meters first, as in everything")
    func chosen() {
        let choice = SubscriptionChoice(patterns: ["SourceMeter_0", "ZoneName_*", "ZoneMeter_1"])
        #expect(names(choice) == ["SourceMeter_0", "ZoneMeter_1"] + (0..<8).map { "ZoneName_\($0)" })
        #expect(choice.messages.count == 3 && choice.hasMeters)
    }

    @Test("without meters everything else is asked for; a list without a meter means the same")
    func withoutMeters() {
        let choice = SubscriptionChoice(meters: false)
        let all = Subscription.everything.flatMap { $0.map(\.name) }
        #expect(names(choice) == all.filter { Meter(name: $0) == nil })
        #expect(!choice.hasMeters)
        #expect(!SubscriptionChoice(patterns: ["ZoneGain_*"]).hasMeters)
    }

    @Test("a unit whose meters are not wanted: no socket, no word on its meters but that nobody records them")
    func session() {
        var session = ControlSession(
            .init(keepAlive: .seconds(10), seed: 1, subscriptions: Conversation.few, recordsMeters: false))
        let start = Instant(microseconds: 1)
        #expect(
            session.handle(.start, at: start) == [
                .change(LinkChange(link: .meters, state: .unknown(.notRecorded), since: start)), .connect,
            ])
        // The talk begins at once: there is no socket to wait for.
        #expect(
            session.handle(.connected(local: Conversation.local, port: 40_000), at: start) == [
                .send(.keepAlive), .start(.probe, at: start + .milliseconds(2_500)),
                .send(.subscribe(id: 1, Conversation.few[0])), .start(.subscription, at: start + .milliseconds(500)),
            ])
        let answer = session.handle(.received(.getResponse([.text("KeepAlive", "OK")])), at: start)
        #expect(answer.contains(.change(LinkChange(link: .control, state: .up, since: start))))
        // Whatever happens to the connection, and whatever arrives by UDP.
        var actions = session.handle(.datagramArrived, at: start)
        actions += session.handle(.metersTaken(by: "node"), at: start)
        for second in 1...40 {
            actions += session.handle(.timerFired(.probe, .init(rival: "node")), at: start + .seconds(second))
        }
        actions += session.handle(.disconnected(.reset), at: start + .seconds(41))
        actions += session.handle(.timerFired(.reconnect, .init()), at: start + .seconds(42))
        actions += session.handle(.connectFailed(.refused, detail: ""), at: start + .seconds(42))
        #expect(actions.contains(.connect))
        for action in actions {
            switch action {
            case .change(let change): #expect(change.link == .control)
            case .record(let event): #expect(event.link == .control)
            case .bindMeters, .awaitDatagram: Issue.record("\(action)")
            default: break
            }
        }
    }
}
