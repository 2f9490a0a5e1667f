import NIOCore
import NIOHTTP1
import NIOPosix
import Recorder
import WebAssets

/// Serves the report's page alive, its JSON, the metrics. Reads the store and the feed beside it as any program may, writes
/// neither. All but the asking of the store happens on one event loop of its own.
package actor WebServer {
    private static let connectionLimit = 256
    /// Readers of events.
    private static let readerLimit = 100
    /// Between two words on the meters: ten a second is what a unit sends.
    private static let tick = TimeAmount.milliseconds(100)
    /// The same while nobody reads: then only a recorder that stands still is to be noticed.
    private static let idleTick = TimeAmount.seconds(1)
    /// A connection on which nothing happens is closed after so long; events are sent a comment then, which keeps them open.
    private static let patience = TimeAmount.seconds(60)
    /// With so many bytes waiting for a reader it is left out until it has read them: it sees the last levels, not all.
    private static let queueLimit = 256 * 1024

    private nonisolated let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private nonisolated let eventLoop: any EventLoop
    private nonisolated let executor: any SerialExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let settings: WebSettings
    private var desk: ReportDesk!
    private var feed: FeedClient!
    private var view = FeedView()
    private var listener: (any Channel)?
    private var connections: [ObjectIdentifier: (channel: any Channel, number: Int)] = [:]
    private var connectionCount = 0
    private var readers: [ObjectIdentifier: EventReader] = [:]
    private var ticker: Scheduled<Void>?
    private var ticks = 0
    private var isStopped = false
    private var namesSent = 0

    package init(_ settings: WebSettings) {
        self.settings = settings
        eventLoop = group.next()
        executor = eventLoop.executor
    }

    /// Listens and returns the port. Throws an `IOError` of bind(2) where it cannot.
    package func start() async throws -> Int {
        desk = ReportDesk(eventLoop, store: settings.store, now: settings.now)
        feed = FeedClient(eventLoop, store: settings.store) { [unowned self] event in
            assumeIsolated { $0.take(event) }
        }
        feed.start()
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(
                ChannelOptions.writeBufferWaterMark, value: .init(low: 32 * 1024, high: Self.queueLimit)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: Self.patience))
                    let limit = HeadLimit()
                    try pipeline.addHandler(limit)
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(RequestHandler(self, limit))
                }
            }
            .bind(host: settings.host, port: settings.port).get()
        self.listener = listener
        scheduleTick()
        return listener.localAddress?.port ?? settings.port
    }

    package nonisolated func stop() async {
        await finish()
        try? await group.shutdownGracefully()
    }

    private func finish() async {
        isStopped = true
        ticker?.cancel()
        try? await listener?.close()
        for connection in connections.values { connection.channel.close(promise: nil) }
        feed?.stop()
        if let threads = desk?.threads { try? await threads.shutdownGracefully() }
    }

    // MARK: requests

    func came(_ channel: any Channel) {
        connectionCount += 1
        connections[ObjectIdentifier(channel)] = (channel, connectionCount)
        guard connections.count > Self.connectionLimit else { return }
        // Who keeps many open does not keep others out: the oldest that follows nothing goes.
        let oldest = connections.filter { readers[$0.key] == nil }.min { $0.value.number < $1.value.number }
        oldest?.value.channel.close(promise: nil)
    }

    func left(_ channel: any Channel) {
        connections[ObjectIdentifier(channel)] = nil
        readers[ObjectIdentifier(channel)] = nil
    }

    func answer(_ head: Gate.Head, _ reply: Reply) {
        switch settings.gate.judge(head) {
        case .refused(let refusal): reply.send(.refusal(refusal))
        case .signsIn(let location): reply.send(.signIn(settings.token ?? "", location: location))
        case .admitted(let target): route(target, head, reply)
        }
    }

    private func route(_ target: RequestTarget, _ head: Gate.Head, _ reply: Reply) {
        switch target.path {
        case "/": ask(.page, target, reply)
        case "/sections": ask(.sections, target, reply)
        case "/api/report": ask(.json, target, reply)
        case "/live.js", "/meters.js", "/sections.js":
            reply.send(Answer(type: "text/javascript; charset=utf-8", asset(String(target.path.dropFirst()))))
        case "/healthz": reply.send(health)
        case "/metrics":
            let format = MetricsText.Format(accept: head.values("accept").joined(separator: ","))
            let text = MetricsText(format, view, now: now.steady).text
            reply.send(Answer(type: format.type, text))
        case "/events": follow(target, reply)
        default: reply.send(.text(.notFound, "there is no \(target.path): / /api/report /metrics /healthz /events"))
        }
    }

    private func ask(_ kind: ReportDesk.Kind, _ target: RequestTarget, _ reply: Reply) {
        desk.answer(kind, target.query).whenComplete { result in
            switch result {
            case .success(let answer): reply.send(answer)
            case .failure: reply.send(.text(.serviceUnavailable, "the server is stopping"))
            }
        }
    }

    private var health: Answer {
        guard !view.isRecording else { return .text(.ok, "recording") }
        guard !view.isStalled else {
            return .text(.serviceUnavailable, "the recorder stands still: it has said nothing for 5 s or more")
        }
        return .text(
            .serviceUnavailable,
            view.words.map { "the recorder does not tell how it is: \($0)" }
                ?? "no recorder writes \(settings.store), or this user may not read its feed")
    }

    private var now: FeedView.Moment {
        FeedView.Moment(steady: Int64(NIODeadline.now().uptimeNanoseconds / 1_000), wall: settings.now())
    }

    // MARK: events

    private func follow(_ target: RequestTarget, _ reply: Reply) {
        guard !reply.isHead else { return reply.send(Answer(type: "text/event-stream", "")) }
        guard readers.count < Self.readerLimit else {
            return reply.send(.text(.serviceUnavailable, "\(Self.readerLimit) readers follow the meters: close a page"))
        }
        let reader = EventReader(reply.channel, LiveBoard.Scope(processor: target.query["processor"]))
        let isFirst = readers.isEmpty
        if isFirst { lookAnew() }
        readers[ObjectIdentifier(reply.channel)] = reader
        if isFirst { scheduleTick() }
        reply.begin(type: "text/event-stream")
        reader.greet(view, at: now.steady)
    }

    /// While nobody reads nobody looks: what was seen last is not what is.
    private func lookAnew() {
        if let levels = feed.levels { _ = view.takeChanged(from: levels, at: now) }
        namesSent = view.board.naming
    }

    func drained(_ channel: any Channel) {
        if let reader = readers[ObjectIdentifier(channel)], reader.isBehind { reader.greet(view, at: now.steady) }
    }

    func follows(_ channel: any Channel) -> Bool { readers[ObjectIdentifier(channel)] != nil }

    private func scheduleTick() {
        ticker?.cancel()
        guard !isStopped else { return }
        ticker = eventLoop.scheduleTask(in: readers.isEmpty ? Self.idleTick : Self.tick) { [weak self] in
            self?.assumeIsolated { $0.tick() }
        }
    }

    private func tick() {
        scheduleTick()
        ticks += 1
        let now = now
        tell(view.look(at: now), at: now)
        guard !readers.isEmpty else { return }
        let changed = feed.levels.map { view.takeChanged(from: $0, at: now) } ?? []
        let isRenamed = namesSent != view.board.naming
        namesSent = view.board.naming
        var texts: [LiveBoard.Scope: ByteBuffer?] = [:]
        for reader in readers.values {
            if isRenamed {
                reader.greet(view, at: now.steady)
                continue
            }
            guard !changed.isEmpty else { continue }
            let text = texts[reader.scope] ?? view.board.levels(of: changed, for: reader.scope)
            texts[reader.scope] = .some(text)
            if let text { reader.send(text, at: now.steady) }
        }
        if ticks % 50 == 0 { for reader in readers.values { reader.probe(at: now.steady) } }
    }

    // MARK: the feed

    private func take(_ event: FeedClient.Event) {
        let now = now
        switch event {
        case .began(let levels): view.began(levels: levels)
        case .ended: tell(view.ended(at: now), at: now)
        case .message(let message): tell(view.take(message, at: now), at: now)
        }
    }

    private func tell(_ text: String, at now: FeedView.Moment) {
        guard !text.isEmpty else { return }
        for reader in readers.values { reader.send(text, at: now.steady) }
    }
}
