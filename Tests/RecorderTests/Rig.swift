import AtlasProtocol
import AtlasSimulator
import Glibc
import Locks
import Logging
import NIOPosix
import RecorderStore
import ServiceLifecycle
import struct Synchronization.Atomic
import Testing

@testable import Recorder

/// A recorder over real loopback sockets with a store of its own, in this process.
final class Rig: Sendable {
    let store: String
    let meterPort: UInt16
    private let removesStore: Bool
    private let group: ServiceGroup
    private let lines = Lines()
    private let running: Task<Void, any Error>

    /// Starts recording these units. `meterPort` 0: any free one.
    init(
        _ processors: [ProcessorSpec], store: String = Rig.newStore(), meterPort: UInt16,
        keepAlive: Span = .seconds(10),
        clocks: HostClocks = .system, relays: Bool = true, removesStore: Bool = true,
        limits: ReceiveLimits = ReceiveLimits()
    ) {
        self.store = store
        self.removesStore = removesStore
        self.meterPort = meterPort
        var links = LinkSettings(meterPort: meterPort, keepAlive: keepAlive, relays: relays)
        links.limits = limits
        let configuration = RecorderConfiguration(
            processors: processors, store: store, version: "test", links: links, clocks: clocks)
        let lines = lines
        let logger = Logger(label: "test") { _ in LinesLog(lines: lines) }
        let recorder = Recorder(configuration, logger: logger) { lines.add($0) }
        let services = ServiceGroup(
            configuration: .init(
                services: [.init(service: recorder, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: logger))
        group = services
        running = Task { try await services.run() }
    }

    /// Waits until a line that contains all of these has been printed; lines before `after` do not count.
    @discardableResult
    func line(_ parts: String..., after: Int = 0) async -> Int { await lines.first(containing: parts, after: after) }
    /// How many lines contain this.
    var lineCount: Int { lines.all.count }
    func count(of part: String) -> Int { lines.all.filter { $0.contains(part) }.count }

    /// Stops cleanly; everything received is stored then.
    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await running.value
    }

    func query(_ sql: String) throws -> [[SQLValue]] { try StoreReader(path: store).query(sql).rows }
    func integer(_ sql: String) throws -> Int {
        guard case .integer(let value)? = try query(sql).first?.first else { return 0 }
        return Int(value)
    }
    func texts(_ sql: String) throws -> [String] {
        try query(sql).map { row in
            row.map { value in
                switch value {
                case .null: "-"
                case .integer(let integer): "\(integer)"
                case .real(let real): "\(real)"
                case .text(let text): text
                }
            }.joined(separator: " ")
        }
    }

    static func newStore() -> String {
        var template = Array("/tmp/atlas-recorder-test.XXXXXX\0".utf8CString)
        _ = mkdtemp(&template)
        return String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            + "/test.sqlite"
    }

    deinit { if removesStore { Rig.remove(store) } }

    static func remove(_ store: String) {
        let folder = store.split(separator: "/").dropLast().joined(separator: "/")
        for name in ["test.sqlite", "test.sqlite-wal", "test.sqlite-shm", "test.sqlite.lock"] {
            unlink("/\(folder)/\(name)")
        }
        rmdir("/\(folder)")
    }
}

/// What the recorder logs, among what it prints.
private struct LinesLog: LogHandler {
    let lines: Lines
    var logLevel = Logger.Level.notice
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.add("log: \(event.message)") }
}

/// What the recorder printed, and who waits for it.
private final class Lines: Sendable {
    private struct State {
        var lines: [String] = []
        var waiting: [(parts: [String], after: Int, resume: CheckedContinuation<Int, Never>)] = []
    }
    private let state = Mutex(State())

    var all: [String] { state.withLock { $0.lines } }

    func add(_ line: String) {
        state.withLock { state in
            state.lines.append(line)
            let count = state.lines.count
            state.waiting.removeAll { waiter in
                guard count > waiter.after, waiter.parts.allSatisfy({ line.contains($0) }) else { return false }
                waiter.resume.resume(returning: count)
                return true
            }
        }
    }

