import AtlasProtocol
import CSockets
import Foundation
import Glibc
import Testing

@testable import Recorder
@testable import RecorderStore

/// The recorder's memory of levels, as it comes with the feed's first line.
@Suite(.timeLimit(.minutes(3)))
struct LevelHandingTests {
    private func messages(_ lines: [String]) -> [FeedMessage] {
        var decoder = FeedDecoder()
        return lines.map { decoder.decode(Array($0.utf8)) }
    }

    private struct Greeting {
        let descriptor: Int32
        let first: String
        let levels: LevelMap?
    }

    /// Waits until the recorder has spoken.
    private func greeted(_ store: String) async throws -> Greeting {
        let connection = try #require(FeedConnection(store: store))
        var greeting: Greeting?
        try await eventually {
            guard case .spoke(let first, let levels) = connection.look() else { return false }
            greeting = Greeting(
                descriptor: connection.release(), first: String(decoding: first, as: UTF8.self), levels: levels)
            return true
        }
        return try #require(greeting)
    }

    /// By place.
    private func names(_ lines: [String]) -> [Int: FeedDecoder.MeterName] {
        messages(lines).reduce(into: [:]) { names, message in
            if case .meter(let name, let place) = message { names[place] = name }
        }
    }

    @Test("who asks is told each meter's place, and there is what the recorder stores")
    func live() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        await rig.line("subscribed")
        let greeting = try await greeted(rig.store)
        #expect(greeting.first.hasPrefix(#"{"feed":1,"#))
        let levels = try #require(greeting.levels)
        let reader = try RawReader(greeting.descriptor).begin()
        reader.say(FeedRequest.values(false).line + FeedRequest.meters.line)
        try await eventually {
            let names = names(reader.lines)
            return names.count > 30 && names.keys.allSatisfy { levels[$0] != nil }
                && names.values.contains { $0.label != nil }
        }
        try await simulator.inject(.freeze)
        let sent = try await simulator.statistics().samples
        try await eventually { try rig.texts("SELECT count(*) FROM meter_samples") == ["\(sent)"] }
        // Of max() SQLite takes the whole row (lang_select, bare columns).
        let stored = try rig.query(
            "SELECT processor, meter, label, level_db, max(at_us) FROM meter_samples GROUP BY processor, meter")
        let last = stored.map { row in row[..<3].map(\.words) + ["\(Float(row[3].words)!)"] }
        var shown: [[String]] = []
        // The last label may be in the store before its line is read here.
        try await eventually {
            shown = names(reader.lines).map { place, name in
                [name.processor, name.meter, name.label ?? "-", levels[place].map { "\($0)" } ?? "-"]
            }
            return Set(shown) == Set(last)
        }
        #expect(shown.count == last.count)
        try await rig.stop()
        try await simulator.shutdown()
        // It stays readable: the memory is gone with the last who has it.
        #expect(levels[names(reader.lines).keys.first!] != nil)
    }

    @Test("a meter that comes, and one that is called otherwise, are told to who asked, and to nobody else")
    func renamed() async throws {
        let bench = FeedBench(units: 2)
        try await bench.server.start()
        let asking = try RawReader(bench.store).begin()
        let other = try RawReader(bench.store).begin()
        asking.say(FeedRequest.meters.line)
        try await eventually { names(asking.lines).count == 2 * FeedBench.meters }
        let told = asking.lineCount
        let meter = Meter(name: "ZoneMeter_3")!
        bench.feed.put(.label(2, meter, "Patio \"3\""))
        let place = try #require(LevelMemory.place(of: 4, processor: 2))
        try await eventually { names(asking.lines)[place]?.label == "Patio \"3\"" }
        // Of that unit, and no other.
        #expect(asking.lineCount == told + FeedBench.meters)
        var block = FrameBlock()
        var assembler = FrameAssembler(processor: 3)
        _ = assembler.take(Reading(meter: meter, level: -20), at: FeedBench.since, into: &block)
        bench.feed.put(
            .unit(
                RegisteredProcessor(
                    id: 3, spec: ProcessorSpec(name: "Cellar", host: "127.0.0.1", controlPort: 5321), slots: [],
                    latest: [:], labels: [:])))
        bench.feed.put(.learnt(block))
        let cellar = FeedDecoder.MeterName(processor: "Cellar", meter: "ZoneMeter_3", label: nil)
        try await eventually { names(asking.lines).values.contains(cellar) }
        bench.change(1)
        try await eventually { other.lineCount == 2 && asking.lines.last == other.lines.last }
        await bench.server.stop()
        #expect(names(other.lines).isEmpty)
    }

    @Test("a recorder that has no memory to hand says the same first line without it")
    func without() async throws {
        let bench = FeedBench()
        try await bench.server.start()
        let greeting = try await greeted(bench.store)
        defer { close(greeting.descriptor) }
        #expect(greeting.levels == nil)
        #expect(
            messages([String(greeting.first.prefix { $0 != "\n" })]) == [.hello(recorder: "test", store: bench.store)])
        await bench.server.stop()
        #expect(FeedConnection(store: bench.store) == nil)
    }

    private struct Unexpected: Error {}

    /// A socket with the feed's name that lets nobody in, as that of a recorder that stands still.
    private func standing(_ store: String, _ body: (Int32) async throws -> Void) async throws {
        let path = FeedServer.path(forStore: store)
        let listener = try UnixSocket.bound(to: path, .init(uid: getuid(), gid: getgid(), mode: 0o600))
        defer {
            close(listener)
            unlink(path)
            rmdir(String(store[..<store.lastIndex(of: "/")!]))
        }
        try #require(listen(listener, 3) == 0)
        try await body(listener)
    }

    @Test("who connects to a recorder that stands still waits for nothing, however many did before")
    func still() async throws {
        let store = Rig.newStore()
        try await standing(store) { _ in
            var connections: [FeedConnection] = []
            while let connection = FeedConnection(store: store) {
                guard case .waiting = connection.look() else { throw Unexpected() }
                connections.append(connection)
                try #require(connections.count < 100)
            }
            // As many as the queue holds (listen(2)); the next one was told to come again.
            #expect(connections.count >= 3)
        }
    }

    @Test("a descriptor that is no memory of levels is not kept")
    func strange() async throws {
        let store = Rig.newStore()
        try await standing(store) { listener in
            var status = stat()
            // A file of its own: other tests in this process open the usual ones while this one counts.
            var name = Array("/tmp/atlas-test.XXXXXX".utf8CString)
            let file = mkstemp(&name)
            unlink(name)
            defer { close(file) }
            try #require(fstat(file, &status) == 0)
            let before = Self.open(inode: status.st_ino, device: status.st_dev)
            for _ in 0..<5 {
                let connection = try #require(FeedConnection(store: store))
                let other = accept(listener, nil, nil)
                #expect(csockets_send_with(other, "{}\n", 3, file) == 3)
                guard case .spoke(let first, let levels) = connection.look() else { throw Unexpected() }
                #expect(first == Array("{}\n".utf8) && levels == nil)
                close(other)
                guard case .gone = connection.look() else { throw Unexpected() }
            }
            #expect(Self.open(inode: status.st_ino, device: status.st_dev) == before)
        }
    }

    /// Listens as a feed would, and hands two descriptors of one file with its first line.
    private static let two = """
        import os, socket, sys
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[1])
        listener.listen()
        print(flush=True)
        peer, _ = listener.accept()
        file = os.open(sys.argv[2], os.O_RDONLY)
        socket.send_fds(peer, [b"{}\\n"], [file, file])
        sys.stdin.read()
        """

    @Test("of two descriptors none stays open either")
    func twice() async throws {
        let store = Rig.newStore()
        let path = FeedServer.path(forStore: store)
        let file = path + ".file"
        let own = Glibc.open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        defer {
            close(own)
            for each in [path, file] { unlink(each) }
            rmdir(String(store[..<store.lastIndex(of: "/")!]))
        }
        let peer = Process()
        peer.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        peer.arguments = ["-c", Self.two, path, file]
        let (input, output) = (Pipe(), Pipe())
        (peer.standardInput, peer.standardOutput) = (input, output)
        try peer.run()
        #expect(output.fileHandleForReading.availableData.count == 1)
        let connection = try #require(FeedConnection(store: store))
        var levels: LevelMap?
        try await eventually {
            guard case .spoke(_, let map) = connection.look() else { return false }
            levels = map
            return true
        }
        var status = stat()
        try #require(fstat(own, &status) == 0)
        #expect(levels == nil && Self.open(inode: status.st_ino, device: status.st_dev) == 1)
        try input.fileHandleForWriting.close()
        peer.waitUntilExit()
        #expect(peer.terminationStatus == 0)
    }

    @Test("no descriptor is left open by those who come and go without asking for it")
    func descriptors() async throws {
        let memory = try LevelMemory()
        let bench = FeedBench(levels: memory)
        try await bench.server.start()
        for _ in 0..<10 {
            let greeting = try await greeted(bench.store)
            #expect(greeting.levels != nil)
            close(greeting.descriptor)
            var reader = try FeedReader(store: bench.store)
            var line = ""
            reader.lines {
                line = String(decoding: $0, as: UTF8.self); return false
            }
            #expect(line.hasPrefix(#"{"feed":1,"#))
        }
        // The memory's own inode, as often as it is open here.
        var status = stat()
        try #require(fstat(memory.descriptor, &status) == 0)
        try await eventually { Self.open(inode: status.st_ino, device: status.st_dev) == 1 }
        await bench.server.stop()
    }

    private static func open(inode: ino_t, device: dev_t) -> Int {
        (0..<1_024).count { descriptor in
            var status = stat()
            return fstat(Int32(descriptor), &status) == 0 && status.st_ino == inode && status.st_dev == device
        }
    }
}

extension SQLValue {
    fileprivate var words: String {
        switch self {
        case .null: "-"
        case .integer(let integer): "\(integer)"
        case .real(let real): "\(real)"
        case .text(let text): text
        }
    }
}
