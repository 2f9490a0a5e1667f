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
            let before = event.metadata?["times_before"].map { ", \($0) before" } ?? ""
            lines.lines.withLock { $0.append("\(event.level) \(event.message) \(seconds)\(before)") }
        }
    }
    private struct Full: Error {}

    private let lines = Log.Lines()
    private func told() -> [String] { lines.lines.withLock { $0 } }
    private func newFault() -> StoreFault {
        StoreFault(logger: Logger(label: "test") { _ in Log(lines: lines) }, "it refuses")
    }
    private func time(_ halfSeconds: Int64) -> Instant { Instant(microseconds: halfSeconds * 500_000) }

    @Test("a store that refuses is told of at once, each minute, and when it takes writes again")
    func eachMinute() {
        var fault = newFault()
        fault.ended(at: time(0))
        for tick in Int64(1)...241 { fault.happened(Full(), at: time(tick)) }
        fault.ended(at: time(242))
        fault.ended(at: time(243))
        fault.happened(Full(), at: time(361))
        #expect(
            told() == [
                "error it refuses 0.0", "error it refuses 60.0", "error it refuses 120.0",
                "notice the store takes writes again 120.5", "error it refuses 0.0",
            ])
    }

    @Test("a fault that comes and goes is told of once a minute, with how often it came")
    func comesAndGoes() {
        var fault = newFault()
        // 5.5 s there, 0.5 s not, for five minutes.
        for tick in Int64(0)..<600 {
            if tick % 12 < 11 { fault.happened(Full(), at: time(tick)) } else { fault.ended(at: time(tick)) }
        }
        let first = ["error it refuses 0.0", "notice the store takes writes again 5.5"]
        let minute = ["error it refuses 0.0, 9 before", "notice the store takes writes again 5.5"]
        #expect(told() == first + minute + minute + minute + minute)
        // It stays away: the last of it is told when the minute is over.
        for tick in Int64(600)..<1_200 { fault.ended(at: time(tick)) }
        #expect(told().count == 11 && told().last == "notice the store takes writes again , 9 before")
    }

    @Test("a fault that comes back within the minute, and stays, is told of when the minute is over")
    func comesBack() {
        var fault = newFault()
        fault.happened(Full(), at: time(0))
        fault.ended(at: time(1))
        for tick in Int64(20)..<130 { fault.happened(Full(), at: time(tick)) }
        fault.ended(at: time(130))
        #expect(
            told() == [
                "error it refuses 0.0", "notice the store takes writes again 0.5", "error it refuses 50.0",
                "notice the store takes writes again 55.0",
            ])
    }
}
