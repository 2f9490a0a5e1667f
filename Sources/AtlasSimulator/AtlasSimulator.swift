import NIOCore
import NIOPosix

/// Simulated Atlas Atmosphere processors on real sockets: JSON-RPC by TCP, meters by UDP, faults on demand.
package actor AtlasSimulator {
    private enum State {
        case idle, starting
        case running([NIOLoopBound<SimulatedUnit>])
        case stopped
    }
    private let configuration: SimulatorConfiguration
    private let group: any EventLoopGroup
    private let report: @Sendable (SimulatorEvent) -> Void
    private var state = State.idle
    private let (untilStopped, stopping) = AsyncStream.makeStream(of: Never.self)

    /// `onEvent` is called on the units' event loops: it must not wait. The group stays the caller's.
    package init(
        configuration: SimulatorConfiguration, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        onEvent: @escaping @Sendable (SimulatorEvent) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.group = group
        report = onEvent
    }

    /// Opens every unit and starts programme and script. Returns where the units listen, in their order.
    @discardableResult
    package func start() async throws -> [SocketAddress] {
        guard case .idle = state else {
            throw SimulatorError(kind: .notRunning, message: "a simulator starts once: make another")
        }
        try configuration.validate()
        state = .starting
        var units: [NIOLoopBound<SimulatedUnit>] = []
        var addresses: [SocketAddress] = []
        do {
            for number in 0..<configuration.units {
                let unit = try await makeUnit(number, on: group.next())
                units.append(unit)
                addresses.append(try await unit.eventLoop.flatSubmit { unit.value.start() }.get())
            }
            let origin = NIODeadline.now()
            for unit in units { try await unit.eventLoop.submit { unit.value.startTimers(origin: origin) }.get() }
        } catch {
            state = .stopped
            try await Self.stop(units)
            throw error
        }
        state = .running(units)
        return addresses
    }

    /// Starts if need be, and runs until the task is cancelled or `shutdown()` is called; then all sockets are closed.
    package func run() async throws {
        if case .idle = state { try await start() }
        for await _ in untilStopped {}
        try await shutdown()
    }

    package func shutdown() async throws {
        stopping.finish()
        guard case .running(let units) = state else { return }
        state = .stopped
        try await Self.stop(units)
    }

    /// Lets a fault happen to one unit, or to all if `unit` is nil. Returns when it is in force.
    package func inject(_ fault: Fault, unit: Int? = nil) async throws {
        try configuration.check(fault)
        for unit in try units(unit) { try await unit.eventLoop.flatSubmit { unit.value.inject(fault) }.get() }
    }

    /// Ends one lasting fault; `inject(.clear)` ends all.
    package func lift(_ fault: Fault, unit: Int? = nil) async throws {
        for unit in try units(unit) { try await unit.eventLoop.flatSubmit { unit.value.lift([fault]) }.get() }
    }

    /// Sets a parameter as the unit itself would: names too. A meter (dB) stays there until it is released.
    package func set(parameter: String, value: ParameterValue, unit: Int? = nil) async throws {
        try await onEach(unit) { (unit) throws in try unit.set(parameter, to: value) }
    }

    /// Lets a meter that was set follow the programme again.
    package func release(parameter: String, unit: Int? = nil) async throws {
        try await onEach(unit) { (unit) throws in try unit.release(parameter) }
    }

    /// The UDP port that all units send to, from the next datagram on.
    package func setMeterPort(_ port: Int) async throws {
        guard (1...65_535).contains(port) else {
            throw SimulatorError(kind: .configuration, message: "meter port \(port): use 1 to 65535")
        }
        try await onEach(nil) { $0.meterPort = port }
    }

    /// Closing time: all levels fall to -80 dB, until it is set to false.
    package func setClosed(_ isClosed: Bool, unit: Int? = nil) async throws {
        try await onEach(unit) { $0.isClosed = isClosed }
    }

    package func statistics() async throws -> SimulatorStatistics {
        var statistics = SimulatorStatistics(units: [])
        for unit in try units(nil) {
            statistics.units.append(try await unit.eventLoop.submit { unit.value.currentStatistics() }.get())
        }
        return statistics
    }

    private func makeUnit(_ number: Int, on eventLoop: any EventLoop) async throws -> NIOLoopBound<SimulatedUnit> {
        let (configuration, report) = (configuration, report)
        return try await eventLoop.submit {
            let unit = try SimulatedUnit(
                number: number, configuration: configuration, eventLoop: eventLoop, report: report)
            return NIOLoopBound(unit, eventLoop: eventLoop)
        }.get()
    }

    private func units(_ number: Int?) throws -> [NIOLoopBound<SimulatedUnit>] {
        guard case .running(let units) = state else {
            throw SimulatorError(kind: .notRunning, message: "the simulator is not running: call start() first")
        }
        guard let number else { return units }
        try configuration.checkUnit(number)
        return [units[number]]
    }

    private func onEach(_ number: Int?, _ body: @escaping @Sendable (SimulatedUnit) throws -> Void) async throws {
        for unit in try units(number) { try await unit.eventLoop.submit { try body(unit.value) }.get() }
    }

    private static func stop(_ units: [NIOLoopBound<SimulatedUnit>]) async throws {
        for unit in units { try await unit.eventLoop.flatSubmit { unit.value.stop() }.get() }
    }
}
