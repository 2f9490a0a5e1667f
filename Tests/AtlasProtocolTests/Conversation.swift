@testable import AtlasProtocol

/// A session and the unit, network and clock around it, moved by hand: `run` lets time pass and fires what is due.
struct Conversation {
    /// What the unit and the network do now.
    struct World {
        /// The unit answers probes and subscriptions by TCP.
        var answers = true
        /// Its echo of a probe arrives by UDP.
        var echoes = true
        /// Its TCP acknowledges our bytes.
        var acknowledges = true
        /// Its TCP takes more of them: it reads what comes.
        var reads = true
        var rival: String?
        /// What comes of binding the meters' socket; nil: bound.
        var bindError: Cause?
        /// What comes of an attempt to connect; nil: connected.
        var connectError: Cause?
        /// An accepted connection is ended at once.
        var closesAtOnce = false
        /// Names that the unit refuses.
        var lacks: Set<String> = []
    }

    static let local = IPv4Address("192.168.5.20")!
    static let interval = Span.seconds(10)
    static let few = [
        [Subscription("ZoneMeter_0", .number), Subscription("ZoneMeter_1", .number)],
        [Subscription("ZoneName_0", .text)],
    ]

    var world = World()
    private(set) var session: ControlSession
    private(set) var now = Instant(microseconds: 1_000_000_000)
    /// All that the session said, in order.
    private(set) var log: [ControlSession.Action] = []
    private(set) var attempts = 0
    /// When probes were sent.
    private(set) var probeTimes: [Instant] = []
    private var timers: [ControlSession.Timer: Instant] = [:]
    private var lastDatagram: Instant?
    private var awaitsDatagram = false

    init(_ world: World = World(), seed: UInt64 = 1, subscriptions: [[Subscription]] = few) {
        self.world = world
        session = ControlSession(.init(keepAlive: Self.interval, seed: seed, subscriptions: subscriptions))
    }

    /// Tells the session, and carries out what it says. Returns that.
    @discardableResult
    mutating func tell(_ event: ControlSession.Event) -> [ControlSession.Action] {
        let actions = session.handle(event, at: now)
        log += actions
        for action in actions { carryOut(action) }
        return actions
    }

    private mutating func carryOut(_ action: ControlSession.Action) {
        switch action {
        case .connect:
            attempts += 1
            if let cause = world.connectError {
                tell(.connectFailed(cause, detail: "test"))
            } else {
                tell(.connected(local: Self.local, port: 40_000))
                if world.closesAtOnce { tell(.disconnected(.closed)) }
            }
        case .bindMeters:
            tell(world.bindError.map { .metersNotBound($0, detail: nil) } ?? .metersBound)
        case .send(let request): answer(request)
        case .start(let timer, let instant): timers[timer] = instant
        case .awaitDatagram: awaitsDatagram = true
        case .close, .record, .change, .store, .learn: break
        }
    }

    private mutating func answer(_ request: Request) {
        switch request {
        case .keepAlive:
            probeTimes.append(now)
            if world.answers { tell(.received(.getResponse([.text("KeepAlive", "OK")]))) }
            if world.answers && world.echoes { datagram() }
        case .subscribe(let id, let list):
            guard world.answers else { return }
            if list.contains(where: { world.lacks.contains($0.name) }) {
                tell(.received(.failure(id: id, code: -32604, message: "no such parameter")))
            } else {
                tell(.received(.result(id: id, values: [])))
            }
        }
    }

    /// A datagram from the unit reaches the socket.
    mutating func datagram() {
        guard world.bindError == nil else { return }
        lastDatagram = now
        guard awaitsDatagram else { return }
        awaitsDatagram = false
        tell(.datagramArrived)
    }

    /// Lets `span` pass.
    mutating func run(_ span: Span) {
        let end = now + span
        while let (timer, due) = timers.min(by: { ($0.value, "\($0.key)") < ($1.value, "\($1.key)") }), due <= end {
            timers[timer] = nil
            now = max(now, due)
            let evidence = ControlSession.Evidence(
                isAcknowledged: world.acknowledges, hasRoom: world.reads, lastDatagram: lastDatagram,
                rival: world.rival)
            tell(.timerFired(timer, evidence))
        }
        now = end
    }

    mutating func forget() { (log, probeTimes) = ([], []) }

    func changes(_ link: Link) -> [LinkChange] {
        log.compactMap {
            if case .change(let change) = $0, change.link == link { return change }
            return nil
        }
    }
    func states(_ link: Link) -> [LinkState] { changes(link).map(\.state) }
    var events: [LinkEvent] {
        log.compactMap {
            if case .record(let event) = $0 { return event }
            return nil
        }
    }
    var names: [LinkEvent.Name] { events.map(\.name) }
    var requests: [Request] {
        log.compactMap {
            if case .send(let request) = $0 { return request }
            return nil
        }
    }
    var subscriptions: [Request] { requests.filter { $0 != .keepAlive } }

    /// A session that is connected, subscribed and heard, with its log empty.
    static func working(_ world: World = World()) -> Conversation {
        var conversation = Conversation(world)
        conversation.tell(.start)
        conversation.run(.seconds(60))
        conversation.forget()
        return conversation
    }
}
