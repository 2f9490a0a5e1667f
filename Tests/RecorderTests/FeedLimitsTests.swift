import AtlasProtocol
import Glibc
import NIOCore
import Testing

@testable import Recorder
@testable import RecorderStore

/// What the feed does where something is too much, too slow or in the way.
@Suite(.timeLimit(.minutes(1)))
struct FeedLimitsTests {
    @Test("where nobody serves the feed nothing is kept", arguments: [false, true])
    func unserved(triesToServe: Bool) async throws {
        let bench = FeedBench(store: Rig.newStore() + String(repeating: "e", count: triesToServe ? 120 : 0))
        if triesToServe { await #expect(throws: UnixSocket.Failure.self) { try await bench.server.start() } }
        let block = FeedBench.block(frames: 5)
        for number in 0..<1_000 {
            bench.put(block)
            bench.feed.put(.learnt(block))
            bench.feed.put(.label(1, Meter(name: "ZoneMeter_1")!, "Terrace \(number)"))
            bench.change(Int64(number))
        }
        #expect(bench.feed.takeAll().items.isEmpty)
        #expect(bench.feed.takeAll().isEmpty)
        await bench.server.stop()
    }

    @Test("where the feed's own thread is held up, what waits is bounded, and the last word on each link is kept")
    func heldUp() {
        let bench = FeedBench()
        bench.feed.open {}
        let block = FeedBench.block(frames: 5)
        for number in 0..<5_000 {
            bench.put(block)
            bench.feed.put(.learnt(block))
            bench.feed.put(.label(1, Meter(name: "ZoneMeter_1")!, "Terrace \(number)"))
            bench.change(Int64(number))
        }
        let waiting = bench.feed.takeAll()
        let kept = waiting.items.reduce(0) { if case .values(let block, _) = $1 { $0 + block.samples } else { $0 } }
        #expect(waiting.items.count < 1_000)
        #expect(kept + waiting.missed == 5_000 * block.samples)
        #expect(waiting.knowledge.latest.count == 1 && waiting.knowledge.labels.count == 1)
        #expect(waiting.knowledge.labels.values.first == "Terrace 4999")
        #expect(waiting.late.values.map(\.since) == [FeedBench.since + 4_999])
        #expect(FeedBacklog(waiting).hasHoles)
    }

    @Test("however much waits, it is made into lines a slice at a time, and all of it")
    func slices() {
        let bench = FeedBench()
        bench.feed.open {}
        let block = FeedBench.block(frames: 20)
        for _ in 0..<3 { bench.put(block) }
        var text = FeedText([], store: "", version: "")
        var backlog = FeedBacklog(bench.feed.takeAll())
        var (values, lines, slices) = (0, 0, 0)
        while !backlog.isEmpty {
            let slice = backlog.slice(by: &text)
            #expect(slice.bytes.readableBytes < 2 * FeedBacklog.sliceBytes)
            values += slice.values
            lines += String(buffer: slice.bytes).utf8.count { $0 == 10 }
            slices += 1
        }
        #expect(values == 3 * block.samples && lines == values)
        #expect(slices > 4)
    }

    @Test("at the end a reader that was slow gets whole lines, and is told what it missed")
    func endOfASlowReader() async throws {
        let bench = FeedBench()
        try await bench.server.start()
        let (slow, quick) = (try RawReader(bench.store), try RawReader(bench.store).begin())
        try await eventually { quick.lineCount == 1 }
        let block = FeedBench.block(frames: 5)
        for round in 1...40 {
            bench.put(block)
            try await eventually { quick.lineCount == 1 + round * block.samples }
        }
        // It reads only when the end has begun.
        async let end: Void = bench.server.stop()
        try await eventually { access(FeedServer.path(forStore: bench.store), F_OK) != 0 }
        _ = try slow.begin()
        await end
        try await eventually { slow.hasEnded }
        #expect(slow.endsWithALine)
        let lines = slow.lines.compactMap { JSONMembers(line: Array($0.utf8)) }
        let values = lines.count { $0.text("meter") != nil }
        let missed = lines.compactMap { $0.integer("missed").map { Int($0) } }.reduce(0, +)
        #expect(missed > 0)
        #expect(values + missed == 40 * block.samples)
    }

    @Test("a reader that never reads does not hold up the end")
    func endOfADeadReader() async throws {
        let bench = FeedBench(patience: .milliseconds(50))
        try await bench.server.start()
        let (dead, quick) = (try RawReader(bench.store), try RawReader(bench.store).begin())
        try await eventually { quick.lineCount == 1 }
        let block = FeedBench.block(frames: 5)
        for round in 1...20 {
            bench.put(block)
            try await eventually { quick.lineCount == 1 + round * block.samples }
        }
        await bench.server.stop()
        try await eventually { quick.hasEnded }
        withExtendedLifetime(dead) {}
    }

    @Test("a slow reader that missed changes and no value gets each link's state all the same")
    func missedChanges() async throws {
        let bench = FeedBench()
        try await bench.server.start()
        let (slow, quick) = (try RawReader(bench.store), try RawReader(bench.store).begin())
        try await eventually { quick.lineCount == 1 }
        let count = 12_000
        for number in 1...count {
            bench.change(Int64(number))
            if number % 200 == 0 { try await eventually { quick.lineCount == 1 + number } }
        }
        _ = try slow.begin()
        try await eventually { slow.lines.last?.contains("\"at_us\":\(FeedBench.since + Int64(count)),") == true }
        #expect(slow.lines.contains("{\"missed\":0}"))
        await bench.server.stop()
    }

    @Test("a reader that comes to many units and does not read gets every last value in the end")
    func longGreeting() async throws {
        let bench = FeedBench(units: 80)
        try await bench.server.start()
        let watcher = try RawReader(bench.store).begin()
        try await eventually { watcher.lineCount == 1 }
        for unit in Int32(1)...80 { bench.feed.put(.learnt(FeedBench.block(frames: 1, of: unit))) }
        for unit in Int32(1)...80 { bench.change(2, of: unit, .meters) }
        try await eventually { watcher.lineCount == 81 }
        let all = 1 + 80 + 80 * FeedBench.meters
        let (slow, quick) = (try RawReader(bench.store), try RawReader(bench.store).begin())
        try await eventually { quick.lineCount == all }
        _ = try slow.begin()
        try await eventually { slow.lineCount == all }
        await bench.server.stop()
    }

    @Test(
        "who may read the store may talk to the feed's socket, and nobody else",
        arguments: [(0o640, 0o660), (0o644, 0o666), (0o600, 0o600)] as [(UInt32, UInt32)])
    func rights(store: UInt32, socket: UInt32) async throws {
        let bench = FeedBench()
        chmod(bench.store, store)
        let isRoot = getuid() == 0
        if isRoot { #expect(chown(bench.store, 65_534, 54_321) == 0) }
        try await bench.server.start()
        var status = stat()
        #expect(lstat(FeedServer.path(forStore: bench.store), &status) == 0)
        #expect(status.st_mode & 0o777 == socket)
        #expect(status.st_gid == (isRoot ? 54_321 : getegid()) && status.st_uid == (isRoot ? 65_534 : getuid()))
        await bench.server.stop()
        #expect(lstat(FeedServer.path(forStore: bench.store), &status) != 0)
    }
}
