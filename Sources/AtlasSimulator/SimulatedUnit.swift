import Glibc
import NIOCore
import NIOPosix

/// One processor: a TCP listener and a UDP socket at an address of its own, the parameters, and the faults that hold.
/// Everything happens on its event loop.
final class SimulatedUnit {
    private enum Listener { case closed, opening, open(any Channel) }
    private enum Phase { case idle, running, stopped }
    static let reopenDelay = TimeAmount.milliseconds(100)
    static let reopenAttempts = 50

    let number: Int
    let configuration: SimulatorConfiguration
    let eventLoop: any EventLoop
    let report: @Sendable (SimulatorEvent) -> Void
    var table: ParameterTable
    var mixer: Mixer
    var programme: Programme
    var random: SeededGenerator  // chooses the single meters
    var steps = 0  // of the programme
    var stepDebt = 0  // steps due, times the ticks a second
    var ticks = 0
    var isClosed: Bool
    var socket: MeterSocket
    var faults: Set<Fault> = []
    var behaviour = Behaviour(under: [])
    private(set) var connections: [UnitConnection] = []
    private var ended: [ConnectionStatistics] = []
    var statistics: UnitStatistics
    var meterPort: Int {
        didSet { for connection in connections { connection.meterAddress.port = meterPort } }
    }
    private var address: SocketAddress
    private var phase = Phase.idle
    private var listener = Listener.closed
    var nextTick = NIODeadline.now()
    var timer: NIOScheduledCallback?
    var scriptTimers: [Scheduled<Void>] = []

    init(
        number: Int, configuration: SimulatorConfiguration, eventLoop: any EventLoop,
        report: @escaping @Sendable (SimulatorEvent) -> Void
    ) throws {
        self.number = number
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.report = report
        let scale = LevelScale(decimals: configuration.decimals)
        var seeds = SeededGenerator(state: configuration.seed &+ UInt64(number) &* 0x2545_F491_4F6C_DD1D)
        table = ParameterTable(model: configuration.model, silence: configuration.silence, scale: scale)
        mixer = Mixer(model: configuration.model, silence: configuration.silence)
        programme = Programme(
            sources: configuration.model.sources, silence: configuration.silence,
            stepsPerSecond: configuration.stepsPerSecond, seed: seeds.next())
        random = SeededGenerator(state: seeds.next())
        isClosed = configuration.closed
        meterPort = configuration.meterPort
        let host = try configuration.address(ofUnit: number)
        address = try SocketAddress(ipAddress: host, port: configuration.port)
        socket = try MeterSocket(boundTo: try SocketAddress(ipAddress: host, port: 0))
        statistics = UnitStatistics(address: address)
        mixer.update(&table, from: programme)
    }

    /// Opens the listener; the address says which port it got.
    func start() -> EventLoopFuture<SocketAddress> {
        phase = .running
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        return settleListener().map { bound.value.address }
    }

    func stop() -> EventLoopFuture<Void> {
        phase = .stopped
        timer?.cancel()
        timer = nil
        for scheduled in scriptTimers { scheduled.cancel() }
        scriptTimers = []
        let channels = connections.map(\.channel)
        for channel in channels { channel.close(promise: nil) }
        return .andAllComplete([settleListener()] + channels.map(\.closeFuture), on: eventLoop)
    }

    /// Opens or closes the listener, as the phase and the faults want it.
    func settleListener() -> EventLoopFuture<Void> {
        switch (phase == .running && behaviour.listens, listener) {
        case (true, .closed):
            listener = .opening
            let bound = NIOLoopBound(self, eventLoop: eventLoop)
            return open(attempts: Self.reopenAttempts).flatMap { bound.value.settleListener() }
        case (false, .open(let channel)):
            listener = .closed
            return channel.close()
        case (true, .open), (false, .closed), (_, .opening):
            return eventLoop.makeSucceededVoidFuture()
        }
    }

    /// A port that was just closed may be taken for a moment, so reopening is tried again.
    private func open(attempts: Int) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        return ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: behaviour.reads)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.adopt(channel) }
            }
            .bind(to: address)
            .map { bound.value.didOpen($0) }
            .flatMapError { error in
                let unit = bound.value
                guard attempts > 1, unit.timer != nil, unit.phase == .running else {
                    unit.listener = .closed
                    return unit.eventLoop.makeFailedFuture(unit.cannotListen(error))
                }
                return unit.eventLoop.flatScheduleTask(in: Self.reopenDelay) {
                    bound.value.open(attempts: attempts - 1)
                }.futureResult
            }
    }

    private func didOpen(_ channel: any Channel) {
        listener = .open(channel)
        if let bound = channel.localAddress { address = bound }
        statistics.address = address
        if !behaviour.isPlugged { Cable.unplug(channel) }
    }

    private static func words(for error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    }

    private func cannotListen(_ error: any Error) -> SimulatorError {
        let host = address.ipAddress ?? "?"
        let port = address.port ?? 0
        return SimulatorError(
            kind: .cannotListen,
            message: "unit \(number) cannot listen at \(host):\(port): \(Self.words(for: error)). "
                + "Another program may hold that port: see 'ss -ltnp', or choose another port or first address")
    }

    /// A connection that was just accepted, before it is active.
    private func adopt(_ channel: any Channel) throws {
        guard let peer = channel.remoteAddress else { return channel.close(promise: nil) }
        let connection = UnitConnection(
            channel: channel, unit: self, number: statistics.connectionsAccepted, peer: peer)
        statistics.connectionsAccepted += 1
        try channel.pipeline.syncOperations.addHandler(connection)
    }

    func opened(_ connection: UnitConnection) {
        connections.append(connection)
        report(.connected(unit: number, connection: connection.statistics.number, peer: connection.statistics.peer))
        if phase == .stopped { return connection.channel.close(promise: nil) }
        if behaviour.endsConnections { connection.finish() }
    }

    /// The connection no longer counts as open; its socket may.
    func ended(_ connection: UnitConnection) {
        connection.statistics.isOpen = false
        report(.disconnected(unit: number, connection: connection.statistics.number))
    }

    /// The socket is closed.
    func closed(_ connection: UnitConnection) {
        if connection.statistics.isOpen { ended(connection) }
        connections.removeAll { $0 === connection }
        ended.append(connection.statistics)
        if ended.count > 256 { ended.removeFirst() }
    }

    var openConnections: [UnitConnection] { connections.filter { $0.phase == .open } }

    /// The listener and all connections, as far as their sockets are open.
    var channels: [any Channel] {
        let accepted = connections.map(\.channel)
        if case .open(let channel) = listener { return [channel] + accepted }
        return accepted
    }

    func currentStatistics() -> UnitStatistics {
        var statistics = statistics
        statistics.connections = connections.map(\.statistics) + ended
        statistics.sendErrors = socket.errors
        statistics.faults = faults
        return statistics
    }
}
