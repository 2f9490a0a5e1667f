@testable import AtlasProtocol
import Testing

@Suite("first values and changes")
struct FirstValueTests {
    private static let list = [
        [
            Subscription("ZoneName_0", .text), Subscription("RecallScene_2", .number),
            Subscription("ZoneMeter_0", .number),
        ]
    ]
    private let name = ParameterValue.text("ZoneName_0", "Main Bar")
    private let scene = ParameterValue.decibels("RecallScene_2", 1)

    /// Connected and asked, before the unit told any value.
    private func asked(_ world: Conversation.World = .init()) -> (unit: Conversation, since: Instant) {
        var unit = Conversation(world, subscriptions: Self.list)
        let since = unit.now
        unit.tell(.start)
        unit.run(.milliseconds(40))
        return (unit, since)
    }

    @Test("the first value of a subscription holds since the connection began, the next one is a change")
    func firstThenChange() {
        var (unit, since) = asked()
        #expect(unit.tell(.received(.update([name, scene]))) == [.learn([name, scene], since: since)])
        #expect(unit.tell(.received(.update([scene]))) == [.store([scene])])
        #expect(unit.tell(.received(.update([scene, name]))) == [.store([scene, name])] + unit.refusedAskedSoon)
    }

    @Test("a first value may come in the answer itself, or before it")
    func inTheAnswer() {
        var world = Conversation.World()
        world.answers = false
        for before in [false, true] {
            var (unit, since) = asked(world)
            if before {
                #expect(unit.tell(.received(.update([scene]))) == [.learn([scene], since: since)])
                unit.tell(.received(.result(id: 1, values: [])))
            } else {
                let told = unit.tell(.received(.result(id: 1, values: [scene])))
                #expect(told.contains(.learn([scene], since: since)))
            }
            #expect(unit.tell(.received(.update([scene]))) == [.store([scene])])
        }
    }

    @Test("first and later values in one message are told apart")
    func mixed() {
        var (unit, since) = asked()
        unit.tell(.received(.update([scene])))
        #expect(
            unit.tell(.received(.update([scene, name]))) == [.learn([name], since: since), .store([scene])])
    }

    @Test("from a unit that sends no first value a later one is a change", arguments: [(5, true), (6, false)])
    func neverSent(seconds: Int, isFirst: Bool) {
        var (unit, since) = asked()
        unit.run(.seconds(seconds) - .milliseconds(40))
        let told = unit.tell(.received(.update([scene])))
        #expect(told == (isFirst ? [.learn([scene], since: since)] : [.store([scene])]))
    }

    @Test("an answer that nobody asked for tells what holds, not that something was fired")
    func answersFireNothing() {
        var (unit, _) = asked()
        unit.run(.seconds(30))
        #expect(unit.tell(.received(.getResponse([scene]))) == [.learn([scene], since: unit.now)])
    }

    @Test("every connection has first values of its own")
    func reconnect() {
        var (unit, _) = asked()
        unit.tell(.received(.update([name, scene])))
        unit.run(.seconds(60))
        unit.tell(.disconnected(.closed))
        unit.run(.milliseconds(40))
        let since = unit.now - .milliseconds(40)
        #expect(unit.tell(.received(.update([name, scene]))) == [.learn([name, scene], since: since)])
        #expect(unit.tell(.received(.update([scene]))) == [.store([scene])])
    }

    @Test("a unit that was wedged tells first values again, and they hold since it answered, not before")
    func wedged() {
        var (unit, _) = asked()
        unit.tell(.received(.update([name, scene])))
        unit.run(.seconds(30))
        unit.world.answers = false
        unit.run(.seconds(60))
        #expect(unit.states(.control).last == .down(.wedged))
        #expect(unit.tell(.received(.update([scene]))) == [.store([scene])], "fired by hand while it is wedged")
        unit.world.answers = true
        unit.forget()
        let since = unit.now
        unit.tell(.received(.getResponse([.text("KeepAlive", "OK")])))
        #expect(unit.subscriptions.count == 1)
        unit.run(.milliseconds(40))
        #expect(unit.tell(.received(.update([name, scene]))) == [.learn([name, scene], since: since)])
        #expect(unit.tell(.received(.update([scene]))) == [.store([scene])])
    }

    @Test("what a unit had not told before it was wedged holds since the connection began")
    func wedgedBeforeItTold() {
        var (unit, began) = asked()
        unit.tell(.received(.update([scene])))
        unit.world.answers = false
        unit.run(.seconds(60))
        #expect(unit.states(.control).last == .down(.wedged))
        unit.world.answers = true
        let since = unit.now
        unit.tell(.received(.getResponse([.text("KeepAlive", "OK")])))
        #expect(
            unit.tell(.received(.update([name, scene]))) == [
                .learn([name], since: began), .learn([scene], since: since),
            ])
    }

    @Test("a name that the unit lacked at first and has later is taken to hold since the connection began")
    func learntLate() {
        var world = Conversation.World()
        world.lacks = ["ZoneName_0"]
        var (unit, since) = asked(world)
        let others = unit.tell(.received(.update([name])))
        #expect(others == [.store([name])] + unit.refusedAskedSoon, "it was refused: no first value is awaited")
        unit.world.lacks = []
        unit.run(.seconds(6))
        #expect(unit.tell(.received(.update([name]))) == [.learn([name], since: since)])
    }
}

extension Conversation {
    /// What follows a name's change: the refused are asked again.
    fileprivate var refusedAskedSoon: [ControlSession.Action] { [.start(.refusedParameters, at: now + .seconds(5))] }
}

extension Span {
    fileprivate static func - (long: Span, short: Span) -> Span {
        Span(microseconds: long.microseconds - short.microseconds)
    }
}
