import NIOCore

@testable import AtlasSimulator

/// A running simulation, the meter socket of the host it sends to, and what it tells.
struct Bench {
    let simulator: AtlasSimulator
    let units: [SocketAddress]
    let meters: MeterListener
    let events: Events

    /// Any free port; everything is closed when the body is done.
    static func run(
        _ configure: (inout SimulatorConfiguration) -> Void = { _ in }, body: (Bench) async throws -> Void
    ) async throws {
        let meters = try await MeterListener()
        var configuration = SimulatorConfiguration()
        configuration.port = 0
        configuration.meterPort = meters.port
        configure(&configuration)
        let (stream, continuation) = AsyncStream.makeStream(of: SimulatorEvent.self)
        let simulator = AtlasSimulator(configuration: configuration) { continuation.yield($0) }
        let units = try await simulator.start()
        do {
            let events = Events(stream)
            try await body(Bench(simulator: simulator, units: units, meters: meters, events: events))
        } catch {
            try await simulator.shutdown()
            throw error
        }
        try await simulator.shutdown()
        try await meters.close()
    }

    func connect(unit: Int = 0) async throws -> Client { try await Client(units[unit]) }

    /// The numbers of the next datagram that holds the meter.
    func values(with meter: String, _ format: String = "val") async -> [String: String] {
        AtlasSimulatorTests.values(
            await meters.next { AtlasSimulatorTests.values($0, format)[meter] != nil }, format)
    }
}

final class Events {
    private var events: AsyncStream<SimulatorEvent>.Iterator
    init(_ stream: AsyncStream<SimulatorEvent>) { events = stream.makeAsyncIterator() }

    func wait(until isMeant: (SimulatorEvent) -> Bool) async {
        while let event = await events.next(), !isMeant(event) {}
    }

    func received(_ method: String, _ parameter: String) async {
        await wait {
            if case .received(_, _, let command) = $0 {
                command.method == method && command.parameter == parameter
            } else {
                false
            }
        }
    }
}
