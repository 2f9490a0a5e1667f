import ArgumentParser
import AtlasProtocol
import AtlasSimulator
import Configuration
import Glibc
import Logging
import NIOPosix
import Recorder
import RecorderStore
import Reporting
import ServiceLifecycle
import UnixSignals

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Record until SIGTERM or SIGINT.",
        discussion: """
            Prints one line when it records and one for each change of state. On SIGTERM or SIGINT it stores what it received \
            and ends the run as clean; a second signal ends it at once. On SIGHUP it reads its configuration file again and \
            records on; without a file it ends.

            Under systemd (Type=notify) it says when it is ready, what it does, and that it lives.

            Processors and settings may stand in a file, too: --config, else $ATLAS_RECORDER_CONFIG; where neither that nor \
            --processor is given, $CONFIGURATION_DIRECTORY/atlas-recorder.toml (systemd) or /etc/atlas-recorder.toml. A flag \
            takes the place of what the file says; with --processor none of the file's processors is recorded. \
            `atlas-recorder config check` says what a file means and what is wrong with it.

            Examples:
              atlas-recorder run --config venue.toml
              atlas-recorder run --processor 'Main Bar=192.168.5.101'
              atlas-recorder run --processor 192.168.5.101 --processor 'Patio=192.168.5.102' --store bars.sqlite
              atlas-recorder run --simulate --for 1m
            """)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A processor to record; repeat for several. The port of its third-party control is 5321 unless you say so.",
            valueName: "[NAME=]HOST[:PORT]"))
    var processor: [String] = []

    @Option(help: ArgumentHelp("A configuration file; docs/configuration.md has its keys.", valueName: "FILE"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The store (default: $ATLAS_RECORDER_STORE, else the file's, else $STATE_DIRECTORY/atlas.sqlite, else "
                + "~/.local/state/atlas-recorder/atlas.sqlite).", valueName: "FILE"))
    var store: String?

    @Option(
        help: ArgumentHelp(
            "The UDP port that the processors send their meters to (default: the file's, else 3131).", valueName: "PORT"
        ))
    var meterPort: UInt16?

    @Option(
        help: ArgumentHelp(
            """
            Seconds between two keep-alives, 1 to 300; each is answered by TCP and by UDP and proves both ways \
            (default: the file's, else 10).
            """, valueName: "SECONDS"))
    var keepAlive: Int?

    @Flag(
        inversion: .prefixedNo,
        help: """
            Pass the datagrams on to the other programs of this host that are bound to the meters' port, or not: they get \
            none then (default: the file's, else --relay).
            """)
    var relay: Bool?

    @Flag(
        help: """
            Where another recorder writes the store, wait and take over when it ends or dies, instead of exiting with 75.
            """)
    var standby = false

    @OptionGroup var retention: RetentionOptions

    @OptionGroup var page: PageOptions

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("Stop cleanly after this long: 90s, 15m, 2h.", valueName: "DURATION"))
    var duration: String?

    @Flag(
        help: """
            Record one simulated processor on loopback, over real sockets. Its own default store is simulated.sqlite, \
            and it refuses a store that holds real processors.
            """)
    var simulate = false

    mutating func validate() throws {
        if store == "" { throw ValidationError("--store '': name a file, or leave the flag out.") }
        if config == "" { throw ValidationError("--config '': name a file, or leave the flag out.") }
        if let keepAlive, !Settings.keepAliveSeconds.contains(keepAlive) {
            throw ValidationError("--keep-alive \(keepAlive): use 1 to 300 seconds; the processor closes at 300.")
        }
        if simulate {
            guard processor.isEmpty else { throw ValidationError("Use --processor or --simulate, not both.") }
            guard config == nil else { throw ValidationError("Use --config or --simulate, not both.") }
        } else {
            guard meterPort != 0 else { throw ValidationError("--meter-port 0: use 1 to 65535; 0 is for --simulate.") }
        }
        do {
            _ = try ProcessorSpec.parse(processor)
            if let duration { _ = try DurationExpression.parse(duration) }
        } catch {
            throw Console.usage(error)
        }
    }

    func run() async throws {
        // Not in validate(), where it would hide a mistyped flag.
        let (settings, reload) = try settings()
        do {
            try await simulate ? recordSimulation(settings) : record(settings, reload)
        } catch {
            throw Console.failure(error)
        }
    }

    /// The flags', and from the file what they leave open; `reload`: where there is a file, what reads it again.
    private func settings() throws -> (Settings, reload: Reload?) {
        var flags = try Settings(
            meterPort: meterPort, keepAliveSeconds: keepAlive, relays: relay, page: page.settings,
            processors: ProcessorSpec.parse(processor))
        guard !simulate, let file = try ConfigurationArgument.fileToRun(config, hasProcessors: !processor.isEmpty)
        else {
            guard simulate || !processor.isEmpty else {
                throw ValidationError(
                    """
                    Nothing to record: name a processor with --processor 'Main Bar=192.168.5.101' \
                    (repeat it for several) or in a file (--config), or try it without one: atlas-recorder run --simulate
                    """)
            }
            flags.retention = try retention.over(.default)
            try flags.page?.refuseUnguarded()
            return (flags, nil)
        }
        var settings = flags.over(file.settings)
        try settings.page?.refuseUnguarded()
        settings.retention = try retention.over(settings.retention ?? .default)
        guard !settings.processors.isEmpty else {
            throw ConfigurationArgument.refusal(of: file.path, ConfigurationFaults([Settings.nothingToRecord]))
        }
        let options = retention
        let reload = Reload(path: file.path, flags: flags, store: store, begun: settings) { file in
            (try? options.over(file)) ?? file  // validate() has seen that they can be read
        }
        return (settings, reload)
    }

    private func recordSimulation(_ settings: Settings) async throws {
        var configuration = SimulatorConfiguration()
        configuration.port = 0
        let meterPort = settings.meterPort ?? Settings.defaultMeterPort
        if meterPort > 0 { configuration.meterPort = Int(meterPort) }
        let simulator = AtlasSimulator(configuration: configuration, group: MultiThreadedEventLoopGroup.singleton)
        let units = try await simulator.start()
        let specs = units.map { unit in
            ProcessorSpec(
                name: "Simulated AZM8", host: unit.ipAddress ?? "127.0.0.1", controlPort: UInt16(unit.port ?? 0),
                isSimulated: true)
        }
        var settings = settings
        settings.processors = specs
        do {
            try await record(settings) { port in Task { try? await simulator.setMeterPort(Int(port)) } }
        } catch {
            try? await simulator.shutdown()
            throw error
        }
        try await simulator.shutdown()
    }

    private func record(
        _ settings: Settings, _ reload: Reload? = nil, onBound: (@Sendable (UInt16) -> Void)? = nil
    ) async throws {
        let environment = Console.environment
        let path = StorePath.forWriting(
            flag: store, configured: settings.store, file: simulate ? "simulated.sqlite" : "atlas.sqlite", environment)
        StorePath.makeFolder(for: path, flag: store, configured: settings.store, environment)
        let meterPort = settings.meterPort ?? Settings.defaultMeterPort
        let isAnyPort = meterPort == 0
        let (reloads, hangUps) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let live = settings.live
        let configuration = RecorderConfiguration(
            processors: live.processors, store: path, version: Version.text,
            links: LinkSettings(meterPort: meterPort, keepAlive: live.keepAlive, relays: live.relays) { _, port in
                if isAnyPort { onBound?(port) }
            }, standsBy: standby, serviceManager: ServiceManager(environment), retention: live.retention,
            reloads: reload.map { reload in ReloadSource(requests: reloads) { reload.read() } })
        LoggingSystem.bootstrap { _ in PlainLog() }
        let logger = Logger(label: "atlas-recorder")
        let printer = LinePrinter { Console.line($0) }
        defer { printer.flush() }
        let recorder = Recorder(configuration, logger: logger) { printer.print($0) }
        var services = [
            ServiceGroupConfiguration.ServiceConfiguration(
                service: recorder, successTerminationBehavior: .gracefullyShutdownGroup)
        ]
        if let page = settings.page, let address = page.listen {
            let service = PageService {
                try page.server(at: address, store: path)
            } print: {
                printer.print($0)
            }
            services.append(.init(service: service, successTerminationBehavior: .ignore))
        }
        var group = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: Self.endings(reload != nil),
            logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() })
        group.maximumGracefulShutdownDuration = .seconds(30)
        try await runUntilStopped(ServiceGroup(configuration: group), reload == nil ? nil : hangUps)
    }

    /// With a configuration file SIGHUP reads it again.
    private static func endings(_ reloads: Bool) -> [UnixSignal] {
        reloads ? [.sigterm, .sigint] : [.sigterm, .sigint, .sighup]
    }

    /// `reloads`: told of each SIGHUP; nil: that ends it, too.
    private func runUntilStopped(_ services: ServiceGroup, _ reloads: AsyncStream<Void>.Continuation?) async throws {
        let impatience = Task { await Self.endAtSecondSignal(of: Self.endings(reloads != nil)) }
        defer { impatience.cancel() }
        let hasTerminal = isatty(STDIN_FILENO) == 1
        let listening = Task {
            guard let reloads else { return }
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                // The terminal that it was started from was closed: whoever did that is done with it.
                if hasTerminal, isatty(STDIN_FILENO) == 0 { await services.triggerGracefulShutdown() }
                reloads.yield()
            }
        }
        defer { listening.cancel() }
        let limit = try duration.map { try DurationExpression.parse($0) }
        let timer = Task {
            guard let limit else { return }
            try await Task.sleep(for: limit)
            await services.triggerGracefulShutdown()
        }
        defer { timer.cancel() }
        try await services.run()
    }

    private static func endAtSecondSignal(of signals: [UnixSignal]) async {
        var count = 0
        for await _ in await UnixSignalsSequence(trapping: signals) {
            count += 1
            if count == 2 { _exit(1) }
        }
    }
}
