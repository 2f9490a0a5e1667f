import AtlasProtocol
import CSockets
import NIOCore
import RecorderStore

/// One unit's link on real sockets: carries out what its `ControlSession` says, and tells it what happened. Confined to
/// the control plane's event loop.
final class ProcessorLink {
    let processor: RegisteredProcessor
    let status: UnitStatus
    private(set) var endpoint: UnitEndpoint?
    /// This host's end of the connection.
    private(set) var local: IPv4Address?
    /// The interface that has that address, and when it was last seen to have it.
    private(set) var interface: UInt32 = 0
    var localSeen = Instant(microseconds: 0)
    unowned let plane: ControlPlane
    private let decoder = FallbackDecoder()
    var keepAlive: Span
    var session: ControlSession
    private(set) var timers: [ControlSession.Timer: Scheduled<Void>] = [:]
    private var channel: (any Channel)?
    /// The number of the attempt, so that what a former one still reports is not taken for the present one's.
    private(set) var attempt = 0
    var address: IPv4Address?
    var lookup: EventLoopFuture<IPv4Address>?
    private var waiting: [ControlSession.Event] = []
    private var isHandling = false
    private var heardOnThisConnection = false
    private(set) var lastLine = Instant(microseconds: 0)
    private var lastSeen = Instant(microseconds: 0)
    private var unreadableLines = 0

    /// `status`: of the link before, where the receiver has the unit already.
    init(_ processor: RegisteredProcessor, keepAlive: Span, plane: ControlPlane, status: UnitStatus? = nil) {
        self.status = status ?? UnitStatus()
        self.processor = processor
        self.plane = plane
        self.keepAlive = keepAlive
        let choice = processor.spec.subscriptions
        session = ControlSession(
            .init(
                keepAlive: keepAlive, seed: UInt64.random(in: .min ... .max), subscriptions: choice.messages,
                recordsMeters: choice.hasMeters))
    }

    /// Feeds the session; what comes up meanwhile waits its turn, so that actions stay in order.
    func handle(_ event: ControlSession.Event) {
        waiting.append(event)
        guard !isHandling else { return }
        isHandling = true
        defer { isHandling = false }
        while !waiting.isEmpty {
            let actions = session.handle(waiting.removeFirst(), at: plane.clock.now)
            // In one commit: an event that was printed has its state beside it, also if the recorder is killed then.
            plane.outbox.put(actions.compactMap(entry(of:)))
            for action in actions { perform(action) }
        }
    }

    private func entry(of action: ControlSession.Action) -> Entry? {
        switch action {
        case .record(let event):
            .event(
                .init(
                    processor: processor.id, at: plane.clock.wall(of: event.at), link: event.link, name: event.name,
                    cause: event.cause, detail: event.detail))
        case .change(let change):
            .change(
                processor: processor.id, link: change.link, state: change.state,
                since: plane.clock.wall(of: change.since))
        default: nil
        }
    }

    private func perform(_ action: ControlSession.Action) {
        switch action {
        case .connect: connect()
        case .send(let request): channel?.writeAndFlush(ByteBuffer(bytes: request.line), promise: nil)
        case .start(let timer, let instant): start(timer, at: instant)
        case .close: close()
        case .bindMeters(let local): plane.sockets.want(local, by: self)
        case .awaitDatagram: status.awaitDatagram()
        case .record: break
        case .change(let change):
            plane.feed.put(
                .change(processor.id, change.link, change.state, since: plane.clock.wall(of: change.since)))
        case .store(let values): store(values, .changed)
        case .learn(let values, let since): store(values, .standing(since: plane.clock.wall(of: since)))
        }
    }

    private func put(_ entry: Entry) { plane.outbox.put([entry]) }

    // MARK: connecting

