import AtlasProtocol
import Locks
import Logging
import Testing

@testable import Recorder

@Suite struct StoreFaultLogTests {
    private struct Log: LogHandler {
        final class Lines: Sendable {
            let lines = Mutex<[String]>([])
        }
        let lines: Lines
        var logLevel = Logger.Level.notice
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let seconds = event.metadata?["seconds"].map { "\($0)" } ?? ""
            lines.lines.withLock { $0.append("\(event.level) \(event.message) \(seconds)") }
        }
    }
    private struct Full: Error {}

    @Test("a store that refuses is told of at once, each minute, and when it takes writes again")
    func eachMinute() {
        let lines = Log.Lines()
        var fault = StoreFault(logger: Logger(label: "test") { _ in Log(lines: lines) }, "it refuses")
        func time(_ halfSeconds: Int64) -> Instant { Instant(microseconds: halfSeconds * 500_000) }
        fault.ended(at: time(0))
        for tick in Int64(1)...241 { fault.happened(Full(), at: time(tick)) }
        fault.ended(at: time(242))
        fault.ended(at: time(243))
        fault.happened(Full(), at: time(244))
        #expect(
            lines.lines.withLock { $0 } == [
                "error it refuses 0.0", "error it refuses 60.0", "error it refuses 120.0",
                "notice the store takes writes again 120.5", "error it refuses 0.0",
            ])
    }
}
