import ArgumentParser
import AtlasProtocol
import Configuration
import RecorderStore
import Reporting

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Look at a configuration file.", subcommands: [ConfigCheck.self])
}

struct ConfigCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say what a configuration file means, or everything that is wrong with it.",
        discussion: """
            Exits with 0 and prints what `run` would record with it, or with 1 and one line on stderr for each fault: \
            FILE:LINE:COLUMN, the key (processors are counted from 1), what is wrong and what to write. Opens no socket and \
            no store, so it can be run beside a recorder.

            Examples:
              atlas-recorder config check venue.toml
              atlas-recorder config check && sudo systemctl restart atlas-recorder
            """)

    @Argument(
        help: ArgumentHelp(
            """
            The file (default: $ATLAS_RECORDER_CONFIG, else $CONFIGURATION_DIRECTORY/atlas-recorder.toml, else \
            /etc/atlas-recorder.toml, as run).
            """, valueName: "FILE"))
    var file: String?

    func run() throws {
        let environment = Console.environment
        guard
            let path = ConfigurationFile.named(file, environment) ?? ConfigurationArgument.usual(environment)
        else {
            Console.note(
                "there is no \(ConfigurationFile.usual(environment).joined(separator: " and no ")). Write one "
                    + "(docs/configuration.md), or name another: atlas-recorder config check FILE")
            throw ExitCode(1)
        }
        let settings: Settings
        do throws(ConfigurationFaults) {
            settings = try Settings(file: path)
            guard !settings.processors.isEmpty else { throw ConfigurationFaults([Settings.nothingToRecord]) }
        } catch {
            ConfigurationArgument.show(error, of: path)
            throw ExitCode(1)
        }
        try Console.answer(page(of: settings, path, environment))
        // Recording needs no page: a word, and no fault.
        guard let http = settings.page, let address = http.listen else { return }
        do {
            _ = try http.server(at: address, store: "")
        } catch {
            Console.note("the page would not come up with this file, for this user: \(error)")
        }
    }

    private func page(of settings: Settings, _ path: String, _ environment: [String: String]) -> String {
        let style = Style(isColoured: Console.showsColour, isUnicode: Style.isUnicode(environment))
        let choices = settings.processors.contains { $0.subscriptions != .everything }
        let units = Table(
            columns: ["Processor", "Host", "Port"] + (choices ? ["Subscribes to"] : []),
            rows: settings.processors.map { unit in
                [.text(unit.name), .text(unit.host), .integer(Int64(unit.controlPort))]
                    + (choices ? [.text(Self.words(for: unit.subscriptions))] : [])
            })
        func line(_ title: String, _ value: String, _ origin: String) -> String {
            title + String(repeating: " ", count: 12 - title.count) + value + origin + "\n"
        }
        func origin(_ value: Any?) -> String { value == nil ? " (default)" : "" }
        let store = StorePath.forWriting(flag: nil, configured: settings.store, environment)
        let variable = environment[StorePath.variable, default: ""]
        return "\(path) is right. It records:\n\n" + units.rendered(as: .text, style) + "\n"
            + line("Store", store, variable.isEmpty ? origin(settings.store) : " ($\(StorePath.variable))")
            + line("Meter port", "\(settings.meterPort ?? Settings.defaultMeterPort)", origin(settings.meterPort))
            + line(
                "Keep-alive", "\(settings.keepAliveSeconds ?? Settings.defaultKeepAliveSeconds) s",
                origin(settings.keepAliveSeconds))
            + line("Relay", settings.relays ?? Settings.defaultRelays ? "yes" : "no", origin(settings.relays))
            + line("Page", settings.page?.words ?? "none", origin(settings.page))
            + line("Retention", Self.words(for: settings.retention ?? .default), origin(settings.retention))
    }

    private static func words(for choice: SubscriptionChoice) -> String {
        let count = choice.messages.reduce(0) { $0 + $1.count }
        let what = choice.patterns?.joined(separator: ", ") ?? "everything"
        return "\(what)\(choice.hasMeters ? "" : ", no meters") (\(count) parameters)"
    }

    private static func words(for kept: Retention) -> String {
        let ages = [("samples", kept.samples), ("minutes", kept.minutes), ("events", kept.events)]
        return ages.map { "\($0) \(AgeExpression.text($1))" }.joined(separator: ", ")
            + ", size \(kept.size.map { SizeExpression.text($0) } ?? "without a limit")"
    }
}
