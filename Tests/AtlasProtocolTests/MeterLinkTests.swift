@testable import AtlasProtocol
import Testing

@Suite("whether meters reach the socket")
struct MeterLinkTests {
    @Test("quiet meters with an echo are up for hours, without a word")
    func quietVenue() {
        var unit = Conversation.working()
        unit.run(.seconds(12 * 3_600))
        #expect(unit.changes(.meters) == [])
    }

    @Test(
        "a lost echo is taken where another socket is on the port, else not_arriving; the next datagram is up",
        arguments: [("node (pid 2211)", Cause.taken), (nil, Cause.notArriving)] as [(String?, Cause)])
    func echoLost(_ rival: String?, _ cause: Cause) throws {
        for offset in [0, 1, 2_499, 5_000, 9_999] {
            var unit = Conversation.working()
            unit.run(.milliseconds(offset))
            let fault = unit.now
            unit.world.echoes = false
            unit.world.rival = rival
            unit.run(.seconds(20))
            let probe = try #require(unit.probeTimes.first)
            #expect(probe - fault <= .seconds(10))
            #expect(unit.changes(.meters) == [LinkChange(link: .meters, state: .down(cause), since: probe)])
            #expect(unit.events.map(\.name) == [cause == .taken ? .taken : .metersLost])
            #expect(unit.events.first?.detail == rival)
            unit.run(.seconds(3_600))
            #expect(unit.states(.meters) == [.down(cause)] && unit.changes(.control) == [])
            unit.world.echoes = true
            unit.world.rival = nil
            let mended = unit.now
            unit.run(.seconds(3))
            #expect(unit.states(.meters) == [.down(cause), .up])
            #expect(try #require(unit.changes(.meters).last).since >= mended)
        }
    }

    @Test("meters that flow are up whatever becomes of the echo")
    func flowWithoutEcho() {
        var unit = Conversation.working()
        unit.world.echoes = false
        for _ in 0..<400 {
            unit.run(.seconds(9))
            unit.datagram()
        }
        #expect(unit.changes(.meters) == [])
    }

    @Test("a port that another program holds is down with the errno; bound later, up at the first datagram")
    func addressInUse() {
        var world = Conversation.World()
        world.bindError = .errno("EADDRINUSE")
        var unit = Conversation(world)
        let start = unit.now
        unit.tell(.start)
        for _ in 0..<100 {
            unit.run(.seconds(2))
            unit.tell(.metersNotBound(.errno("EADDRINUSE"), detail: "held by node"))
        }
        #expect(
            unit.changes(.meters) == [LinkChange(link: .meters, state: .down(.errno("EADDRINUSE")), since: start)])
        #expect(unit.states(.control) == [.up], "control goes on without the meters' socket")
        #expect(unit.names == [.metersLost, .connected, .answering, .subscribed])
        unit.world.bindError = nil
        unit.world.echoes = false
        unit.tell(.metersBound)
        #expect(unit.states(.meters) == [.down(.errno("EADDRINUSE"))])
        unit.run(.seconds(1))
        let first = unit.now
        unit.datagram()
        #expect(unit.changes(.meters).last == LinkChange(link: .meters, state: .up, since: first))
        #expect(unit.changes(.meters).count == 2)
    }

    @Test("a socket that is bound and hears nothing is judged by the echo, from its own first probe")
    func boundButDeaf() throws {
        var world = Conversation.World()
        world.bindError = .errno("EADDRINUSE")
        world.echoes = false
        var unit = Conversation(world)
        unit.tell(.start)
        unit.run(.seconds(600))
        unit.world.bindError = nil
        let bound = unit.now
        unit.tell(.metersBound)
        unit.run(.seconds(10))
        #expect(unit.changes(.meters).last == LinkChange(link: .meters, state: .down(.notArriving), since: bound))
    }

    @Test("a port that comes free before the unit's first answer does not lay the meters to its charge")
    func boundBeforeTheFirstAnswer() {
        var world = Conversation.World()
        (world.bindError, world.answers) = (.errno("EADDRINUSE"), false)
        var unit = Conversation(world)
        unit.tell(.start)
        unit.run(.seconds(2))
        unit.world = Conversation.World()
        unit.tell(.metersBound)
        #expect(unit.states(.meters) == [.down(.errno("EADDRINUSE")), .up])
    }

    @Test("a port that comes free while the unit is away leaves the meters down for the unit's sake")
    func boundWhileWaiting() {
        var unit = Conversation.working()
        unit.world.bindError = .errno("EADDRINUSE")
        unit.tell(.metersNotBound(.errno("EADDRINUSE"), detail: nil))
        unit.world.connectError = .refused
        unit.tell(.disconnected(.reset))
        unit.run(.seconds(60))
        #expect(unit.states(.meters) == [.down(.errno("EADDRINUSE"))])
        unit.world.bindError = nil
        let bound = unit.now
        unit.tell(.metersBound)
        #expect(unit.changes(.meters).last == LinkChange(link: .meters, state: .down(.controlDown), since: bound))
        unit.world.connectError = nil
        unit.run(.seconds(6))
        #expect(unit.states(.meters).last == .up)
    }

    @Test("a late datagram of a socket that failed since does not raise the link")
    func lateDatagram() {
        var unit = Conversation.working()
        unit.tell(.metersNotBound(.errno("ENETDOWN"), detail: nil))
        #expect(unit.tell(.datagramArrived) == [])
        #expect(unit.states(.meters) == [.down(.errno("ENETDOWN"))])
    }

    @Test("a cause learnt soon after corrects the row; one learnt later begins another")
    func causeLearntLater() throws {
        var unit = Conversation.working()
        unit.world.echoes = false
        unit.run(.seconds(21))
        let first = try #require(unit.changes(.meters).first)
        #expect(first.state == .down(.notArriving))
        unit.world.rival = "node"
        unit.run(.seconds(5))
        #expect(unit.changes(.meters).last == LinkChange(link: .meters, state: .down(.taken), since: first.since))
        unit.run(.seconds(3_600))
        let gone = unit.now
        unit.world.rival = nil
        unit.run(.seconds(15))
        let last = try #require(unit.changes(.meters).last)
        #expect(last.state == .down(.notArriving) && last.since >= gone - .milliseconds(2_500))
    }

    @Test("a socket that comes to the port hours after the echo was lost is not blamed for those hours")
    func rivalHoursLater() {
        var unit = Conversation.working()
        unit.world.echoes = false
        unit.run(.seconds(3_600))
        unit.world.rival = "node"
        let came = unit.now
        unit.run(.seconds(5))
        #expect(unit.states(.meters) == [.down(.notArriving), .down(.taken)])
        #expect(unit.changes(.meters).allSatisfy { $0.state != .down(.taken) || $0.since > came })
    }

    @Test("a unit that answers again is given an interval for its echo")
    func echoAfterWedge() throws {
        var unit = Conversation.working()
        unit.world.answers = false
        unit.run(.seconds(600))
        #expect(unit.states(.meters) == [.down(.controlDown)])
        unit.world.answers = true
        unit.world.echoes = false
        let mended = unit.now
        unit.run(.seconds(7))
        #expect(unit.states(.control).last == .up && unit.states(.meters) == [.down(.controlDown)])
        unit.run(.seconds(10))
        let last = try #require(unit.changes(.meters).last)
        #expect(last.state == .down(.notArriving) && last.since >= mended - .milliseconds(2_500))
    }
}
