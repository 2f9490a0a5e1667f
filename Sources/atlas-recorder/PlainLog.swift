import Logging
import WallTime

/// The log on stderr, one line each, as people read it: when, how bad, what, why; then the figures.
///
///     2026-11-22 22:01:14.301 error: the store refuses; samples and events wait in memory: cannot write … (seconds 60.2)
struct PlainLog: LogHandler {
    var logLevel = Logger.Level.notice
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var details = metadata.merging(event.metadata ?? [:]) { $1 }
        let reason = details.removeValue(forKey: "error").map { ": \($0)" } ?? ""
        let rest = details.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        Console.error(
            "\(LocalTime.text(Console.now)) \(event.level): \(event.message)\(reason)\(rest.isEmpty ? "" : " (\(rest))")"
        )
    }
}