    private func connect() {
        attempt = plane.numberAttempt()
        heardOnThisConnection = false
        let (id, attempt, port) = (processor.id, attempt, processor.spec.controlPort)
        let (loop, eventLoop) = (plane.loop, plane.loop.eventLoop)
        let limit = eventLoop.makePromise(of: IPv4Address.self)
        lookUp().cascade(to: limit)
        let timer = eventLoop.scheduleTask(in: .seconds(ControlChannel.connectLimit)) {
            limit.fail(Resolver.Failure(code: "EAI_AGAIN", message: "no answer from the name service within 5 s"))
        }
        limit.futureResult.flatMap { address -> EventLoopFuture<IPv4Address> in
            timer.cancel()
            // A subscribed unit sends at once, sooner than the receiver may have heard whose address that is.
            let routed = eventLoop.makePromise(of: IPv4Address.self)
            loop.enter { $0.resolved(address, of: id, attempt) { routed.succeed(address) } }
            return routed.futureResult
        }.flatMap { address -> EventLoopFuture<any Channel> in
            do {
                let target = try SocketAddress(ipAddress: "\(address)", port: Int(port))
                return ControlChannel.connect(to: target, on: eventLoop) { input in
                    loop.enter { $0.link(id)?.received(input, attempt) }
                }
            } catch {
                return eventLoop.makeFailedFuture(error)
            }
        }.whenComplete { result in
            loop.enter { $0.attemptEnded(id, result, attempt) }
        }
    }

    func attemptEnded(_ result: Result<any Channel, any Error>, _ attempt: Int) {
        guard attempt == self.attempt, !plane.isStopping else {
            if case .success(let channel) = result { channel.close(promise: nil) }
            return
        }
        switch result {
        case .success(let channel): connected(channel)
        case .failure(let failure as Resolver.Failure):
            let message = "\(processor.spec.host): \(failure.message)"
            fault(.connect, code: failure.code, errno: nil, message: message)
            handle(.connectFailed(.unresolved, detail: message))
        case .failure(let error):
            let (cause, errno) = ControlChannel.failure(error)
            let message = ErrnoName.message(errno)
            // It was made, and ended before we were told: counted with those that end a moment later.
            let operation: SocketFault.Operation = cause == .reset ? .recv : .connect
            fault(operation, code: ErrnoName.name(errno), errno: errno, message: message)
            handle(.connectFailed(cause, detail: "\(addressText): \(message)"))
        }
    }

    private func connected(_ channel: any Channel) {
        guard let address, let local = channel.localAddress, let localPort = local.port,
            let localAddress = local.ipAddress.flatMap({ IPv4Address($0) })
        else {
            // The unit took the connection and ended it before we could ask for our own end of it.
            channel.close(promise: nil)
            ended(0)
            handle(.connectFailed(.closed, detail: "\(addressText): ended at once"))
            return
        }
        self.channel = channel
        (self.local, localSeen) = (localAddress, plane.clock.now)
        interface = csockets_interface(localAddress.bits)
        endpoint = UnitEndpoint(
            address: address, port: processor.spec.controlPort, localPort: UInt16(truncatingIfNeeded: localPort))
        plane.receiver.send(.controlConnection(processor: processor.id, endpoint))
        put(.recovered(processor: processor.id, socket: .tcp, operation: .connect))
        handle(.connected(local: localAddress, port: UInt16(truncatingIfNeeded: localPort)))
    }

    private var addressText: String {
        "\(address.map(\.description) ?? processor.spec.host):\(processor.spec.controlPort)"
    }

    private func close() {
        let open = channel
        channel = nil
        (endpoint, local) = (nil, nil)
        attempt = plane.numberAttempt()  // what this connection still reports is old
        plane.receiver.send(.controlConnection(processor: processor.id, nil))
        open?.close(promise: nil)
    }

    /// Ends the link with the recorder: closes, sets no more timers.
    func stop() {
        handle(.stop)
        attempt = plane.numberAttempt()
        for timer in timers.values { timer.cancel() }
        timers = [:]
    }

    // MARK: what comes in

