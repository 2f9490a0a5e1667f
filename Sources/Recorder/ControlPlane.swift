import AtlasProtocol
import CSockets
import Glibc
import NIOCore
import RecorderStore

/// Everything but receiving and writing: the links to the units, the meters' sockets, and a look at the host each second.
/// Confined to its `ControlLoop`.
final class ControlPlane {
    let loop: ControlLoop
    let clock: RecorderClock
    let outbox: EntryOutbox
    let receiver: MeterReceiver
    let feed: Feed
    private(set) var sockets: MeterSockets!
    private(set) var ports: PortControl!
    private(set) var isStopping = false
    /// Inodes of our own meters' sockets.
    var ownSockets: Set<UInt64> = []

    private(set) var keepAlive: Span
    private var links: [Int32: ProcessorLink] = [:]
    private var attempts = 0
    private var owners: [IPv4Address: Int32] = [:]
    private var otherClients: [Int32: Set<UInt64>] = [:]
    private var ticker: RepeatedTask?
    private var ticks = 0
    private let onTick: @Sendable () -> Void

    init(
        loop: ControlLoop, clock: RecorderClock, outbox: EntryOutbox, receiver: MeterReceiver, feed: Feed,
        settings: LinkSettings
    ) {
        (self.loop, self.clock, self.outbox, self.receiver, self.feed) = (loop, clock, outbox, receiver, feed)
        (onTick, keepAlive) = (settings.onTick, settings.keepAlive)
        sockets = MeterSockets(
            plane: self, port: settings.meterPort, receiveBuffer: settings.limits.receiveBuffer,
            onBound: settings.onBound)
        ports = PortControl(plane: self, relays: settings.relays)
    }

    /// A number that no attempt to connect has had: a reload makes a unit's link anew while attempts of the one before are
    /// still under way.
    func numberAttempt() -> Int {
        attempts += 1
        return attempts
    }

    func resolved(_ address: IPv4Address, of id: Int32, _ attempt: Int, routed: @escaping @Sendable () -> Void) {
        guard let link = links[id] else { return routed() }
        link.resolved(address, attempt, routed: routed)
    }

    /// A unit that was removed meanwhile wants no connection any more.
    func attemptEnded(_ id: Int32, _ result: Result<any Channel, any Error>, _ attempt: Int) {
        if let link = links[id] {
            link.attemptEnded(result, attempt)
        } else if case .success(let channel) = result {
            channel.close(promise: nil)
        }
    }

