/// The link to one unit, from the first attempt to the end of the recorder: connects, subscribes, probes, and says what
/// is up and what is down. Pure: events in, actions out; it never sees a socket or a clock.
package struct ControlSession {
    package struct Configuration: Sendable {
        /// Between two probes; the manual wants one at least every 5 minutes.
        package let keepAlive: Span
        package let subscriptions: [[Subscription]]
        /// Of the back-off's jitter.
        package let seed: UInt64

        package init(keepAlive: Span, seed: UInt64, subscriptions: [[Subscription]] = Subscription.everything) {
            (self.keepAlive, self.seed, self.subscriptions) = (keepAlive, seed, subscriptions)
        }
    }

    package enum Timer: Hashable, Sendable { case reconnect, subscription, probe, refusedParameters }

    /// What the edge sees when a timer fires.
    package struct Evidence: Sendable {
        /// What was sent and the unit's TCP has not acknowledged: segments (TCP_INFO's tcpi_unacked, tcp(7)).
        package let unacknowledged: Int
        /// When this unit's last readable datagram arrived.
        package let lastDatagram: Instant?
        /// The socket that would take our datagrams, named, if there is one on the port.
        package let rival: String?

        package init(unacknowledged: Int = 0, lastDatagram: Instant? = nil, rival: String? = nil) {
            (self.unacknowledged, self.lastDatagram, self.rival) = (unacknowledged, lastDatagram, rival)
        }
    }

    package enum Event: Sendable {
        case start
        case connected(local: IPv4Address, port: UInt16)
        /// The attempt failed; `detail` is the system's message.
        case connectFailed(Cause, detail: String)
        /// The connection ended: `.closed` (FIN), `.reset`, `.silent` (the kernel gave up: ETIMEDOUT) or `.unreachable`.
        case disconnected(Cause)
        case received(Message)
        /// The first datagram since `awaitDatagram`.
        case datagramArrived
        case metersBound
        case metersNotBound(Cause, detail: String?)
        case timerFired(Timer, Evidence)
        case stop
    }

    package enum Action: Equatable, Sendable {
        case connect
        case send(Request)
        /// Sets the timer; the same timer set before is forgotten.
        case start(Timer, at: Instant)
        case close
        /// Bind the meters' socket on this address, the one the unit sends to.
        case bindMeters(on: IPv4Address)
        /// Tell of the next datagram from this unit.
        case awaitDatagram
        case record(LinkEvent)
        case change(LinkChange)
        /// Values that changed now; an action among them was fired.
        case store([ParameterValue])
        /// Values that the unit told without a change, and since when they are taken to hold: a subscription's first, or
        /// an answer's.
        case learn([ParameterValue], since: Instant)
    }

    enum Phase {
        case idle
        case connecting
        case connected(Connection)
        case waiting
        case stopped
    }

    struct Connection {
        let since: Instant
        let local: String
        var dialogue: SubscriptionDialogue
        var firstValues = FirstValues()
        /// Since when everything is asked for: the connection's begin, or when it was asked for again.
        var askedSince: Instant
        /// Subscribing and probing begin when the meters' socket was tried, so that the first echo finds it.
        var begun = false
        /// Whether this connection is in the history. One that ends without an answer is only a failed attempt.
        var announced = false
        var answers = false
        var everAnswered = false
        var subscribed = false
        var lastProbe: Instant?
        /// When the oldest probe was sent that has no answer yet, and how many have gone out since.
        var unansweredSince: Instant?
        var unansweredProbes = 0
        /// When the oldest probe was sent that the unit's TCP is not known to have acknowledged.
        var unacknowledgedSince: Instant?
    }

    let configuration: Configuration
    var phase = Phase.idle
    private(set) var control = LinkState.unknown(.recorderStarting)
    private var controlBegan: Instant?
    var meters = MeterLink()
    private var backoff: Backoff
    var nextID = 1

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        backoff = Backoff(seed: configuration.seed)
    }

    /// Moves the state; returns what the edge must do, in order. A unit's fault is an action, never a trap.
    package mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        switch (phase, event) {
        case (.idle, .start), (.waiting, .timerFired(.reconnect, _)):
            phase = .connecting
            return [.connect]
        case (.connecting, .connected(let local, let port)): return connected("\(local):\(port)", local, now)
        case (.connecting, .connectFailed(let cause, let detail)): return connectFailed(cause, detail, now)
        case (.connected(let connection), .disconnected(let cause)): return lost(connection, cause, now)
        case (.connected(let connection), .received(let message)): return received(message, connection, now)
        case (.connected(let connection), .timerFired(.probe, let evidence)):
            return probeTimer(connection, evidence, now)
        case (.connected(let connection), .timerFired(.subscription, _)): return subscriptionTimer(connection, now)
        case (.connected(let connection), .timerFired(.refusedParameters, _)): return askRefusedAgain(connection, now)
        case (.connected, .datagramArrived): return tellMeters { $0.datagramArrived(at: now) }

        case (.connected(let connection), .metersBound):
            let moved = tellMeters { $0.bound(at: now) }
            let awaited: [Action] = moved.isEmpty && meters.awaitsDatagram ? [.awaitDatagram] : []
            return moved + awaited + begin(connection, now)
        case (.connected(let connection), .metersNotBound(let cause, let detail)):
            let result = tellMeters { $0.bindFailed(cause, at: now, detail: detail) }
            return connection.begun ? result : result + begin(connection, now)
        // The socket outlives the connection; what becomes of it then counts when the control link is back.
        case (.idle, .metersBound), (.connecting, .metersBound), (.waiting, .metersBound):
            return tellMeters { $0.bound(at: now) }
        case (.idle, .metersNotBound(let cause, let detail)), (.connecting, .metersNotBound(let cause, let detail)),
            (.waiting, .metersNotBound(let cause, let detail)):
            return tellMeters { $0.bindFailed(cause, at: now, detail: detail) }

        case (.idle, .stop), (.connecting, .stop), (.waiting, .stop), (.connected, .stop):
            phase = .stopped
            return [.close]

        // A datagram outside a connection is another program's, or late: it is stored, but proves nothing of this link.
        case (.idle, .datagramArrived), (.connecting, .datagramArrived), (.waiting, .datagramArrived): return []
        // Timers that were set for a connection which has ended since.
        case (.idle, .timerFired), (.connecting, .timerFired), (.waiting, .timerFired): return []
        case (.connected, .timerFired(.reconnect, _)): return []
        // The edge reports an attempt or a connection once; these come only if it is wrong, and change nothing.
        case (.connecting, .start), (.waiting, .start), (.connected, .start): return []
        case (.idle, .connected), (.waiting, .connected), (.connected, .connected): return []
        case (.idle, .connectFailed), (.waiting, .connectFailed), (.connected, .connectFailed): return []
        case (.idle, .disconnected), (.waiting, .disconnected), (.connecting, .disconnected): return []
        case (.idle, .received), (.waiting, .received), (.connecting, .received): return []
        case (.stopped, _): return []
        }
    }

    // MARK: connecting and losing

    private mutating func connected(_ localName: String, _ local: IPv4Address, _ now: Instant) -> [Action] {
        let dialogue = SubscriptionDialogue(configuration.subscriptions, firstID: takeIDs())
        phase = .connected(Connection(since: now, local: localName, dialogue: dialogue, askedSince: now))
        return [.bindMeters(on: local)]
    }

    private mutating func connectFailed(_ cause: Cause, _ detail: String, _ now: Instant) -> [Action] {
        phase = .waiting
        let wait = backoff.next(accepted: false)
        return attemptFailed(cause, detail, now) + [.start(.reconnect, at: now + wait)]
    }

    /// An attempt is an event only when it fails in another way than the one before it.
    private mutating func attemptFailed(_ cause: Cause, _ detail: String, _ now: Instant) -> [Action] {
        var result: [Action] = []
        if control != .down(cause) {
            let event = LinkEvent(at: now, link: .control, name: .connectFailed, cause: cause, detail: detail)
            result = [.record(event)] + move(to: .down(cause), since: now)
        }
        return result + tellMeters { $0.controlLost(since: now, noticed: now) }
    }

    private mutating func lost(_ connection: Connection, _ cause: Cause, _ now: Instant) -> [Action] {
        phase = .waiting
        // A connection that worked is made again at once; one that the unit cuts short again and again is waited for.
        if connection.everAnswered, now - connection.since >= .seconds(10) { backoff.reset() }
        let atOnce = connection.everAnswered && backoff.takeFirst()
        let wait = atOnce ? Span(microseconds: 0) : backoff.next(accepted: true)
        let again = Action.start(.reconnect, at: now + wait)
        guard connection.announced else {
            return [.close] + attemptFailed(cause, "accepted, then ended without an answer", now) + [again]
        }
        let event = LinkEvent(at: now, link: .control, name: .disconnected, cause: cause)
        let since = cause == .silent ? silenceBegan(connection) ?? now : now
        return [.close, .record(event)] + move(to: .down(cause), since: since)
            + tellMeters { $0.controlLost(since: since, noticed: now) } + [again]
    }

    // MARK: what the unit says

    private mutating func received(_ message: Message, _ before: Connection, _ now: Instant) -> [Action] {
        var connection = before
        var result: [Action] = []
        switch message {
        case .update(let values):
            // It proves that the unit lives, not that it takes commands.
            guard !values.isEmpty else { return [] }
            let told = connection.take(values, isUpdate: true, at: now)
            phase = .connected(connection)
            return told + (Self.renames(told) ? askRefusedSoon(connection, now) : [])
        case .getResponse(let values):
            let others = values.filter { $0.name != "KeepAlive" }
            result += connection.take(others, isUpdate: false, at: now)
        case .result(let id, let values):
            connection.firstValues.accept(connection.dialogue.accept(id: id), at: now)
            result += connection.take(values, isUpdate: false, at: now)
        case .failure(let id, let code, let text):
            let refused = connection.dialogue.refuse(id: id)
            connection.firstValues.refuse(refused)
            if code != SubscriptionDialogue.noSuchParameter, let first = refused.first {
                let detail = "\(first.name): \(text) (\(code))"
                result.append(.record(LinkEvent(at: now, link: .control, name: .parameterRefused, detail: detail)))
            }
        case .unknown:
            return []
        }
        connection.unansweredSince = nil
        connection.unansweredProbes = 0
        connection.unacknowledgedSince = nil
        if !connection.answers {
            result += announce(&connection)
            result.append(.record(LinkEvent(at: now, link: .control, name: .answering)))
            // What it did not answer while it was mute may never have been taken.
            if connection.everAnswered || connection.dialogue.unanswered > 0 { subscribeAgain(&connection, now) }
        }
        connection.answers = true
        connection.everAnswered = true
        phase = .connected(connection)
        result += move(to: .up, since: now) + tellMeters { $0.controlAnswers(at: now) }
        return result + continueSubscribing(now)
    }

    func announce(_ connection: inout Connection) -> [Action] {
        guard !connection.announced else { return [] }
        connection.announced = true
        let detail = "from \(connection.local)"
        return [.record(LinkEvent(at: connection.since, link: .control, name: .connected, detail: detail))]
    }

    // MARK: states

    /// A state never begins before the one it follows.
    mutating func move(to next: LinkState, since: Instant) -> [Action] {
        guard control != next else { return [] }
        let since = max(since, controlBegan ?? since)
        (control, controlBegan) = (next, since)
        return [.change(LinkChange(link: .control, state: next, since: since))]
    }

    /// One step of the meters' link, and what it asks of the edge afterwards.
    mutating func tellMeters(_ step: (inout MeterLink) -> MeterLink.Outcome) -> [Action] {
        guard let outcome = step(&meters) else { return [] }
        return [.record(outcome.event), .change(outcome.change)] + (meters.awaitsDatagram ? [.awaitDatagram] : [])
    }
}
