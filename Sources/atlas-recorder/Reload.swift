import Configuration
import Recorder
import RecorderStore

/// Reads the configuration file again, at SIGHUP. Nothing changes where it cannot be used as it is.
struct Reload: Sendable {
    let path: String
    let flags: Settings
    /// `--store`.
    let store: String?
    /// What the recorder was started with.
    let begun: Settings
    /// What the flags make of the file's retention.
    let retention: @Sendable (Retention) -> Retention

    func read() -> ReloadSource.Answer {
        do throws(ConfigurationFaults) {
            var settings = flags.over(try Settings(file: path))
            settings.retention = retention(settings.retention ?? .default)
            guard !settings.processors.isEmpty else { throw ConfigurationFaults([Settings.nothingToRecord]) }
            let faults = settings.fixed(since: begun, store: storePath)
            guard faults.isEmpty else {
                ConfigurationArgument.show(ConfigurationFaults(faults), of: path)
                Console.note("nothing has changed; the file is right, and holds from the next start of the recorder on")
                return .refused(faults.map { $0.line(file: path) }.joined(separator: "; "))
            }
            Console.note("configuration: \(path) is read again")
            return .settings(settings.live)
        } catch {
            ConfigurationArgument.show(error, of: path)
            Console.note("nothing has changed. Try the file until it is right: atlas-recorder config check '\(path)'")
            let more = error.faults.count - 1
            return .refused(
                error.faults[0].line(file: path) + (more == 0 ? "" : "; and \(more) more, all in the log"))
        }
    }

    private func storePath(_ settings: Settings) -> String {
        StorePath.forWriting(flag: store, configured: settings.store, Console.environment)
    }
}

extension Settings {
    /// What a recorder can be told anew.
    var live: LiveSettings {
        LiveSettings(
            processors: processors, keepAlive: .seconds(keepAliveSeconds ?? Self.defaultKeepAliveSeconds),
            relays: relays ?? Self.defaultRelays, retention: retention ?? .default)
    }

    /// What is not as it was and cannot change while it records. `store`: the path that settings lead to.
    fileprivate func fixed(since begun: Settings, store: (Settings) -> String) -> [ConfigurationFault] {
        func fault(_ key: String, _ before: String, _ now: String) -> ConfigurationFault? {
            before == now
                ? nil
                : ConfigurationFault(
                    key: key, "was \(before) and is \(now) now, which takes a restart; restart, or put it back for now")
        }
        return [
            fault("store", store(begun), store(self)),
            fault(
                "meter_port", "\(begun.meterPort ?? Self.defaultMeterPort)", "\(meterPort ?? Self.defaultMeterPort)"),
            fault("http", begun.page?.words ?? "none", page?.words ?? "none"),
        ].compactMap { $0 }
    }
}
