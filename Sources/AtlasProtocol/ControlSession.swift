/// The link to one unit, from the first attempt to the end of the recorder: connects, subscribes, probes, and says what
/// is up and what is down. Pure: events in, actions out; it never sees a socket or a clock.
package struct ControlSession {
    package struct Configuration: Sendable {
        /// Between two probes; the manual wants one at least every 5 minutes.
        package fileprivate(set) var keepAlive: Span
        package let subscriptions: [[Subscription]]
        /// Whether its datagrams are wanted; else it is not subscribed to meters, and their link stays unknown.
        package let recordsMeters: Bool
        /// Of the back-off's jitter.
        package let seed: UInt64

        package init(
            keepAlive: Span, seed: UInt64, subscriptions: [[Subscription]] = Subscription.everything,
            recordsMeters: Bool = true
        ) {
            (self.keepAlive, self.seed, self.subscriptions) = (keepAlive, seed, subscriptions)
            self.recordsMeters = recordsMeters
        }
    }

    package enum Timer: Hashable, Sendable { case reconnect, subscription, probe, refusedParameters }

    /// What the edge sees when a timer fires.
    package struct Evidence: Sendable {
        /// Whether the unit's TCP has acknowledged all that was asked.
        package let isAcknowledged: Bool
        /// Whether the unit's TCP takes another question: one that reads no more has room for some only.
        package let hasRoom: Bool
        /// When this unit's last readable datagram arrived.
        package let lastDatagram: Instant?
        /// The socket that would take our datagrams, named, if there is one on the port.
        package let rival: String?

        package init(
            isAcknowledged: Bool = true, hasRoom: Bool = true, lastDatagram: Instant? = nil, rival: String? = nil
        ) {
            (self.isAcknowledged, self.hasRoom) = (isAcknowledged, hasRoom)
            (self.lastDatagram, self.rival) = (lastDatagram, rival)
        }
    }

    package enum Event: Sendable {
        case start
        case connected(local: IPv4Address, port: UInt16)
        /// The attempt failed; `detail` is the system's message.
        case connectFailed(Cause, detail: String)
        /// The connection ended: `.closed` (FIN), `.reset`, or `.silent` (nothing was acknowledged until the kernel gave
        /// it up). `since`: of a silence, when the kernel's own first keep-alive went out that was not acknowledged.
        /// Or `.addressGone`: nothing that is sent from there can be answered any more; since it was last known to be there.
        case disconnected(Cause, since: Instant? = nil, detail: String? = nil)
        case received(Message)
        /// The first datagram since `awaitDatagram`.
        case datagramArrived
        case metersBound
        case metersNotBound(Cause, detail: String?)
        /// Another socket that takes this unit's datagrams was seen, named.
        case metersTaken(by: String)
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
        case connecting(since: Instant)
        case connected(Connection, Talk)
        case waiting
        case stopped
    }

    /// How far it has come with a connected unit.
    enum Talk: Equatable {
        /// Nothing is asked until the meters' socket was tried, so that the first echo finds it.
        case notBegun
        /// Asked, and no answer yet. A connection that ends here is only a failed attempt, and not in the history.
        case asking
        case answering
        /// An interval's probes have no answer. `.wedged`, or `.notEnabled` where it has answered nothing at all.
        case mute(Cause)

        /// Whether this connection is in the history.
        var isAnnounced: Bool {
            switch self {
            case .notBegun, .asking: false
            case .answering, .mute: true
            }
        }
        /// Whether the unit has answered anything on this connection.
        var hasAnswered: Bool { self == .answering || self == .mute(.wedged) }
    }

    struct Connection {
        let since: Instant
        let local: String
        var dialogue: SubscriptionDialogue
        var firstValues = FirstValues()
        /// Since when everything is asked for: the connection's begin, or when it was asked for again.
        var askedSince: Instant
        var subscribed = false
        var lastProbe: Instant?
        /// When the oldest probe was sent that has no answer yet, and how many have gone out since.
        var unansweredSince: Instant?
        var unansweredProbes = 0
        /// When the oldest probe was sent that the unit's TCP is not known to have acknowledged.
        var unacknowledgedSince: Instant?
    }

    private(set) var configuration: Configuration
    var phase = Phase.idle
    private(set) var control = LinkState.unknown(.recorderStarting)
    private var controlBegan: Instant?
    var meters = MeterLink()
    var backoff: Backoff
    var nextID = 1

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        backoff = Backoff(seed: configuration.seed)
    }

    /// Moves the state; returns what the edge must do, in order. A unit's fault is an action, never a trap.
    package mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        switch (phase, event) {
        case (.idle, .start) where !configuration.recordsMeters:
            phase = .connecting(since: now)
            return [.change(LinkChange(link: .meters, state: .unknown(.notRecorded), since: now)), .connect]
        case (.idle, .start), (.waiting, .timerFired(.reconnect, _)):
            phase = .connecting(since: now)
            return [.connect]
        case (.connecting, .connected(let local, let port)): return connected("\(local):\(port)", local, now)
        case (.connecting(let since), .connectFailed(let cause, let detail)):
            return connectFailed(cause, detail, since: since, now)

        // The meters' socket is tried first, then the talk begins.
        case (.connected(let connection, .notBegun), .metersBound):
            return metersBound(now) + begin(connection, now)
        case (.connected(let connection, .notBegun), .metersNotBound(let cause, let detail)):
            return tellMeters { $0.bindFailed(cause, at: now, detail: detail) } + begin(connection, now)
        // Before a question there is no answer: what a unit says of itself is stored.
        case (.connected(let connection, .notBegun), .received(let message)): return told(message, connection, now)
        case (.connected(_, .notBegun), .timerFired): return []

        case (.connected(let connection, let talk), .received(let message)):
            return received(message, connection, talk, now)
        case (.connected(let connection, let talk), .timerFired(.probe, let evidence)):
            return probeTimer(connection, talk, evidence, now)
        case (.connected(let connection, let talk), .timerFired(.subscription, _)):
            return subscriptionTimer(connection, talk, now)
        case (.connected(let connection, let talk), .timerFired(.refusedParameters, _)):
            return askRefusedAgain(connection, talk, now)
        // A socket that comes later is tried at once.
        case (.connected, .metersBound): return metersBound(now) + sendProbe(now)
        case (.connected, .datagramArrived): return tellMeters { $0.datagramArrived(at: now) }
        case (.connected(let connection, let talk), .disconnected(let cause, let since, let detail)):
            return lost(connection, talk, cause, since: since, detail, now)

        // The socket outlives the connection; what becomes of it then counts when the control link is back.
        case (.idle, .metersBound), (.connecting, .metersBound), (.waiting, .metersBound):
            return tellMeters { $0.bound(at: now, isConnected: false) }
        case (.idle, .metersNotBound(let cause, let detail)), (.connecting, .metersNotBound(let cause, let detail)),
            (.waiting, .metersNotBound(let cause, let detail)), (.connected, .metersNotBound(let cause, let detail)):
            return tellMeters { $0.bindFailed(cause, at: now, detail: detail) }

        case (.idle, .metersTaken(let rival)), (.connecting, .metersTaken(let rival)),
            (.waiting, .metersTaken(let rival)), (.connected, .metersTaken(let rival)):
            return tellMeters { $0.taken(by: rival, at: now) }

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

    /// Counts from the next probe's timer on.
    package mutating func keepAliveIs(_ keepAlive: Span) { configuration.keepAlive = keepAlive }

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
        guard configuration.recordsMeters, let outcome = step(&meters) else { return [] }
        return [.record(outcome.event), .change(outcome.change)] + (meters.awaitsDatagram ? [.awaitDatagram] : [])
    }

    private mutating func metersBound(_ now: Instant) -> [Action] {
        let moved = tellMeters { $0.bound(at: now, isConnected: true) }
        return moved.isEmpty && meters.awaitsDatagram ? [.awaitDatagram] : moved
    }
}
