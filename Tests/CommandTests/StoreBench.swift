import Foundation
import Testing

/// A folder with a store that recorders of the simulated unit write.
protocol StoreBench {
    var folder: Folder { get }
}

extension StoreBench {
    var store: String { folder.file("s.sqlite") }
    var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }

    func recorder() throws -> Running {
        try Running(["run", "--simulate", "--meter-port", "0", "--keep-alive", "1", "--store", store])
    }
    func stop(_ recorder: Running) async throws {
        recorder.send(SIGTERM)
        let end = try await recorder.end()
        #expect(end.status == 0, "\(end.errors)")
    }
    func sql(_ query: String, in path: String? = nil) async throws -> String {
        try await Program.tool("sqlite3", ["-readonly", path ?? store, query]).output.trimmingCharacters(in: .newlines)
    }

    /// Whether `check` is content: the pages and what is in them.
    func isWhole(_ path: String? = nil) async throws -> Bool {
        let check = try await Program.run("check", "--store", path ?? store)
        if check.status != 0 { Issue.record("\(check.output)\(check.errors)") }
        return check.status == 0
    }
}
