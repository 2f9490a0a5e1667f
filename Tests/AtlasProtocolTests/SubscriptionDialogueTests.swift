@testable import AtlasProtocol
import Testing

@Suite("asking for everything")
struct SubscriptionDialogueTests {
    private static let (one, two, three) = (
        Subscription("ZoneMeter_0", .number), Subscription("ZoneMeter_1", .number), Subscription("ZoneName_0", .text)
    )
    private var dialogue = SubscriptionDialogue([[one, two], [three]], firstID: 5)

    @Test("one message at a time, each when the last was answered")
    mutating func oneAtATime() {
        #expect(dialogue.next() == .subscribe(id: 5, [Self.one, Self.two]))
        #expect(dialogue.next() == nil)
        dialogue.accept(id: 5)
        #expect(dialogue.next() == .subscribe(id: 6, [Self.three]))
        #expect(!dialogue.isFinished)
        dialogue.accept(id: nil)
        #expect(dialogue.isFinished && dialogue.next() == nil)
        #expect(dialogue.accepted == 3 && dialogue.unanswered == 0 && dialogue.missing == [])
    }

    @Test("an array that is refused is asked again parameter by parameter, in order, before what follows")
    mutating func singly() {
        _ = dialogue.next()
        #expect(dialogue.refuse(id: 5) == [])
        #expect(dialogue.next() == .subscribe(id: 6, [Self.one]))
        dialogue.accept(id: 6)
        #expect(dialogue.next() == .subscribe(id: 7, [Self.two]))
        #expect(dialogue.refuse(id: 7) == [Self.two])
        #expect(dialogue.next() == .subscribe(id: 8, [Self.three]))
        dialogue.accept(id: 8)
        #expect(dialogue.refused == [Self.two] && dialogue.accepted == 2 && dialogue.isFinished)
        #expect(dialogue.missing == [Self.two])
    }

    /// `SceneName_0` and so on, as many as `everything` asks for.
    private static let list = (0..<20).map { Subscription("SceneName_\($0)", .text, isOpenEnded: true) }

    /// Answers everything; returns how many messages that took.
    private static func talk(_ dialogue: inout SubscriptionDialogue, has: (String) -> Bool) -> Int {
        var messages = 0
        while case .subscribe(let id, let asked) = dialogue.next() {
            messages += 1
            if asked.allSatisfy({ has($0.name) }) { dialogue.accept(id: id) } else { _ = dialogue.refuse(id: id) }
        }
        return messages
    }

    @Test(
        "an open-ended list is asked up to the second in a row that the unit lacks; what follows it is asked whole",
        arguments: [(0, 3), (1, 4), (4, 7), (17, 20), (18, 21), (19, 21), (20, 1)])
    func openEnded(length: Int, messages: Int) {
        var dialogue = SubscriptionDialogue([Self.list, [Self.one, Self.two]], firstID: 1)
        let had = Set(Self.list.prefix(length).map(\.name)).union([Self.one.name, Self.two.name])
        #expect(Self.talk(&dialogue) { had.contains($0) } == messages + 1)
        #expect(dialogue.accepted == length + 2 && dialogue.refused == Array(Self.list[length...]))
    }

    @Test("meters are asked for to the end: those of a mix begin somewhere in the middle, and none may be missed")
    func metersToTheEnd() {
        let mixes = (0..<22).map { Subscription("MixMeter_\($0)", .number) }
        var dialogue = SubscriptionDialogue([mixes], firstID: 1)
        let last = Set(mixes[14...].map(\.name))
        #expect(Self.talk(&dialogue) { last.contains($0) } == 23)
        #expect(dialogue.accepted == 8 && dialogue.refused == Array(mixes[..<14]))
    }

    @Test(
        "a full AZM8 with some scenes and messages is found whole in 168 messages, a unit that has everything in 41")
    func howMany() {
        let counts = [
            "SceneName": 4, "RecallScene": 4, "RoutineName": 2, "RecallRoutine": 2, "MessageName": 4, "PlayMessage": 4,
            "GpoPresetName": 2, "RecallGpoPreset": 2, "BellScheduleName": 2, "GpoState": 2,
        ]
        func has(_ name: String) -> Bool {
            let parts = name.split(separator: "_")
            guard parts.count == 2, let number = Int(parts[1]) else {
                return ["FirmwareVersion", "LoudNoise", "TodaysBellSchedule"].contains(name)
            }
            if let count = counts[String(parts[0])] { return number < count }
            if name.hasPrefix("Mix") { return (14..<22).contains(number) }
            if name.hasPrefix("Group") { return number < 4 }
            return name.hasPrefix("Source") || name.hasPrefix("Zone")
        }
        let everything = Subscription.everything
        var unit = SubscriptionDialogue(everything, firstID: 1)
        #expect(Self.talk(&unit, has: has) == 168)
        #expect(Set(unit.refused.map(\.name)) == Set(everything.flatMap { $0 }.map(\.name).filter { !has($0) }))
        var all = SubscriptionDialogue(everything, firstID: 1)
        #expect(Self.talk(&all) { _ in true } == everything.count && everything.count == 41)
    }

    @Test("an error without id is for the message under way, and for none when there is none")
    mutating func errorWithoutID() {
        #expect(dialogue.refuse(id: nil) == [])
        #expect(dialogue.next() == .subscribe(id: 5, [Self.one, Self.two]))
        _ = dialogue.refuse(id: nil)
        #expect(dialogue.next() == .subscribe(id: 6, [Self.one]))
        #expect(dialogue.refuse(id: nil) == [Self.one])
    }

