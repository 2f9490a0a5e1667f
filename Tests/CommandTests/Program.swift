import Foundation
import Testing

/// The built program, as a user runs it.
enum Program {
    /// Beside the tests' own executable.
    static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "atlas-recorder").path

    struct Result {
        let status: Int32
        let output, errors: String
        var lines: [Substring] { output.split(separator: "\n", omittingEmptySubsequences: false) }
    }

    /// Runs it to its end.
    static func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Result {
        try await Running(arguments, environment: environment).end()
    }

    /// Runs another program to its end.
    static func tool(_ name: String, _ arguments: [String]) async throws -> Result {
        try await Running(arguments, executable: "/usr/bin/env", before: [name]).end()
    }
}

/// A program that runs; its output is collected.
final class Running: Sendable {
    private let process = Process()
    private let output: Collected
    private let errors: Collected
    private let ended: AsyncStream<Void>

    init(
        _ arguments: [String], executable: String = Program.path, before: [String] = [],
        environment: [String: String] = [:]
    ) throws {
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = before + arguments
        var variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        for name in ["ATLAS_RECORDER_STORE", "ATLAS_RECORDER_CONFIG"] where environment[name] == nil {
            variables[name] = nil
        }
        process.environment = variables
        // Files, not pipes: a pipe's end is inherited by whatever another test starts meanwhile, and then never closes.
        (output, errors) = (Collected(), Collected())
        process.standardOutput = output.handle
        process.standardError = errors.handle
        process.standardInput = FileHandle.nullDevice
        let (ended, continuation) = AsyncStream<Void>.makeStream()
        self.ended = ended
        process.terminationHandler = { _ in continuation.finish() }
        try process.run()
        // The program has its own; Foundation keeps a process for longer than this, and what it keeps open adds up.
        output.close()
        errors.close()
    }

    var pid: Int32 { process.processIdentifier }
    func send(_ signal: Int32) { kill(pid, signal) }
    var isRunning: Bool { process.isRunning }
    /// What it wrote on stdout so far.
    var text: String { output.text }

    /// What it wrote on stderr so far: a recorder's log.
    var log: String { errors.text }

    /// Waits until this many lines of stdout contain this.
    func line(_ part: String, times: Int = 1) async throws {
        try await wait(for: part) { $0.split(separator: "\n").count { $0.contains(part) } >= times }
    }

    /// Waits for a line of stdout with this, behind the last of so many with that.
    func line(_ part: String, after other: String, times: Int = 1) async throws {
        try await line(other, times: times)
        try await wait(for: part) {
            $0.split(separator: "\n").split(maxSplits: times, omittingEmptySubsequences: false) { $0.contains(other) }
                .last?.contains { $0.contains(part) } == true
        }
    }

    private func wait(for part: String, until isThere: (String) -> Bool) async throws {
        while !isThere(output.text) {
            guard process.isRunning || isThere(output.text) else {
                Issue.record("ended without '\(part)': \(output.text)\(errors.text)")
                return
            }
            do {
                try await Task.sleep(for: .milliseconds(20))
            } catch {  // this test's time is up
                Issue.record("no '\(part)' yet: \(output.text)\(errors.text)")
                throw error
            }
        }
    }

    /// How many lines of stdout contain this.
    func count(of part: String) -> Int { output.text.split(separator: "\n").filter { $0.contains(part) }.count }

    /// The number that follows this on stdout.
    func number(after part: String) -> Int? {
        output.text.range(of: part).flatMap { Int(output.text[$0.upperBound...].prefix { $0.isNumber }) }
    }

    func end() async throws -> Program.Result {
        for await _ in ended {}
        if process.isRunning {  // this test's time is up
            Issue.record("did not end: \(output.text)\(errors.text)")
            kill(pid, SIGKILL)
            process.waitUntilExit()
        }
        return Program.Result(status: process.terminationStatus, output: output.text, errors: errors.text)
    }

    deinit { if process.isRunning { kill(pid, SIGKILL) } }
}

/// What a program wrote so far.
private final class Collected: Sendable {
    private let path = FileManager.default.temporaryDirectory.appending(path: "atlas-recorder-\(UUID().uuidString).txt")
        .path
    let handle: FileHandle

    func close() { try? handle.close() }

    init() {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        handle = FileHandle(forWritingAtPath: path)!
    }
    var text: String { String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A folder that goes with the test.
final class Folder: Sendable {
    let path: String
    init() {
        path = FileManager.default.temporaryDirectory.appending(path: "atlas-recorder-\(UUID().uuidString)").path
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    func file(_ name: String) -> String { "\(path)/\(name)" }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}