    /// How many lines there were with that one; a test that is cancelled waits no longer.
    func first(containing parts: [String], after: Int) async -> Int {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    for (index, line) in state.lines.enumerated().dropFirst(after)
                    where parts.allSatisfy({ line.contains($0) }) {
                        return continuation.resume(returning: index + 1)
                    }
                    if Task.isCancelled { return continuation.resume(returning: after) }
                    state.waiting.append((parts, after, continuation))
                }
            }
        } onCancel: {
            state.withLock { state in
                for waiter in state.waiting {
                    Issue.record("no line with \(waiter.parts) among: \(state.lines.joined(separator: "\n"))")
                    waiter.resume.resume(returning: waiter.after)
                }
                state.waiting = []
            }
        }
    }
}

/// A UDP port that nobody else is given meanwhile: below the range the kernel gives out for port 0 (ip(7),
/// ip_local_port_range), each one once in this process, and free now.
func freePort() -> UInt16 {
    while true {
        let port = UInt16(10_000 + nextPort.wrappingAdd(1, ordering: .relaxed).newValue % 20_000)
        if PlainSocket.isFree(port) { return port }
    }
}
private let nextPort = Atomic<Int>(Int(getpid()) * 97 % 20_000)

/// A UDP socket as another program has it, with or without address reuse.
final class PlainSocket: Sendable {
    let descriptor: Int32
    let port: UInt16

    init(address: String = "0.0.0.0", port: UInt16, reuse: Bool) {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = reuse ? 1 : 0
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        var local = Self.endpoint(address, port)
        let bound = withUnsafePointer(to: &local) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 16) }
        }
        precondition(bound == 0, "bind \(address):\(port): \(String(cString: strerror(errno)))")
        var size: socklen_t = 16
        _ = withUnsafeMutablePointer(to: &local) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        self.descriptor = descriptor
        self.port = UInt16(bigEndian: local.sin_port)
    }

    /// With address reuse.
    init(ipv6: String, only: Bool, port: UInt16) {
        let descriptor = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var (reuse, only): (Int32, Int32) = (1, only ? 1 : 0)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, 4)
        setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &only, 4)
        var local = sockaddr_in6()
        local.sin6_family = sa_family_t(AF_INET6)
        local.sin6_port = port.bigEndian
        inet_pton(AF_INET6, ipv6, &local.sin6_addr)
        let bound = withUnsafePointer(to: &local) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 28) }
        }
        precondition(bound == 0, "bind [\(ipv6)]:\(port): \(String(cString: strerror(errno)))")
        (self.descriptor, self.port) = (descriptor, port)
    }

    static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var local = endpoint("0.0.0.0", port)
        return withUnsafePointer(to: &local) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 16) }
        } == 0
    }

    func send(_ text: String, to address: String, _ port: UInt16) {
        var target = Self.endpoint(address, port)
        let bytes = Array(text.utf8)
        _ = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(descriptor, bytes, bytes.count, 0, $0, 16) }
        }
    }

    func close() { _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }
    deinit { Glibc.close(descriptor) }

    static func endpoint(_ address: String, _ port: UInt16) -> sockaddr_in {
        var result = sockaddr_in()
        result.sin_family = sa_family_t(AF_INET)
        result.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &result.sin_addr)
        return result
    }
}

/// A simulated unit or several, started, with the specs to record them.
func simulatedUnits(
    meterPort: UInt16, _ change: (inout SimulatorConfiguration) -> Void = { _ in },
    onEvent: @escaping @Sendable (SimulatorEvent) -> Void = { _ in }
) async throws -> (AtlasSimulator, [ProcessorSpec]) {
    var configuration = SimulatorConfiguration()
    configuration.port = 0
    configuration.meterPort = Int(meterPort)
    change(&configuration)
    let simulator = AtlasSimulator(configuration: configuration, onEvent: onEvent)
    let addresses = try await simulator.start()
    let specs = addresses.enumerated().map { index, address in
        ProcessorSpec(name: "Unit \(index)", host: address.ipAddress!, controlPort: UInt16(address.port!))
    }
    return (simulator, specs)
}

/// Asks again until it is true: for what happens in another thread and has no event of its own. The test's time limit
/// ends it.
func eventually(_ condition: () async throws -> Bool) async throws {
    while try await !condition() { try await Task.sleep(for: .milliseconds(20)) }
}
