import Testing

@testable import AtlasProtocol

/// What a session does with every event in every phase, written out; a new phase or event has to be written here, too.
@Suite("every event in every phase")
struct PhaseTableTests {
    /// The phases, each with the events that lead there.
    enum Place: String, CaseIterable {
        case idle, connecting, opened, asking, answering, wedged, notEnabled, waiting, stopped
    }

    private static let events: [ControlSession.Event] = [
        .start, .connected(local: Conversation.local, port: 40_000), .connectFailed(.refused, detail: "test"),
        .connectFailed(.timeout, detail: "test"), .disconnected(.closed), .disconnected(.silent),
        .received(.getResponse([.text("KeepAlive", "OK")])), .received(.update([.decibels("ZoneGain_0", -3)])),
        .received(.unknown), .datagramArrived, .metersBound, .metersNotBound(.errno("EADDRINUSE"), detail: nil),
        .timerFired(.reconnect, .init()), .timerFired(.subscription, .init()), .timerFired(.probe, .init()),
        .timerFired(.refusedParameters, .init()), .stop,
    ]

    @Test("does this, a second after it came there", arguments: Place.allCases)
    func table(_ place: Place) {
        var lines: [String] = []
        var nothing: [String] = []
        for event in Self.events {
            var (session, now) = Self.session(in: place)
            now = now + .seconds(1)
            let actions = session.handle(event, at: now).map { Self.words(for: $0, now) }
            let after = Self.name(of: session.phase)
            if actions.isEmpty, after == place {
                nothing.append(Self.name(of: event))
            } else {
                let next = after == place ? "" : " -> \(after)"
                lines.append("\(Self.name(of: event)): \(actions.joined(separator: ", "))\(next)")
            }
        }
        lines.append("nothing: \(nothing.joined(separator: ", "))")
        #expect(lines.joined(separator: "\n") == Self.expected(in: place))
    }

    private static func session(in place: Place) -> (ControlSession, Instant) {
        var session = ControlSession(
            .init(keepAlive: Conversation.interval, seed: 1, subscriptions: [[Subscription("ZoneMeter_0", .number)]]))
        var now = Instant(microseconds: 100_000_000)
        func tell(_ events: ControlSession.Event...) { for event in events { _ = session.handle(event, at: now) } }
        let answer = ControlSession.Event.received(.result(id: 1, values: []))
        let path: [ControlSession.Event] = [
            .start, .connected(local: Conversation.local, port: 40_000), .metersBound, answer,
        ]
        func goMute() {
            for _ in 0..<4 {
                tell(.timerFired(.probe, .init()))
                now = now + .seconds(5)
            }
        }
        switch place {
        case .idle: break
        case .connecting: path.prefix(1).forEach { tell($0) }
        case .opened: path.prefix(2).forEach { tell($0) }
        case .asking: path.prefix(3).forEach { tell($0) }
        case .answering: path.forEach { tell($0) }
        case .wedged:
            path.forEach { tell($0) }
            now = now + .seconds(10)
            goMute()
        case .notEnabled:
            path.prefix(3).forEach { tell($0) }
            goMute()
        case .waiting: tell(.start, .connectFailed(.refused, detail: "test"))
        case .stopped: tell(.stop)
        }
        return (session, now)
    }

    private static func name(of phase: ControlSession.Phase) -> Place {
        switch phase {
        case .idle: .idle
        case .connecting: .connecting
        case .connected(_, .notBegun): .opened
        case .connected(_, .asking): .asking
        case .connected(_, .answering): .answering
        case .connected(_, .mute(let cause)): cause == .wedged ? .wedged : .notEnabled
        case .waiting: .waiting
        case .stopped: .stopped
        }
    }

    private static func name(of event: ControlSession.Event) -> String {
        switch event {
        case .start: "start"
        case .connected: "connected"
        case .connectFailed(let cause, _): "attempt failed (\(cause))"
        case .disconnected(let cause, _, _): "ended (\(cause))"
        case .received(.update): "value"
        case .received(.unknown): "unknown line"
        case .received: "answer"
        case .datagramArrived: "datagram"
        case .metersBound: "bound"
        case .metersNotBound: "not bound"
        case .metersTaken: "taken"
        case .timerFired(let timer, _): "\(timer) timer"
        case .stop: "stop"
        }
    }

    private static func words(for action: ControlSession.Action, _ now: Instant) -> String {
        switch action {
        case .connect: "connect"
        case .send(.keepAlive): "probe"
        case .send(.subscribe): "subscribe"
        case .start(.reconnect, let at): at == now ? "reconnect now" : "reconnect later"
        case .start(let timer, let at): "\(timer) in \(Double((at - now).microseconds) / 1e6) s"
        case .close: "close"
        case .bindMeters: "bind"
        case .awaitDatagram: "await a datagram"
        case .record(let event): "'\(event.name.rawValue)\(event.cause.map { " \($0)" } ?? "")'"
        case .change(let change):
            "\(change.link) \(change.state.name)\(change.state.cause.map { " \($0)" } ?? "") "
                + (change.since == now ? "since now" : "since \(Double((now - change.since).microseconds) / 1e6) s")
        case .store: "store"
        case .learn: "learn"
        }
    }

