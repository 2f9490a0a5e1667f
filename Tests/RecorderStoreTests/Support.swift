import AtlasProtocol
import CSQLite
import Foundation
import Testing

@testable import RecorderStore

/// A folder of this test's own, removed with everything in it when the test lets go of it.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("\(NSTemporaryDirectory())/atlas-store-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "cannot make a temporary folder")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var store: String { path + "/atlas.sqlite" }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// 2025-10-21 16:30 UTC, a whole minute: where the tests' time begins, in microseconds since 1970.
let start: Int64 = 1_761_064_200_000_000
let second: Int64 = 1_000_000
let minute: Int64 = 60_000_000
let hour: Int64 = 3_600_000_000

let mainBar = ProcessorSpec(name: "Main Bar", host: "192.0.2.1", controlPort: 5321)
let patio = ProcessorSpec(name: "Patio", host: "192.0.2.2", controlPort: 5321)

extension RunStart {
    static let test = RunStart(version: "0.0.0", pid: 4711, host: "test")
}

/// A writer with its queue, and what it told of.
struct Recording {
    let path: String
    let queue: FrameQueue
    let writer: StoreWriter
    let processors: [RegisteredProcessor]

    /// Begins a run at `now`.
    init(
        _ path: String, _ specs: [ProcessorSpec] = [mainBar], at now: Int64 = start, queue: FrameQueue = FrameQueue(),
        committed: @escaping @Sendable ([Entry]) -> Void = { _ in }
    ) async throws {
        (self.path, self.queue) = (path, queue)
        writer = try await Self.open(path, queue, committed)
        processors = try await writer.begin(.test, processors: specs, at: now)
    }

    /// A program that another test starts has, between fork(2) and exec(2), all descriptors of this one: a lock that was
    /// let go of just now may be held for that long.
    private static func open(
        _ path: String, _ queue: FrameQueue, _ committed: @escaping @Sendable ([Entry]) -> Void
    ) async throws -> StoreWriter {
        for _ in 0..<100_000 {
            do throws(StoreError) {
                return try StoreWriter(path: path, holder: "test", queue: queue, committed: committed)
            } catch {
                guard error.kind == .lockHeld else { throw error }
                await Task.yield()
            }
        }
        return try StoreWriter(path: path, holder: "test", queue: queue, committed: committed)
    }

    var id: Int32 { processors[0].id }

    /// Commits at `now` and reads `sql` as another connection sees it.
    func commit(_ entries: [Entry], at now: Int64) async throws {
        try await writer.commit(entries, samples: true, at: now)
    }

    /// Feeds readings through an assembler into the queue, as one block.
    func feed(_ readings: [(Meter, Double, Int64)], processor index: Int = 0) {
        var assembler = FrameAssembler(processor: processors[index].id, slots: processors[index].slots)
        var block = FrameBlock()
        for (meter, level, at) in readings {
            #expect(assembler.take(Reading(meter: meter, level: level), at: at, into: &block) == .taken)
        }
        assembler.close(into: &block)
        assembler.summarize(into: &block)
        _ = queue.exchange(block)
    }
}

/// Reads while the heartbeat is under 5 s old: again, if this machine took longer than that.
func freshly<Value>(_ recording: Recording, _ entries: [Entry] = [], _ read: () throws -> Value) async throws -> Value {
    while true {
        let beat = now()
        try await recording.commit(entries, at: beat)
        let value = try read()
        if now() - beat < 5 * second { return value }
    }
}

/// Waits until a writer that nobody holds any more is gone, as after a crash: its connection closed, its lock free.
func waitUntilFree(_ path: String) async {
    while (try? StoreLock(store: path, holder: "test")) == nil { await Task.yield() }
}

/// Reads a store as any other program would: a read-only connection of its own.
func rows(_ path: String, _ sql: String, _ parameters: [String: SQLValue] = [:]) throws -> [[SQLValue]] {
    try StoreReader(path: path).query(sql, parameters).rows
}

/// One row's values as text, `|` between them, as the sqlite3 program prints them.
func lines(_ path: String, _ sql: String, _ parameters: [String: SQLValue] = [:]) throws -> [String] {
    try rows(path, sql, parameters).map { row in row.map(\.shown).joined(separator: "|") }
}

func integer(_ path: String, _ sql: String) throws -> Int64 {
    guard case .integer(let value)? = try rows(path, sql).first?.first else { return .min }
    return value
}

extension SQLValue {
    var shown: String {
        switch self {
        case .null: ""
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let value): value
        }
    }
    var real: Double? {
        switch self {
        case .real(let value): value
        case .integer(let value): Double(value)
        case .null, .text: nil
        }
    }
}

/// Stops one statement of a connection at its `check`-th progress check, once (https://sqlite.org/c3ref/progress_handler.html).
final class Interruption {
    private let remaining = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    private let handle: OpaquePointer

    init(_ database: Database, atCheck check: Int, operations: Int32 = 1) {
        handle = database.handle
        remaining.initialize(to: check)
        sqlite3_progress_handler(handle, operations, interrupt, remaining)
    }

    /// Whether the connection never came so far.
    var isAhead: Bool { remaining.pointee > 0 }

    deinit {
        sqlite3_progress_handler(handle, 0, nil, nil)
        remaining.deallocate()
    }
}

private func interrupt(_ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let remaining = context?.assumingMemoryBound(to: Int.self) else { return 0 }
    remaining.pointee -= 1
    return remaining.pointee == 0 ? 1 : 0
}

/// Runs a program to its end.
func run(_ program: String, _ arguments: [String], environment: [String: String]? = nil) throws -> (
    status: Int32, output: String, errors: String
) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    if let environment { process.environment = environment }
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (
        process.terminationStatus, String(decoding: text, as: UTF8.self), String(decoding: complaint, as: UTF8.self)
    )
}

func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

/// Now, for what the views say of the time since.
func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
}
