import AtlasProtocol
import AtlasSimulator
import Glibc
import Locks
import Testing

@testable import Recorder

/// The feed on its real socket.
@Suite(.timeLimit(.minutes(3)))
struct FeedTests {
    /// Reads a feed on a thread of its own until it ends.
    private final class Reading: Sendable {
        private let collected = Mutex<[JSONMembers]>([])
        /// How many lines are meters' values; asked for while thousands come, where a copy of them all would cost more.
        private let values = Mutex(0)
        private let ended = Mutex(false)

        init(_ store: String) throws {
            let reader = try FeedReader(store: store)
            nonisolated(unsafe) var handed: FeedReader? = consume reader
            try DedicatedThread.start(named: "feed-test") {
                var reader = handed.take()!
                reader.lines { bytes in
                    guard let line = JSONMembers(line: bytes) else { return true }
                    if line.text("meter") != nil { self.values.withLock { $0 += 1 } }
                    self.collected.withLock { $0.append(line) }
                    return true
                }
                self.ended.withLock { $0 = true }
            }
        }
        var valueCount: Int { values.withLock { $0 } }
        var lines: [JSONMembers] { collected.withLock { $0 } }
        var hasEnded: Bool { ended.withLock { $0 } }
    }

    @Test("a reader gets who speaks, each link's state, then every value as it is stored, and the end")
    func values() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("subscribed")
        let first = try Reading(rig.store)
        try await eventually { first.valueCount > 500 }
        try await simulator.inject(.refuse)
        try await eventually { first.lines.contains { $0.text("link") == "control" && $0.text("state") == "down" } }
        try await rig.stop()
        try await eventually { first.hasEnded }

        let lines = first.lines
        #expect(lines[0].integer("feed") == 1 && lines[0].text("store")?.hasSuffix("test.sqlite") == true)
        let greeting = lines.dropFirst().prefix { $0.text("meter") == nil }.filter { $0.text("link") != nil }
        #expect(greeting.map { "\($0.text("link")!) \($0.text("state")!)" } == ["control up", "meters up"])
        #expect(lines.contains { $0.text("cause") == "closed" && $0.text("processor") == "Unit 0" })

        // From its second frame on, every value is a row, and every row a value.
        let values = lines.compactMap { line -> (at: Int, text: String)? in
            guard let at = line.integer("at_us").map({ Int($0) }), let meter = line.text("meter") else {
                return nil
            }
            return (at, "\(at) \(meter) \(line.text("label") ?? "-") \(line.number("level_db")!)")
        }
        let times = Set(values.map(\.at)).sorted()
        // The greeting has last values with their own times: what came live begins where all meters move on.
        let live = times[times.count / 2]
        let stored = try rig.texts(
            "SELECT at_us, meter, label, level_db FROM meter_samples WHERE at_us >= \(live) ORDER BY at_us, meter")
        let fed = values.filter { $0.at >= live }.map(\.text).sorted()
        #expect(fed == stored.sorted())
        try await simulator.shutdown()
    }

    @Test("who asks for no values hears of the links and of how the recorder does, and of values again when it asks")
    func withoutValues() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("subscribed")
        let reader = try RawReader(rig.store)
        reader.say(FeedRequest.values(false).line)
        _ = try reader.begin()
        let status = "\"commits\":"
        try await eventually { reader.lines.count { $0.contains(status) } >= 2 }
        // What was on its way when it asked has come by the second status.
        let before = reader.lines.count { $0.contains("level_db") }
        try await eventually { reader.lines.count { $0.contains(status) } >= 4 }
        #expect(reader.lines.count { $0.contains("level_db") } == before)
        reader.say(FeedRequest.values(true).line)
        try await eventually { reader.lines.count { $0.contains("level_db") } > before + 100 }
        // The last status is of what is stored: nothing lost, no commit failed.
        try await simulator.inject(.freeze)
        let sent = try await simulator.statistics().samples
        try await eventually { reader.lines.last { $0.contains(status) }?.contains("\"samples\":\(sent),") == true }
        let last = try #require(reader.lines.last { $0.contains(status) })
        #expect(last.contains("\"lost_samples\":0,\"lost_datagrams\":0,"))
        try await simulator.inject(.refuse)
        try await eventually { reader.lines.last { $0.contains(status) }?.contains("tcp connect ECONNREFUSED") == true }
        try await rig.stop()
        try await simulator.shutdown()
    }

    #if THREAD_SANITIZER
        /// Under it a unit that is to send more does nothing else on its event loop, not even answer.
        private static let manyUpdates = 200
    #else
        private static let manyUpdates = 1_000
    #endif

    @Test("a reader that does not read is told how much it missed, and the recorder stores everything meanwhile")
    func slowReader() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port) { $0.updatesPerSecond = Self.manyUpdates }
        let rig = Rig(specs, meterPort: port)
        await rig.line("subscribed")
        var slow = try FeedReader(store: rig.store)
        let quick = try Reading(rig.store)
        try await eventually { quick.valueCount > 60_000 }
        try await simulator.inject(.freeze)
        let sent = try await simulator.statistics().samples
        try await eventually { try rig.integer("SELECT sum(stored) FROM sample_minute") >= sent }
        var (missed, values) = (0, 0)
        slow.lines { bytes in
            let line = JSONMembers(line: bytes)
            missed += line?.integer("missed").map { Int($0) } ?? 0
            if line?.text("meter") != nil { values += 1 }
            return missed == 0
        }
        #expect(missed > 0 && values > 0)
        try await rig.stop()
        #expect(try rig.integer("SELECT sum(stored) FROM sample_minute") == sent)
        try await simulator.shutdown()
    }

    @Test("a file of somebody's under the feed's name is left alone; recording goes on, and that is told")
    func fileInTheWay() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let store = Rig.newStore()
        let path = FeedServer.path(forStore: store)
        let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
        #expect(write(descriptor, "precious", 8) == 8)
        close(descriptor)
        let rig = Rig(specs, store: store, meterPort: port)
        await rig.line("no feed")
        await rig.line("meters up")
        try await rig.stop()
        try await simulator.shutdown()
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_size == 8)
        unlink(path)
    }

    @Test("nobody there: the message says what to do")
    func nobody() throws {
        do {
            _ = try FeedReader(store: "/tmp/nobody-records-this.sqlite")
            Issue.record("somebody is there")
        } catch {
            #expect("\(error)".contains("atlas-recorder run"))
        }
    }
}
