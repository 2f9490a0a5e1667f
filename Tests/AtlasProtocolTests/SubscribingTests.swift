@testable import AtlasProtocol
import Testing

@Suite("subscribing, as a session does it")
struct SubscribingTests {
    @Test("what a unit lacks is asked one by one, then hourly, and after a channel was renamed")
    func refused() {
        var world = Conversation.World()
        world.lacks = ["ZoneMeter_1"]
        var unit = Conversation(world)
        unit.tell(.start)
        unit.run(.seconds(1))
        #expect(unit.subscriptions.count == 4)  // the array, its two, and the name
        #expect(unit.events.last?.detail == "2 parameters, 1 not on this unit")
        unit.forget()
        unit.run(.seconds(3_598))
        #expect(unit.subscriptions == [])
        unit.run(.seconds(2))
        #expect(unit.subscriptions.count == 1)
        unit.tell(.received(.update([.text("ZoneName_0", "Terrace")])))
        unit.run(.seconds(6))
        #expect(unit.subscriptions.count == 2)
        unit.world.lacks = []
        unit.run(.seconds(3_600))
        #expect(unit.subscriptions.count == 3)
        unit.run(.seconds(7_200))
        #expect(unit.subscriptions.count == 3)
        #expect(unit.events == [], "nothing of it is an event")
    }

    @Test("a rename while the refused are being asked again loses none of them")
    func renameWhileAsking() {
        var world = Conversation.World()
        world.lacks = ["ZoneMeter_0", "ZoneMeter_1", "ZoneName_0"]
        var unit = Conversation(world)
        unit.tell(.start)
        unit.run(.seconds(1))
        unit.world.answers = false
        unit.tell(.timerFired(.refusedParameters, .init()))
        unit.tell(.received(.failure(id: nil, code: -32604, message: "none")))
        // One is refused again, the second is under way, the third waits.
        unit.tell(.timerFired(.refusedParameters, .init()))
        unit.world.answers = true
        unit.run(.seconds(10))
        unit.forget()
        unit.run(.seconds(3_600))
        #expect(Set(unit.subscriptions.flatMap(\.subscribed)) == Set(Conversation.few.flatMap { $0 }))
    }

    @Test("a unit that answers nothing is asked one message, and the rest after its first answer")
    func unanswered() {
        for answersAfter in [3, 300] {
            var world = Conversation.World()
            world.answers = false
            var unit = Conversation(world)
            unit.tell(.start)
            unit.run(.seconds(answersAfter))
            #expect(unit.subscriptions.count == 1)
            unit.forget()
            unit.world.answers = true
            unit.run(.seconds(5))
            #expect(unit.names.contains(.subscribed))
            #expect(Set(unit.subscriptions.flatMap(\.subscribed)).contains(Conversation.few[1][0]))
        }
    }

    @Test("a unit that locks up amid subscribing is asked no more until it answers")
    func lockedUpAmidst() {
        var world = Conversation.World()
        world.answers = false
        var unit = Conversation(world, subscriptions: (0..<20).map { [Subscription("ZoneMeter_\($0)", .number)] })
        unit.tell(.start)
        unit.tell(.received(.getResponse([])))
        unit.run(.seconds(300))
        // One each half a second until, after 5 s, a second keep-alive has no answer either.
        #expect((2...12).contains(unit.subscriptions.count))
    }

    @Test("a refusal for another reason than a missing parameter is an event")
    func otherRefusal() {
        var world = Conversation.World()
        world.answers = false
        var unit = Conversation(world, subscriptions: [[Subscription("ZoneMeter_0", .number)]])
        unit.tell(.start)
        unit.tell(.received(.failure(id: 1, code: -32602, message: "bad format")))
        #expect(unit.events.first { $0.name == .parameterRefused }?.detail == "ZoneMeter_0: bad format (-32602)")
    }

    @Test("values that come by TCP are stored; the keep-alive's answer is not one")
    func values() {
        var unit = Conversation.working()
        let gain = ParameterValue.decibels("ZoneGain_0", -3)
        let keepAlive = ParameterValue.text("KeepAlive", "OK")
        #expect(unit.tell(.received(.update([gain]))) == [.store([gain])])
        #expect(unit.tell(.received(.getResponse([keepAlive, gain]))) == [.learn([gain], since: unit.now)])
        #expect(unit.tell(.received(.result(id: 99, values: [gain]))) == [.learn([gain], since: unit.now)])
        #expect(unit.tell(.received(.getResponse([keepAlive]))) == [])
    }

    @Test("a unit that answers every message late is subscribed to all of it, and has its refusals asked singly")
    func slowUnit() {
        var world = Conversation.World()
        world.answers = false
        var unit = Conversation(world)
        unit.tell(.start)
        unit.tell(.received(.getResponse([])))
        unit.run(.milliseconds(1_100))
        #expect(unit.subscriptions.count == 2)
        unit.tell(.received(.failure(id: 1, code: -32604, message: "none")))
        unit.tell(.received(.result(id: 2, values: [])))
        unit.run(.seconds(2))
        #expect(unit.subscriptions.map { $0.subscribed.count } == [2, 1, 1, 1])
    }
}

extension Request {
    var subscribed: [Subscription] {
        if case .subscribe(_, let list) = self { return list }
        return []
    }
}
