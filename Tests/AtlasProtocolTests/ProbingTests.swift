@testable import AtlasProtocol
import Testing

@Suite("a unit that is connected and does not answer")
struct ProbingTests {
    @Test("a working link is probed once an interval, and says nothing")
    func quiet() {
        var unit = Conversation.working()
        unit.run(.seconds(6 * 3_600))
        #expect((2_150...2_161).contains(unit.requests.count))
        #expect(unit.subscriptions == [])
        #expect(unit.changes(.control) == [] && unit.changes(.meters) == [] && unit.events == [])
    }

    @Test("one answer that is missing, or two, are asked after sooner and change nothing")
    func oneLost() {
        for lost in [2, 4, 7] {
            var unit = Conversation.working()
            unit.world.answers = false
            unit.run(.seconds(9 + lost))
            unit.world.answers = true
            unit.run(.seconds(60))
            #expect(unit.changes(.control) == [] && unit.events == [], "\(lost) s")
        }
    }

    @Test(
        "unanswered and acknowledged is wedged, not acknowledged is silent; since the first unanswered probe",
        arguments: [(true, Cause.wedged), (false, Cause.silent)])
    func mute(_ acknowledges: Bool, _ cause: Cause) throws {
        for offset in [0, 1, 2_499, 5_000, 9_999] {
            var unit = Conversation.working()
            unit.run(.milliseconds(offset))
            let fault = unit.now
            unit.world.answers = false
            unit.world.acknowledges = acknowledges
            unit.run(.seconds(20))
            let probe = try #require(unit.probeTimes.first)
            #expect(probe >= fault && probe - fault <= Conversation.interval, "offset \(offset)")
            #expect(
                unit.changes(.control) == [LinkChange(link: .control, state: .down(cause), since: probe)],
                "offset \(offset)")
            #expect(unit.events.first?.name == (cause == .wedged ? .wedged : .unanswered))
            #expect(unit.events.first?.cause == cause)
            unit.run(.seconds(3_600))
            #expect(unit.states(.control) == [.down(cause)], "it goes on probing and says no more")
            #expect(unit.requests.count > 1_400)
            #expect(!unit.log.contains(.close), "the meters may still flow")
        }
    }

    @Test("a unit that never answered since connect has its third-party control off")
    func notEnabled() {
        var world = Conversation.World()
        world.answers = false
        var unit = Conversation(world)
        let start = unit.now
        unit.tell(.start)
        unit.run(.seconds(20))
        #expect(unit.changes(.control) == [LinkChange(link: .control, state: .down(.notEnabled), since: start)])
        #expect(unit.names.prefix(2) == [.connected, .unanswered])
        #expect(unit.changes(.meters) == [LinkChange(link: .meters, state: .down(.controlDown), since: start)])
        unit.forget()
        unit.world.answers = true
        unit.run(.seconds(10))
        #expect(unit.states(.control) == [.up] && unit.states(.meters) == [.up])
        #expect(unit.names.contains(.subscribed))
    }

    @Test("a unit that reads no more is not asked more than it has room for, is watched on, and answers what stands")
    func noRoom() throws {
        var unit = Conversation.working()
        unit.world.answers = false
        for second in 0..<3_600 {
            if second == 30 {
                unit.world.reads = false
                unit.forget()
            }
            unit.run(.seconds(1))
            unit.datagram()
        }
        #expect(unit.requests == [] && unit.events == [])
        unit.run(.seconds(20))
        #expect(unit.states(.meters) == [.down(.controlDown)], "that nothing arrives is noticed all the same")
        (unit.world.answers, unit.world.reads) = (true, true)
        let actions = unit.tell(.received(.getResponse([.text("KeepAlive", "OK")])))
        #expect(actions.contains(.change(LinkChange(link: .control, state: .up, since: unit.now))))
        unit.run(.seconds(10))
        #expect(unit.states(.meters).last == .up && unit.subscriptions.count == Conversation.few.count)
    }

    @Test("meters flow on while control is wedged; nothing arriving is control_down")
    func metersWhileWedged() throws {
        var unit = Conversation.working()
        unit.world.answers = false
        for _ in 0..<3_600 {
            unit.run(.seconds(1))
            unit.datagram()
        }
        #expect(unit.states(.control) == [.down(.wedged)] && unit.changes(.meters) == [])
        let last = unit.now
        unit.run(.seconds(20))
        let change = try #require(unit.changes(.meters).first)
        #expect(change.state == .down(.controlDown))
        #expect(change.since >= last && change.since - last <= .seconds(10))
        unit.datagram()
        #expect(unit.states(.meters) == [.down(.controlDown), .up])
    }

    @Test("answering again is an event, is up, and subscribes anew: what was not answered may not have been taken")
    func answeringAgain() {
        var unit = Conversation.working()
        unit.world.answers = false
        unit.run(.seconds(60))
        unit.forget()
        let mended = unit.now
        unit.world.answers = true
        unit.run(.seconds(10))
        #expect(unit.states(.control) == [.up] && unit.states(.meters) == [.up])
        #expect(unit.changes(.control).allSatisfy { $0.since >= mended })
        #expect(unit.names.count == 3 && Set(unit.names) == [.answering, .metersFlowing, .subscribed])
        #expect(unit.subscriptions.count == Conversation.few.count)
    }

    @Test("a wedged unit that loses its cable later is silent from then on, and was wedged until then")
    func wedgedThenSilent() throws {
        for kernelNotices in [false, true] {
            var unit = Conversation.working()
            unit.world.answers = false
            unit.run(.seconds(3 * 3_600))
            let cut = unit.now
            unit.world.acknowledges = false
            unit.run(.seconds(kernelNotices ? 2 : 8))
            if kernelNotices {
                unit.run(.seconds(1))
                unit.tell(.disconnected(.silent))
            }
            #expect(unit.states(.control) == [.down(.wedged), .down(.silent)])
            let change = try #require(unit.changes(.control).last)
            #expect(change.since >= cut - .milliseconds(2_500) && change.since <= cut + .milliseconds(2_500))
        }
    }

    @Test("a cut cable that the kernel notices first is silent since the first unanswered probe")
    func silentByTheKernel() throws {
        var unit = Conversation.working()
        unit.world.answers = false
        unit.world.acknowledges = false
        unit.run(.seconds(17))
        let probe = try #require(unit.probeTimes.first)
        unit.tell(.disconnected(.silent))
        #expect(unit.changes(.control) == [LinkChange(link: .control, state: .down(.silent), since: probe)])
        #expect(unit.changes(.meters) == [LinkChange(link: .meters, state: .down(.controlDown), since: probe)])
        #expect(unit.events.map(\.at) == [unit.now, unit.now], "events carry the moment they were noticed")
    }

    @Test("a cut cable on which nothing was asked is silent since the kernel's own first keep-alive")
    func silentBeforeAProbe() {
        var unit = Conversation.working()
        unit.run(.seconds(9))
        let asked = unit.now - .seconds(4)
        unit.tell(.disconnected(.silent, since: asked))
        #expect(unit.changes(.control) == [LinkChange(link: .control, state: .down(.silent), since: asked)])
        #expect(unit.changes(.meters) == [LinkChange(link: .meters, state: .down(.controlDown), since: asked)])
    }

    @Test("the kernel's evidence and ours: the earlier one counts", arguments: [1, 3])
    func silentByBoth(_ earlier: Int) throws {
        var unit = Conversation.working()
        unit.world.answers = false
        unit.world.acknowledges = false
        unit.run(.seconds(14))
        let probe = try #require(unit.probeTimes.first)
        let kernel = probe + .seconds(2) - .seconds(earlier)
        unit.tell(.disconnected(.silent, since: kernel))
        let since = min(probe, kernel)
        #expect(unit.changes(.control) == [LinkChange(link: .control, state: .down(.silent), since: since)])
    }

    @Test("a connection that was silent already is given up: an event, and no second end of the same link")
    func givenUp() {
        var unit = Conversation.working()
        unit.world.answers = false
        unit.world.acknowledges = false
        unit.run(.seconds(20))
        #expect(unit.events.map(\.name) == [.unanswered, .metersLost])
        unit.forget()
        unit.tell(.disconnected(.silent, since: unit.now - .seconds(4)))
        #expect(unit.events.map(\.name) == [.givenUp] && unit.events.first?.cause == .silent)
        #expect(unit.changes(.control) == [] && unit.changes(.meters) == [])
        #expect(unit.log.contains(.start(.reconnect, at: unit.now)))
    }

    @Test("a segment that is on its way when we look does not make a wedged unit a silent one")
    func segmentUnderWay() {
        var unit = Conversation.working()
        unit.world.answers = false
        unit.run(.seconds(60))
        for _ in 0..<100 {
            unit.world.acknowledges = false
            unit.run(.milliseconds(2_500))
            unit.world.acknowledges = true
            unit.run(.milliseconds(2_500))
        }
        #expect(unit.states(.control) == [.down(.wedged)])
    }

    @Test("meters are never down before the last datagram that was seen")
    func silentAfterADatagram() throws {
        var unit = Conversation.working()
        unit.world.answers = false
        unit.world.acknowledges = false
        unit.run(.seconds(12))
        unit.datagram()
        let last = unit.now
        unit.run(.seconds(3))
        unit.tell(.disconnected(.silent))
        #expect(try #require(unit.changes(.control).first).since < last)
        #expect(try #require(unit.changes(.meters).first).since >= last)
    }

    @Test("an error is an answer too")
    func errorAnswers() {
        var unit = Conversation.working()
        unit.world.answers = false
        for _ in 0..<100 {
            unit.run(.seconds(5))
            unit.tell(.received(.failure(id: nil, code: -32600, message: "what?")))
            unit.datagram()
        }
        #expect(unit.changes(.control) == [] && unit.changes(.meters) == [])
    }
}
