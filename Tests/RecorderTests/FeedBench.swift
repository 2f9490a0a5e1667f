import AtlasProtocol
import Glibc
import Locks
import NIOCore
import Testing

@testable import Recorder
@testable import RecorderStore

/// A feed with its server, its units and nothing else.
final class FeedBench: Sendable {
    static let meters = 200
    static let since: Int64 = 1_795_000_000_000_000
    let feed = Feed()
    let server: FeedServer
    let store: String
    private let units: Int32

    /// `patience`: of a test that lets a reader end is longer than any test.
    init(
        units: Int32 = 1, store: String = Rig.newStore(), levels: LevelMemory? = nil,
        patience: TimeAmount = .minutes(10)
    ) {
        (self.store, self.units) = (store, units)
        close(open(store, O_CREAT | O_WRONLY | O_CLOEXEC, 0o640))
        let processors = (1...units).map { id in
            RegisteredProcessor(
                id: id, spec: ProcessorSpec(name: "Unit \(id)", host: "127.0.0.1", controlPort: 5321),
                slots: (0..<Self.meters).map { (UInt16($0 + 1), Self.meter($0)) }, latest: [:], labels: [:])
        }
        server = FeedServer(
            feed, store: store, processors: processors, version: "test", levels: levels,
            patience: patience)
    }

    deinit {
        unlink(store)
        rmdir(String(store[..<store.lastIndex(of: "/")!]))
    }

    private static func meter(_ index: Int) -> Meter { Meter(name: "ZoneMeter_\(index)")! }

    /// So many frames with a value of every meter of a unit, and its last values.
    static func block(frames: Int, of unit: Int32 = 1) -> FrameBlock {
        var block = FrameBlock()
        var assembler = FrameAssembler(
            processor: unit, slots: (0..<meters).map { (UInt16($0 + 1), meter($0)) }, latest: [:])
        for frame in 0..<frames {
            for index in 0..<meters {
                _ = assembler.take(
                    Reading(meter: meter(index), level: -20), at: since + Int64(frame) * 50_000, into: &block)
            }
            assembler.close(into: &block)
        }
        assembler.summarize(into: &block)
        return block
    }

    func put(_ block: FrameBlock) { feed.put(.values(block, after: .init()), values: block.samples) }
    /// The control link's state: up and down in turn, each with its number as its time.
    func change(_ number: Int64, of unit: Int32 = 1, _ link: Link = .control) {
        feed.put(.change(unit, link, number % 2 == 0 ? .up : .down(.refused), since: Self.since + number))
    }
}

/// A reader of the feed's bytes, which begins to read when it is told to.
final class RawReader: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var lines = 0
        var hasEnded = false
    }
    private let descriptor: Int32
    private let state = Mutex(State())

    convenience init(_ store: String) throws {
        self.init(try UnixSocket.connected(to: FeedServer.path(forStore: store)))
    }
    /// One that is connected already, whether its reads wait or not; closes it.
    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }

    func begin() throws -> RawReader {
        try DedicatedThread.start(named: "feed-test") { [self] in
            var chunk = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                var readable = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                if poll(&readable, 1, -1) < 0 { continue }
                let count = read(descriptor, &chunk, chunk.count)
                if count < 0, errno == EINTR || errno == EAGAIN { continue }
                state.withLock { state in
                    guard count > 0 else { return state.hasEnded = true }
                    state.bytes += chunk[..<count]
                    state.lines += chunk[..<count].count { $0 == 10 }
                }
                if count <= 0 { return }
            }
        }
        return self
    }

    func say(_ line: String) { #expect(write(descriptor, line, line.utf8.count) == line.utf8.count) }

    var lineCount: Int { state.withLock { $0.lines } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
    /// The last line too, where it is cut.
    var lines: [String] {
        state.withLock { state in
            state.bytes.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
        }
    }
    var endsWithALine: Bool { state.withLock { $0.bytes.last == 10 } }
}

extension JSONMembers {
    init?(line: [UInt8]) {
        guard let members = line.withUnsafeBufferPointer({ JSONMembers($0) }) else { return nil }
        self = members
    }
}
