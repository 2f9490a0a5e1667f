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
    private var board = LiveBoard()
    private var times = LinkTimes()
    private var status: FeedMessage.Status?
    private var version: String?
    private var listener: (any Channel)?
    private var connections: [ObjectIdentifier: any Channel] = [:]
    private var readers: [ObjectIdentifier: EventReader] = [:]
    private var ticker: RepeatedTask?
    private var ticks = 0
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
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { [weak self] _ in
            self?.assumeIsolated { $0.tick() }
        }
        return listener.localAddress?.port ?? settings.port
    }

    package nonisolated func stop() async {
        await finish()
        try? await group.shutdownGracefully()
    }

    private func finish() async {
        ticker?.cancel()
        feed?.stop()
        try? await listener?.close()
        for channel in connections.values { channel.close(promise: nil) }
        if let threads = desk?.threads { try? await threads.shutdownGracefully() }
    }

    // MARK: requests

    func came(_ channel: any Channel) {
        guard connections.count < Self.connectionLimit else { return channel.close(promise: nil) }
        connections[ObjectIdentifier(channel)] = channel
    }

    func left(_ channel: any Channel) {
        connections[ObjectIdentifier(channel)] = nil
        readers[ObjectIdentifier(channel)] = nil
        feed?.wantValues(!readers.isEmpty)
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
        case "/live.js": reply.send(Answer(type: "text/javascript; charset=utf-8", asset("live.js")))
        case "/healthz": reply.send(health)
        case "/metrics":
            let format = MetricsText.Format(accept: head.values("accept").joined(separator: ","))
            let text = MetricsText(format, board, status, times, version: version, now: settings.now()).text
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
        guard let status, settings.now() - status.at < 5_000_000 else {
            return .text(.serviceUnavailable, "no recorder writes \(settings.store)")
        }
        return .text(.ok, "recording")
    }

    // MARK: events

    private func follow(_ target: RequestTarget, _ reply: Reply) {
        guard !reply.isHead else { return reply.send(Answer(type: "text/event-stream", "")) }
        guard readers.count < Self.readerLimit else {
            return reply.send(.text(.serviceUnavailable, "\(Self.readerLimit) readers follow the meters: close a page"))
        }
        let reader = EventReader(reply.channel, LiveBoard.Scope(processor: target.query["processor"]))
        readers[ObjectIdentifier(reply.channel)] = reader
        feed.wantValues(true)
        reply.begin(type: "text/event-stream")
        reader.send(recorderEvent + board.links())
        reader.greet(board)
    }

    func drained(_ channel: any Channel) {
        // Whatever it was not sent meanwhile: the last levels of all.
        if let reader = readers[ObjectIdentifier(channel)], reader.isBehind { reader.greet(board) }
    }

    func isFollowed(by channel: any Channel) -> Bool {
        guard let reader = readers[ObjectIdentifier(channel)] else { return false }
        reader.send(": here\n\n")
        return true
    }

    private func tick() {
        ticks += 1
        let changed = board.takeChanged()
        guard !readers.isEmpty else { return }
        let isRenamed = namesSent != board.naming
        namesSent = board.naming
        var texts: [LiveBoard.Scope: ByteBuffer?] = [:]
        for reader in readers.values {
            if isRenamed {
                reader.greet(board)
                continue
            }
            guard !changed.isEmpty else { continue }
            let text = texts[reader.scope] ?? board.levels(of: changed, for: reader.scope)
            texts[reader.scope] = .some(text)
            if let text { reader.send(levels: text) }
        }
        // A connection that has gone without a word is found out by what cannot be sent.
        if ticks % 150 == 0 { for reader in readers.values { reader.send(": here\n\n") } }
    }

    private var recorderEvent: String {
        "event: recorder\ndata: {\"state\":\"\(status == nil ? "gone" : "recording")\"}\n\n"
    }

    // MARK: the feed

    private func take(_ event: FeedClient.Event) {
        switch event {
        case .began: board.feedBegan()
        case .ended:
            status = nil
            board.feedEnded(at: settings.now())
            noteTimes()
            tell(recorderEvent + board.links())
        case .message(let message, let decoder): take(message, decoder)
        }
    }

    private func take(_ message: FeedMessage, _ decoder: FeedDecoder) {
        switch message {
        case .value(let meter, let level, _): board.take(level, of: meter, named: decoder.meters)
        case .link(let processor, let link, let state, let cause, let since):
            let new = LiveBoard.Link(state: state, cause: cause, since: since)
            board.take(link: link, of: processor, new)
            times.change(.init(processor: processor, link: link), to: state, at: settings.now())
            tell(LiveBoard.event(link, of: processor, new))
        case .status(let new):
            let isNew = status == nil
            status = new
            if isNew { tell(recorderEvent) }
        case .hello(let recorder, _): version = recorder
        case .missed, .error, .unreadable: break
        }
    }

    private func noteTimes() {
        for unit in board.units {
            for (name, link) in unit.links {
                times.change(.init(processor: unit.name, link: name), to: link.state, at: settings.now())
            }
        }
    }

    private func tell(_ text: String) { for reader in readers.values { reader.send(text) } }
}

/// A page that follows the meters.
private final class EventReader {
    let scope: LiveBoard.Scope
    private let channel: any Channel
    private(set) var isBehind = false

    init(_ channel: any Channel, _ scope: LiveBoard.Scope) { (self.channel, self.scope) = (channel, scope) }

    func send(_ text: String) { write(ByteBuffer(string: text)) }

    /// One that does not keep up gets the last levels when it has: nobody looks at those of before.
    func send(levels: ByteBuffer) {
        guard channel.isWritable else {
            isBehind = true
            return
        }
        write(levels)
    }

    /// Every name, and every level.
    func greet(_ board: LiveBoard) {
        guard channel.isWritable else {
            isBehind = true
            return
        }
        isBehind = false
        send(board.names(for: scope))
        if let levels = board.levels(of: Array(board.meters.indices), for: scope) { write(levels) }
    }

    private func write(_ bytes: ByteBuffer) {
        channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(bytes)), promise: nil)
    }
}