    private static func expected(in place: Place) -> String {
        switch place {
        case .idle:
            """
            start: connect -> connecting
            not bound: 'meters_lost EADDRINUSE', meters down EADDRINUSE since now
            stop: close -> stopped
            nothing: connected, attempt failed (refused), attempt failed (timeout), ended (closed), ended \
            (silent), answer, value, unknown line, datagram, bound, reconnect timer, subscription timer, probe \
            timer, refusedParameters timer
            """
        case .connecting:
            """
            connected: bind -> opened
            attempt failed (refused): 'connect_failed refused', control down refused since now, 'meters_lost \
            control_down', meters down control_down since now, reconnect later -> waiting
            attempt failed (timeout): 'connect_failed timeout', control down timeout since 1.0 s, 'meters_lost \
            control_down', meters down control_down since 1.0 s, reconnect later -> waiting
            not bound: 'meters_lost EADDRINUSE', meters down EADDRINUSE since now
            stop: close -> stopped
            nothing: start, ended (closed), ended (silent), answer, value, unknown line, datagram, bound, \
            reconnect timer, subscription timer, probe timer, refusedParameters timer
            """
        case .opened:
            """
            ended (closed): close, 'connect_failed closed', control down closed since now, 'meters_lost \
            control_down', meters down control_down since now, reconnect later -> waiting
            ended (silent): close, 'connect_failed silent', control down silent since now, 'meters_lost \
            control_down', meters down control_down since now, reconnect later -> waiting
            value: store
            bound: await a datagram, probe, probe in 2.5 s, subscribe, subscription in 0.5 s -> asking
            not bound: 'meters_lost EADDRINUSE', meters down EADDRINUSE since now, probe, probe in 2.5 s, \
            subscribe, subscription in 0.5 s -> asking
            stop: close -> stopped
            nothing: start, connected, attempt failed (refused), attempt failed (timeout), answer, unknown line, \
            datagram, reconnect timer, subscription timer, probe timer, refusedParameters timer
            """
        case .asking:
            """
            ended (closed): close, 'connect_failed closed', control down closed since now, 'meters_lost \
            control_down', meters down control_down since now, await a datagram, reconnect later -> waiting
            ended (silent): close, 'connect_failed silent', control down silent since 1.0 s, 'meters_lost \
            control_down', meters down control_down since 1.0 s, await a datagram, reconnect later -> waiting
            answer: 'connected', 'answering', control up since now -> answering
            value: store
            bound: await a datagram, probe, probe in 2.5 s
            not bound: 'meters_lost EADDRINUSE', meters down EADDRINUSE since now
            subscription timer: subscription in 0.5 s
            probe timer: probe, probe in 2.5 s
            stop: close -> stopped
            nothing: start, connected, attempt failed (refused), attempt failed (timeout), unknown line, \
            datagram, reconnect timer, refusedParameters timer
            """
        case .answering:
            """
            ended (closed): close, 'disconnected closed', control down closed since now, 'meters_lost \
            control_down', meters down control_down since now, await a datagram, reconnect now -> waiting
            ended (silent): close, 'disconnected silent', control down silent since now, 'meters_lost \
            control_down', meters down control_down since now, await a datagram, reconnect now -> waiting
            value: store
            datagram: 'meters_flowing', meters up since now
            bound: await a datagram, probe, probe in 2.5 s
            not bound: 'meters_lost EADDRINUSE', meters down EADDRINUSE since now
            probe timer: probe, probe in 2.5 s
            stop: close -> stopped
            nothing: start, connected, attempt failed (refused), attempt failed (timeout), answer, unknown line, \
            reconnect timer, subscription timer, refusedParameters timer
            """
        case .wedged:
            """
            ended (closed): close, 'disconnected closed', control down closed since now, reconnect now -> \
            waiting
            ended (silent): close, 'disconnected silent', control down silent since 6.0 s, reconnect now -> \
            waiting
            answer: 'answering', control up since now, subscribe, subscription in 0.5 s -> answering
            value: store
            datagram: 'meters_flowing', meters up since now
            bound: await a datagram, probe, probe in 2.5 s
            not bound: 'meters_lost EADDRINUSE', meters down EADDRINUSE since now
            probe timer: probe, probe in 2.5 s
            stop: close -> stopped
            nothing: start, connected, attempt failed (refused), attempt failed (timeout), unknown line, \
            reconnect timer, subscription timer, refusedParameters timer
            """
        case .notEnabled:
            """
            ended (closed): close, 'disconnected closed', control down closed since now, reconnect later -> \
            waiting
            ended (silent): close, 'disconnected silent', control down silent since 6.0 s, reconnect later -> \
            waiting
            answer: 'answering', control up since now, subscribe, subscription in 0.5 s -> answering
            value: store
            datagram: 'meters_flowing', meters up since now
            bound: await a datagram, probe, probe in 2.5 s
            not bound: 'meters_lost EADDRINUSE', meters down EADDRINUSE since now
            probe timer: probe, probe in 2.5 s
            stop: close -> stopped
            nothing: start, connected, attempt failed (refused), attempt failed (timeout), unknown line, \
            reconnect timer, subscription timer, refusedParameters timer
            """
        case .waiting:
            """
            not bound: 'meters_lost EADDRINUSE', meters down EADDRINUSE since now
            reconnect timer: connect -> connecting
            stop: close -> stopped
            nothing: start, connected, attempt failed (refused), attempt failed (timeout), ended (closed), ended \
            (silent), answer, value, unknown line, datagram, bound, subscription timer, probe timer, \
            refusedParameters timer
            """
        case .stopped:
            """
            nothing: start, connected, attempt failed (refused), attempt failed (timeout), ended (closed), ended \
            (silent), answer, value, unknown line, datagram, bound, not bound, reconnect timer, subscription \
            timer, probe timer, refusedParameters timer, stop
            """
        }
    }
}