    /// Starts a link to each unit.
    func start(_ processors: [RegisteredProcessor]) {
        for processor in processors {
            let link = ProcessorLink(processor, keepAlive: keepAlive, plane: self)
            links[processor.id] = link
            receiver.send(.addUnit(processor, link.status))
        }
        for link in links.values { link.handle(.start) }
        let loop = loop
        ticker = loop.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            loop.enter { $0.tick() }
        }
        ports.start()
    }

    /// Ends all links and timers.
    func stop() {
        isStopping = true
        ticker?.cancel()
        ports.stop()
        for link in links.values { link.stop() }
        sockets.stop()
    }

    func link(_ id: Int32) -> ProcessorLink? { links[id] }
    var unitCount: Int { links.count }
    func link(named name: String) -> ProcessorLink? { links.values.first { $0.processor.spec.name == name } }
    func add(_ link: ProcessorLink) { links[link.processor.id] = link }
    func forget(_ link: ProcessorLink) { (links[link.processor.id], otherClients[link.processor.id]) = (nil, nil) }

    func keepAliveIs(_ keepAlive: Span) {
        self.keepAlive = keepAlive
        for link in links.values { link.keepAliveIs(keepAlive) }
    }

    /// The units' addresses with the port that each sends from, 0 where nothing has come yet.
    var unitPorts: [IPv4Address: UInt16] {
        var ports: [IPv4Address: UInt16] = [:]
        for link in links.values {
            if let endpoint = link.endpoint { ports[endpoint.address] = link.status.sourcePort }
        }
        return ports
    }

    // MARK: from the receiver

    func take(_ notice: MeterReceiver.Notice) {
        switch notice {
        case .datagram(let processor): links[processor]?.handle(.datagramArrived)
        case .message(let processor, let message):
            // The keep-alive's echo has done its work by arriving, meters are the receiver's; another value is as true by
            // UDP as by TCP.
            let values = message.values.filter { $0.name != "KeepAlive" && Meter(name: $0.name) == nil }
            if !values.isEmpty { links[processor]?.handle(.received(.update(values))) }
        case .otherClient: if !isStopping { lookForOtherClients() }
        case .strangers(let count, let last, let socket):
            fault(
                socket, code: "UNKNOWN_SENDER", errno: nil, count: count,
                message: "datagrams from \(last), which is no configured processor; record it with --processor \(last)")
        case .relayFault(let count, let errno, let port):
            let message =
                errno == ENOBUFS
                ? "not passed on: datagrams came faster than both could be done, and recording goes first"
                : ErrnoName.message(errno)
            outbox.put([
                .fault(
                    SocketFault(
                        processor: nil, socket: .udp, operation: .send, code: ErrnoName.name(errno), errno: errno,
                        address: "127.255.255.255:\(port)", message: message, at: clock.wallNow,
                        count: count))
            ])
        case .socketFault(let socket, let errno):
            fault(socket, code: ErrnoName.name(errno), errno: errno, count: 1, message: ErrnoName.message(errno))
        }
    }

    private func fault(_ socket: IPv4Address, code: String, errno: Int32?, count: Int, message: String) {
        outbox.put([
            .fault(
                SocketFault(
                    processor: nil, socket: .udp, operation: .recv, code: code, errno: errno, address: "\(socket)",
                    message: message, at: clock.wallNow, count: count))
        ])
    }

    // MARK: addresses

    /// Datagrams are told apart by their source address, so an address has one unit; a second one is not heard. `done`, on any
    /// thread, once what comes from there is taken for this unit's.
    func route(_ address: IPv4Address, _ link: ProcessorLink, isNew: Bool, done: @escaping @Sendable () -> Void) {
        let id = link.processor.id
        // The receiver may have ended.
        guard !isStopping else { return done() }
        if let owner = owners[address], owner != id {
            defer { done() }
            guard isNew else { return }
            let other = links[owner]?.processor.spec.name ?? "another processor"
            let detail = "\(address) is \(other)'s already: meters from there go to \(other)"
            outbox.put([
                .event(.init(processor: id, at: clock.wallNow, link: .meters, name: .addressShared, detail: detail))
            ])
            return
        }
        owners[address] = id
        receiver.send(.route(address, processor: id, done: done))
    }

    func unroute(_ address: IPv4Address, _ link: ProcessorLink) {
        guard owners[address] == link.processor.id else { return }
        owners[address] = nil
        receiver.send(.unroute(address, processor: link.processor.id))
    }

    // MARK: each second

    private func tick() {
        for disruption in clock.look() { record(disruption) }
        let now = clock.now
        for link in links.values { link.tick(now) }
        lookForGoneAddresses()
        ticks += 1
        let isShared = otherClients.values.contains { !$0.isEmpty }
        if ticks % (isShared ? 2 : 10) == 0 { lookForOtherClients() }
        onTick()
    }

    /// The kernel says nothing of it to a connection, which would wait out its time limit: 8 to 13 s.
    private func lookForGoneAddresses() {
        let gone = Set(links.values.compactMap(\.local)).filter { csockets_is_gone($0.bits) == 1 }
        for link in links.values {
            guard let local = link.local else { continue }
            if gone.contains(local) { link.addressIsGone() } else { link.addressIsThere() }
        }
    }

    private func record(_ disruption: RecorderClock.Disruption) {
        switch disruption {
        case .clockSet(let now, let step):
            let detail = "set \(step > 0 ? "forward" : "back") by \(Self.seconds(abs(step)))"
            outbox.put([
                .clockSet(at: now, by: step),
                .event(.init(processor: nil, at: now, link: nil, name: .clockStep, detail: detail)),
            ])
        case .paused(let from, let until, let cause):
            let name: LinkEvent.Name = cause == .hostAsleep ? .hostAsleep : .recorderStalled
            let detail = "for \(Self.seconds(until - from)): what the links were then is not known"
            outbox.put([
                .paused(from: from, until: until, cause),
                .event(.init(processor: nil, at: until, link: nil, name: name, detail: detail)),
            ])
        }
    }

    /// Two clocks are not read at one instant: to the millisecond.
    private static func seconds(_ microseconds: Int64) -> String {
        let milliseconds = (microseconds + 500) / 1_000
        let fraction = String(milliseconds % 1_000 + 1_000).dropFirst()
        return "\(milliseconds / 1_000).\(fraction) s"
    }

    /// Other programs of this host with a connection of their own make the unit send every value twice. The receiver
    /// notices that at once and calls this; without a call every 10 s is enough, for the kernel walks its whole table of
    /// connections to answer (4 ms here).
    private func lookForOtherClients() {
        let units = links.values.filter { $0.endpoint != nil }
        guard !units.isEmpty else { return }
        let ours = Set(units.compactMap { $0.endpoint?.localPort })
        let connections = PortInspector.connections().filter { !ours.contains($0.localPort) }
        for link in units {
            guard let endpoint = link.endpoint else { continue }
            let (id, others) = (link.processor.id, endpoint.otherClients(among: connections))
            let inodes = Set(others.map(\.inode))
            let before = otherClients[id, default: []]
            guard inodes != before else { continue }
            otherClients[id] = inodes
            receiver.send(.otherClient(processor: id, !inodes.isEmpty))
            // Looking through every process is for new ones only.
            let new = others.filter { !before.contains($0.inode) }
            guard !new.isEmpty || inodes.isEmpty else { continue }
            let names = Set(PortInspector.holders(of: new).values).sorted().joined(separator: ", ")
            outbox.put([
                .event(
                    .init(
                        processor: id, at: clock.wallNow, link: .control,
                        name: inodes.isEmpty ? .otherClientGone : .otherClient, detail: names.isEmpty ? nil : names))
            ])
        }
    }
}
