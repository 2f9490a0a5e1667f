import ArgumentParser
import AtlasSimulator
import NIOPosix
import Reporting
import UnixSignals

struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Be a processor on loopback, to try the recorder without one.",
        discussion: """
            Each unit has a loopback address of its own, takes third-party control there and sends its meters to the \
            address that a connection comes from.

            \(Fault.help)

            Examples:
              atlas-recorder simulate
              atlas-recorder simulate --units 3 --address 127.0.0.11
              atlas-recorder simulate --fault 'at 10s wedge for 30s' --fault 'unit 0 at 60s refuse for 10s'
              atlas-recorder simulate --fault 'at 20s recall scene 2'
              atlas-recorder simulate --fault 'at 30s gain 0 -80' --fault 'at 60s renumber 0'
            """)

    @Option(help: ArgumentHelp("How many units; each has the next address.", valueName: "N"))
    var units = 1

    @Option(help: ArgumentHelp("The first unit's address.", valueName: "ADDRESS"))
    var address = "127.0.0.1"

    @Option(help: ArgumentHelp("The control port; 0: a free one for each unit.", valueName: "PORT"))
    var port: UInt16 = 5321

    @Option(help: ArgumentHelp("The UDP port that the meters are sent to.", valueName: "PORT"))
    var meterPort: UInt16 = 3131

    @Option(help: ArgumentHelp("azm8 or azm4.", valueName: "MODEL"))
    var model: Model = .azm8

    @Option(help: ArgumentHelp("Updates of each meter a second, 1 to 1000.", valueName: "HZ"))
    var rate = 10

    @Option(
        help: ArgumentHelp(
            "Datagrams: 'tick' (all meters in one), a number of meters in each, or 'single' (one value at a time, 30 a "
                + "second).", valueName: "SHAPE"))
    var shape = "tick"

    @Option(help: ArgumentHelp("Which meters stay silent: half or none.", valueName: "WHICH"))
    var silence: Silence = .half

    @Option(help: ArgumentHelp("The levels' seed: the same seed, the same programme.", valueName: "N"))
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "A fault or a change by the clock, '[unit N] at TIME FAULT [for TIME]', as listed above; repeat for several.",
            valueName: "SCRIPT"))
    var fault: [String] = []

    @Option(name: .customLong("for"), help: ArgumentHelp("Stop after this long: 90s, 15m, 2h.", valueName: "DURATION"))
    var duration: String?

    enum Model: String, CaseIterable, ExpressibleByArgument { case azm8, azm4 }

    mutating func validate() throws {
        do {
            try configuration().validate()
            if let duration { _ = try DurationExpression.parse(duration) }
        } catch {
            throw Console.usage(error)
        }
    }

    func run() async throws {
        do {
            try await simulate()
        } catch {
            throw Console.failure(error)
        }
    }

    private func configuration() throws -> SimulatorConfiguration {
        var configuration = SimulatorConfiguration()
        configuration.units = units
        configuration.firstAddress = address
        configuration.port = Int(port)
        configuration.meterPort = Int(meterPort)
        configuration.model = model == .azm8 ? .azm8 : .azm4
        configuration.updatesPerSecond = rate
        configuration.silence = silence
        configuration.seed = seed
        configuration.script = try FaultScript.parse(fault)
        switch shape {
        case "tick": configuration.shape = .tick
        case "single": configuration.shape = .single(perSecond: 30)
        default:
            guard let meters = Int(shape) else {
                throw ValidationError("--shape '\(shape)': use tick, single, or a number of meters in each datagram.")
            }
            configuration.shape = .datagram(meters)
        }
        return configuration
    }

    private func simulate() async throws {
        let limit = try duration.map { try DurationExpression.parse($0) }
        let simulator = AtlasSimulator(configuration: try configuration(), group: MultiThreadedEventLoopGroup.singleton)
        let addresses = try await simulator.start()
        for (index, address) in addresses.enumerated() {
            Console.line(
                "unit \(index) listens on \(address.ipAddress ?? ""):\(address.port ?? 0), meters go to UDP \(meterPort)"
            )
        }
        await withTaskGroup { group in
            group.addTask { for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) { return } }
            if let limit { group.addTask { try? await Task.sleep(for: limit) } }
            await group.next()
            group.cancelAll()
        }
        try await simulator.shutdown()
    }
}

extension Silence: ExpressibleByArgument {}

extension Fault {
    /// What `--fault` takes.
    fileprivate static var help: String {
        let names = named.map(\.name).joined(separator: ", ")
        let width = withArguments.map(\.usage.count).max() ?? 0
        let changes = withArguments.map { usage, meaning in
            "  \(usage)\(String(repeating: " ", count: width - usage.count))  \(meaning)"
        }
        return (["Faults: \(names).", "Changes, over at once:"] + changes).joined(separator: "\n")
    }
}
