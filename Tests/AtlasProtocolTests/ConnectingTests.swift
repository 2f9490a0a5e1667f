@testable import AtlasProtocol
import Testing

@Suite("connecting, and losing the connection")
struct ConnectingTests {
    @Test("connects, binds, then probes and subscribes; the first answer is up, the connection is not")
    func order() {
        var session = ControlSession(.init(keepAlive: .seconds(10), seed: 1, subscriptions: Conversation.few))
        let start = Instant(microseconds: 0)
        #expect(session.handle(.start, at: start) == [.connect])
        let local = Conversation.local
        #expect(session.handle(.connected(local: local, port: 40_000), at: start) == [.bindMeters(on: local)])
        #expect(
            session.handle(.metersBound, at: start) == [
                .awaitDatagram, .send(.keepAlive), .start(.probe, at: start + .milliseconds(2_500)),
                .send(.subscribe(id: 1, Conversation.few[0])), .start(.subscription, at: start + .milliseconds(500)),
            ])
        let later = start + .milliseconds(3)
        let answer = Message.getResponse([.text("KeepAlive", "OK")])
        #expect(
            session.handle(.received(answer), at: later) == [
                .record(
                    LinkEvent(at: start, link: .control, name: .connected, detail: "from 192.168.5.20:40000")),
                .record(LinkEvent(at: later, link: .control, name: .answering)),
                .change(LinkChange(link: .control, state: .up, since: later)),
            ])
        #expect(
            session.handle(.received(.result(id: 1, values: [])), at: later) == [
                .send(.subscribe(id: 2, Conversation.few[1])), .start(.subscription, at: later + .milliseconds(500)),
            ])
        #expect(
            session.handle(.received(.failure(id: 2, code: -32604, message: "none")), at: later) == [
                .record(
                    LinkEvent(
                        at: later, link: .control, name: .subscribed, detail: "2 parameters, 1 not on this unit")),
                .start(.refusedParameters, at: later + .seconds(3_600)),
            ])
        #expect(
            session.handle(.datagramArrived, at: later) == [
                .record(LinkEvent(at: later, link: .meters, name: .metersFlowing)),
                .change(LinkChange(link: .meters, state: .up, since: later)),
            ])
    }

    @Test("an update by TCP proves that the unit lives, not that it takes commands")
    func updateIsNoAnswer() {
        var world = Conversation.World()
        world.answers = false
        var unit = Conversation(world)
        unit.tell(.start)
        let values = [ParameterValue.decibels("ZoneGain_0", -3)]
        #expect(unit.tell(.received(.update(values))) == [.store(values)])
        #expect(unit.tell(.received(.update([]))) == [])
        #expect(unit.tell(.received(.unknown)) == [])
        #expect(unit.changes(.control) == [])
    }

    @Test(
        "an attempt that fails is down since then, with its cause; one event for many of the same cause",
        arguments: [Cause.refused, .timeout, .unreachable, .unresolved])
    func failedAttempts(_ cause: Cause) {
        var world = Conversation.World()
        world.connectError = cause
        var unit = Conversation(world)
        let start = unit.now
        unit.tell(.start)
        unit.run(.seconds(3_600))
        #expect(unit.changes(.control) == [LinkChange(link: .control, state: .down(cause), since: start)])
        #expect(unit.changes(.meters) == [LinkChange(link: .meters, state: .down(.controlDown), since: start)])
        #expect(unit.names == [.connectFailed, .metersLost])
        // Every 4 to 5 s, for ever.
        #expect((720...920).contains(unit.attempts))
        unit.forget()
        unit.world.connectError = nil
        unit.run(.seconds(6))
        #expect(unit.states(.control) == [.up] && unit.states(.meters) == [.up])
    }

    @Test("an attempt that nobody answers is down since it began, one that the unit refuses since it did")
    func failureBegins() {
        let failures: [(Cause, Int)] = [
            (.timeout, 0), (.unreachable, 0), (.unresolved, 0), (.refused, 5), (.reset, 5), (.closed, 5),
        ]
        for (cause, seconds) in failures {
            var session = ControlSession(.init(keepAlive: .seconds(10), seed: 1))
            let start = Instant(microseconds: 0)
            _ = session.handle(.start, at: start)
            let actions = session.handle(.connectFailed(cause, detail: "test"), at: start + .seconds(5))
            let since = start + .seconds(seconds)
            #expect(actions.contains(.change(LinkChange(link: .control, state: .down(cause), since: since))))
            #expect(actions.contains(.change(LinkChange(link: .meters, state: .down(.controlDown), since: since))))
        }
    }

    @Test("an attempt that fails in another way is a new event and a new row")
    func causesInTurn() {
        var world = Conversation.World()
        world.connectError = .timeout
        var unit = Conversation(world)
        unit.tell(.start)
        unit.run(.seconds(60))
        unit.world.connectError = .refused
        unit.run(.seconds(60))
        #expect(unit.states(.control) == [.down(.timeout), .down(.refused)])
        #expect(unit.states(.meters) == [.down(.controlDown)])
        #expect(unit.names == [.connectFailed, .metersLost, .connectFailed])
    }

    @Test(
        "a connection that ends is down since then, and made again at once",
        arguments: [Cause.closed, .reset, .unreachable, .silent, .addressGone])
    func ended(_ cause: Cause) {
        var unit = Conversation.working()
        unit.run(.seconds(3))
        let end = unit.now
        unit.tell(.disconnected(cause))
        #expect(unit.changes(.control) == [LinkChange(link: .control, state: .down(cause), since: end)])
        #expect(unit.changes(.meters) == [LinkChange(link: .meters, state: .down(.controlDown), since: end)])
        #expect(unit.log.contains(.start(.reconnect, at: end)))
        unit.run(Span(microseconds: 0))
        #expect(unit.states(.control) == [.down(cause), .up] && unit.states(.meters) == [.down(.controlDown), .up])
        #expect(unit.subscriptions.count == 2, "subscriptions ended with the connection")
        #expect(
            unit.names == [
                .disconnected, .metersLost, .connected, .answering, .metersFlowing, .subscribed,
            ])
    }

    @Test("the first attempt after an answer comes at once; after connections cut short again and again it waits")
    func cutShort() {
        for (seconds, waits) in [(9, true), (10, false)] {
            var unit = Conversation()
            unit.tell(.start)
            for isFirst in [true, false] {
                unit.run(.seconds(seconds))
                let actions = unit.tell(.disconnected(.reset))
                let atOnce = actions.contains(.start(.reconnect, at: unit.now))
                #expect(atOnce == (isFirst || !waits), "\(seconds) s")
            }
        }
    }

    @Test("a unit that accepts and closes for an hour is one event, and is left alone for up to 30 s")
    func acceptAndClose() {
        var world = Conversation.World()
        (world.closesAtOnce, world.answers) = (true, false)
        var unit = Conversation(world)
        unit.tell(.start)
        unit.run(.seconds(3_600))
        #expect(unit.names == [.connectFailed, .metersLost])
        #expect(unit.states(.control) == [.down(.closed)])
        #expect((120...170).contains(unit.attempts))
        unit.world = Conversation.World()
        unit.run(.seconds(30))
        #expect(unit.states(.control) == [.down(.closed), .up])
    }

    @Test(
        "a unit that ends each connection now with FIN, now with RST, before or after it was made: the same for an hour"
    )
    func endedEitherWay() {
        var world = Conversation.World()
        world.answers = false
        var unit = Conversation(world)
        unit.tell(.start)
        let end = unit.now + .seconds(3_600)
        for number in 0... {
            unit.tell(.disconnected(number.isMultiple(of: 2) ? .closed : .reset))
            unit.world.connectError = [nil, .reset, nil, .closed][number % 4]
            let attempts = unit.attempts
            while unit.attempts == attempts { unit.run(.milliseconds(100)) }
            guard unit.now < end else { break }
        }
        #expect(unit.names == [.connectFailed, .metersLost])
        #expect(unit.states(.control) == [.down(.closed)])
        #expect((120...170).contains(unit.attempts))
    }

    @Test("datagrams on connections that end without an answer do not make the meters flap")
    func acceptAndCloseWithDatagrams() {
        var world = Conversation.World()
        world.answers = false
        var unit = Conversation(world)
        unit.tell(.start)
        unit.tell(.disconnected(.closed))
        unit.forget()
        for attempt in 2...50 {
            while unit.attempts < attempt { unit.run(.milliseconds(100)) }
            unit.datagram()
            unit.tell(.disconnected(.closed))
        }
        #expect(unit.changes(.meters) == [] && unit.events == [])
    }

    @Test("the waits begin anew after a connection that worked")
    func waitsAnew() throws {
        var world = Conversation.World()
        world.connectError = .refused
        var unit = Conversation(world)
        unit.tell(.start)
        unit.run(.seconds(600))
        unit.world.connectError = nil
        unit.run(.seconds(30))
        unit.world.connectError = .refused
        unit.tell(.disconnected(.reset))
        unit.forget()
        unit.run(Span(microseconds: 0))
        let waits = unit.log.compactMap { action in
            if case .start(.reconnect, let instant) = action { return instant - unit.now }
            return nil
        }
        #expect(waits.count == 1 && waits.allSatisfy { $0 <= .milliseconds(600) })
    }

    @Test("an echo that outruns the first answer counts from its arrival")
    func earlyEcho() {
        var world = Conversation.World()
        world.answers = false
        var unit = Conversation(world)
        unit.tell(.start)
        unit.run(.milliseconds(2))
        let echo = unit.now
        unit.datagram()
        #expect(unit.changes(.meters) == [])
        unit.run(.milliseconds(2))
        unit.tell(.received(.getResponse([.text("KeepAlive", "OK")])))
        #expect(unit.changes(.meters) == [LinkChange(link: .meters, state: .up, since: echo)])
    }

    @Test("what comes late or twice changes nothing")
    func staleEvents() {
        let answer = ControlSession.Event.received(.getResponse([]))
        let timers = [ControlSession.Timer.reconnect, .subscription, .probe, .refusedParameters].map {
            ControlSession.Event.timerFired($0, .init(isAcknowledged: false, rival: "other"))
        }
        var session = ControlSession(.init(keepAlive: .seconds(10), seed: 1))
        let now = Instant(microseconds: 5)
        let connected = ControlSession.Event.connected(local: Conversation.local, port: 1)
        let failed = ControlSession.Event.connectFailed(.refused, detail: "")
        for event in timers + [answer, .disconnected(.reset), .datagramArrived, connected, failed] {
            #expect(session.handle(event, at: now) == [], "idle: \(event)")
        }
        _ = session.handle(.start, at: now)
        for event in timers + [answer, .disconnected(.reset), .datagramArrived, .start] {
            #expect(session.handle(event, at: now) == [], "connecting: \(event)")
        }
        _ = session.handle(connected, at: now)
        for event in timers + [failed, connected, .start] {
            #expect(session.handle(event, at: now) == [], "connected, socket not tried yet: \(event)")
        }
        _ = session.handle(.metersBound, at: now)
        for event in [timers[0], timers[3], failed, connected, .start] {
            #expect(session.handle(event, at: now) == [], "connected: \(event)")
        }
        _ = session.handle(.disconnected(.closed), at: now)
        for event in timers.dropFirst() + [answer, .disconnected(.reset), .datagramArrived, .start, connected, failed] {
            #expect(session.handle(event, at: now) == [], "waiting: \(event)")
        }
        #expect(session.handle(timers[0], at: now) == [.connect])
        #expect(session.handle(.stop, at: now) == [.close])
        for event in timers + [
            answer, .start, .stop, connected, failed, .metersBound, .datagramArrived, .disconnected(.closed),
        ] {
            #expect(session.handle(event, at: now) == [], "stopped: \(event)")
        }
    }

    @Test("stop closes, from any phase, and is the last thing it says")
    func stop() {
        var unit = Conversation.working()
        #expect(unit.tell(.stop) == [.close])
        unit.run(.seconds(100_000))
        #expect(unit.log == [.close])
        var idle = Conversation()
        #expect(idle.tell(.stop) == [.close])
        #expect(idle.tell(.start) == [])
    }
}