    @Test("answers to what was never asked change nothing")
    mutating func foreignAnswers() {
        _ = dialogue.next()
        for id in [-1, 0, 4, 6, 1_000, .max, .min] {
            dialogue.accept(id: id)
            #expect(dialogue.refuse(id: id) == [])
        }
        #expect(dialogue.next() == nil && dialogue.accepted == 0 && dialogue.refused == [])
    }

    @Test("what is not answered keeps nothing waiting, and may be asked again")
    mutating func unanswered() {
        let before = dialogue.giveUpWaiting()
        #expect(!before)
        _ = dialogue.next()
        let gaveUp = dialogue.giveUpWaiting()
        #expect(gaveUp && dialogue.unanswered == 2)
        #expect(dialogue.next() == .subscribe(id: 6, [Self.three]))
        _ = dialogue.refuse(id: 6)
        #expect(dialogue.isFinished && dialogue.missing == [Self.three, Self.one, Self.two])
    }

    @Test("a late OK counts for the message it names, once, and not for the one under way")
    mutating func lateResult() {
        _ = dialogue.next()
        _ = dialogue.giveUpWaiting()
        _ = dialogue.next()
        dialogue.accept(id: 5)
        #expect(dialogue.accepted == 2 && dialogue.unanswered == 0 && !dialogue.isFinished)
        dialogue.accept(id: 5)
        #expect(dialogue.accepted == 2)
        dialogue.accept(id: 6)
        #expect(dialogue.accepted == 3 && dialogue.isFinished)
    }

    @Test("a late refusal of an array still has its parameters asked one by one")
    mutating func lateRefusal() {
        _ = dialogue.next()
        _ = dialogue.giveUpWaiting()
        _ = dialogue.next()
        dialogue.accept(id: 6)
        #expect(dialogue.isFinished)
        _ = dialogue.refuse(id: 5)
        #expect(!dialogue.isFinished)
        #expect(dialogue.next() == .subscribe(id: 7, [Self.one]))
    }
}

@Suite("requests")
struct RequestTests {
    @Test("are these bytes exactly, a line each")
    func bytes() {
        #expect(
            String(decoding: Request.keepAlive.line, as: UTF8.self)
                == #"{"jsonrpc":"2.0","method":"get","params":{"param":"KeepAlive","fmt":"str"}}"# + "\n")
        let subscribe = Request.subscribe(
            id: 7, [Subscription("SourceMeter_0", .number), Subscription("ZoneName_1", .text)])
        #expect(
            String(decoding: subscribe.line, as: UTF8.self)
                == #"{"jsonrpc":"2.0","id":7,"method":"sub","params":[{"param":"SourceMeter_0","fmt":"val"},"#
                + #"{"param":"ZoneName_1","fmt":"str"}]}"# + "\n")
    }

    @Test("everything that a recorder asks for is a short line of JSON that changes nothing on the unit")
    func everything() throws {
        for (index, list) in Subscription.everything.enumerated() {
            let line = Request.subscribe(id: 1_000_000 + index, list).line
            let text = String(decoding: line, as: UTF8.self)
            #expect(line.count < 4_096)
            #expect(line.last == UInt8(ascii: "\n") && line.count { $0 == UInt8(ascii: "\n") } == 1)
            #expect(!line.contains(UInt8(ascii: "\r")) && line.allSatisfy { $0 < 0x80 && $0 != UInt8(ascii: "\\") })
            for method in [#""set""#, #""bmp""#, #""unsub""#] { #expect(!text.contains(method)) }
            // As an answer, the list reads back: so the line is JSON, and its names are the ones asked for.
            let answer = text.replacing(#""method":"sub""#, with: #""method":"update""#)
                .replacing(#""fmt":"val""#, with: #""val":0"#).replacing(#""fmt":"str""#, with: #""str":"""#)
            let parsed = try #require(decode(answer))
            #expect(parsed.message.values.map(\.name) == list.map(\.name))
            #expect(parsed.unreadableValues == 0)
        }
    }

    @Test("each parameter is asked for once; every meter in dB, every name as text, meters first")
    func complete() {
        let all = Subscription.everything.flatMap { $0 }
        #expect(Set(all.map(\.name)).count == all.count)
        #expect(Subscription.everything.allSatisfy { !$0.isEmpty })
        let meters = ChannelFamily.allCases.flatMap { family in
            (0..<Subscription.channels(of: family)).map { Subscription("\(family.prefix)Meter_\($0)", .number) }
        }
        #expect(meters.count == 56)
        #expect(Array(all.prefix(meters.count)) == meters)
        for subscription in all where subscription.name.contains("Name_") { #expect(subscription.format == .text) }
        let names = Set(all.map(\.name))
        for name in [
            "SceneName_19", "RecallScene_19", "RecallRoutine_0", "PlayMessage_3", "RecallGpoPreset_0", "RecallScene",
            "GpoState_1", "GpoState", "LoudNoise", "BellScheduleName_0", "TodaysBellSchedule", "TodaysBellSchedule_0",
            "SourceName_13", "ZoneMute_7", "MixGain_21", "GroupActive_11", "ZoneSource_0", "ZoneGrouped_7",
        ] {
            #expect(names.contains(name), "\(name)")
        }
    }
}