    private func received(_ input: ControlChannel.Input, _ attempt: Int) {
        guard attempt == self.attempt else { return }
        switch input {
        case .line(.complete(let line)):
            lastLine = plane.clock.now
            guard let parsed = line.withUnsafeBufferPointer({ decoder.decode($0) }) else {
                unreadableLines += 1
                return
            }
            unreadableLines += parsed.unreadableValues
            heardNow()
            handle(.received(parsed.message))
        case .line(.tooLong): unreadableLines += 1
        case .closed(let errno, let unheard):
            ended(errno)
            close()
            // The kernel asked when it had heard nothing for so long, and had no answer.
            let asked = unheard.map { plane.clock.now - $0 + .seconds(ControlChannel.quietLimit) }
            handle(.disconnected(ControlChannel.cause(ending: errno), since: asked))
        }
    }

    private func heardNow() {
        guard !heardOnThisConnection else { return }
        heardOnThisConnection = true
        put(.recovered(processor: processor.id, socket: .tcp, operation: .recv))
    }

    private func ended(_ errno: Int32) {
        if errno != 0 {
            fault(.recv, code: ErrnoName.name(errno), errno: errno, message: ErrnoName.message(errno))
        } else if !heardOnThisConnection {
            fault(.recv, code: "EOF", errno: nil, message: "took the connection and ended it without an answer")
        }
    }

    private func fault(_ operation: SocketFault.Operation, code: String, errno: Int32?, message: String, count: Int = 1)
    {
        put(
            .fault(
                SocketFault(
                    processor: processor.id, socket: .tcp, operation: operation, code: code, errno: errno,
                    address: addressText, message: message, at: plane.clock.wallNow, count: count)))
    }

    // MARK: timers

    func start(_ timer: ControlSession.Timer, at instant: Instant) {
        timers[timer]?.cancel()
        let wait = max(0, (instant - plane.clock.now).microseconds)
        let (id, loop) = (processor.id, plane.loop)
        timers[timer] = loop.eventLoop.scheduleTask(in: .microseconds(wait)) {
            loop.enter { $0.link(id)?.fired(timer) }
        }
    }

    private func fired(_ timer: ControlSession.Timer) {
        timers[timer] = nil
        guard timer == .probe, let channel else { return handle(.timerFired(timer, .init())) }
        let (id, loop, attempt) = (processor.id, plane.loop, attempt)
        ControlChannel.look(at: channel).whenComplete { result in
            loop.enter { $0.link(id)?.probeTimerFired(try? result.get(), attempt) }
        }
    }

    private func probeTimerFired(_ connection: csockets_tcp_info?, _ attempt: Int) {
        guard attempt == self.attempt else { return }
        let evidence = ControlSession.Evidence(
            isAcknowledged: connection?.isAcknowledged ?? true, hasRoom: connection?.hasRoom ?? true,
            lastDatagram: status.lastDatagram,
            rival: endpoint == nil ? nil : plane.ports.rival(of: self, isMissed: isMissed))
        handle(.timerFired(.probe, evidence))
    }

    /// Whether the last probe's echo did not come: each of them should.
    private var isMissed: Bool { plane.clock.now - (status.lastDatagram ?? Instant(microseconds: 0)) > keepAlive }

    /// Whether a datagram came well after `instant`: what was under way then has been read since.
    func hasHeard(since instant: Instant) -> Bool {
        status.lastDatagram.map { $0 - instant > .milliseconds(50) } ?? false
    }

    /// Once a second: what is worth a row but not at once.
    func tick(_ now: Instant) {
        if unreadableLines > 0 {
            fault(
                .recv, code: "EBADMSG", errno: nil, message: "lines or values that could not be read, or over 64 KiB",
                count: unreadableLines)
            unreadableLines = 0
        }
        let heard = max(lastLine, status.lastDatagram ?? lastLine)
        guard heard > lastSeen else { return }
        lastSeen = heard
        put(.seen(processor: processor.id, at: plane.clock.wall(of: heard)))
    }
}
