import Foundation
import Testing

/// The example in Node of docs/feed.md is run as it is printed.
@Suite(.timeLimit(.minutes(2)), .enabled(if: Node.isThere, "Node is not installed"))
struct FeedExampleTests {
    private static let example = block("js")

    /// The first of a language.
    static func block(_ language: String) -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = (try? String(contentsOf: root.appending(path: "docs/feed.md"), encoding: .utf8)) ?? ""
        return page.components(separatedBy: "```\(language)\n").dropFirst().first?.components(separatedBy: "```").first
            ?? ""
    }

    /// In a file, so that the socket's path is its second argument.
    private func start(_ folder: Folder, reading socket: String) throws -> Running {
        let script = folder.file("example.js")
        try Self.example.write(toFile: script, atomically: true, encoding: .utf8)
        return try Running([script, socket], executable: "/usr/bin/env", before: ["node"])
    }

    @Test("it has ten lines at most")
    func length() {
        #expect((5...10).contains(Self.example.split(separator: "\n").count), "\(Self.example)")
    }

    @Test("it shows states and meters of a recorder, and ends with it")
    func recorder() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store)
        try await recorder.line("meters up")
        let reader = try start(folder, reading: store + ".feed")
        try await reader.line("Bar control up")
        try await reader.line("Bar meters up")
        try await reader.line(" -", times: 100)
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        let ended = try await reader.end()
        #expect(ended.status == 1)
        #expect(ended.errors.isEmpty, "\(ended.errors)")
        try await unit.stop()
    }

    @Test("where nobody records it says so and ends")
    func nobody() async throws {
        let folder = Folder()
        let ended = try await start(folder, reading: folder.file("none.feed")).end()
        #expect(ended.status == 1 && ended.output.isEmpty)
        #expect(ended.errors.hasPrefix("no recorder: connect ENOENT "), "\(ended.errors)")
        #expect(ended.errors.split(separator: "\n").count == 1, "\(ended.errors)")
    }

    @Test("a last line that is cut does it no harm")
    func cut() async throws {
        let folder = Folder()
        let socket = folder.file("cut.feed")
        let server = try Node.start(
            """
            require('net').createServer(s => s.end('{"processor":"Bar","link":"meters","state":"up"}\\n{"processor":"B'))
              .listen('\(socket)', () => console.log('listens'));
            """)
        try await server.line("listens")
        let ended = try await start(folder, reading: socket).end()
        #expect(ended.status == 1)
        #expect(ended.output == "Bar meters up \n")
        #expect(ended.errors.isEmpty, "\(ended.errors)")
        server.send(SIGTERM)
        _ = try await server.end()
    }
}

/// That for the levels needs no Node.
@Suite(.timeLimit(.minutes(2)))
struct LevelsExampleTests {
    @Test("the one in Python looks at the levels of all meters, and ends with the recorder")
    func levels() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store)
        try await recorder.line("meters up")
        let script = folder.file("example.py")
        try FeedExampleTests.block("python").write(toFile: script, atomically: true, encoding: .utf8)
        let reader = try Running([script, store + ".feed"], executable: "/usr/bin/env", before: ["python3"])
        try await reader.line("Bar  Main Bar  -", times: 3)
        try await reader.line("Bar  Turntable  -", times: 3)
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        let ended = try await reader.end()
        #expect(ended.status == 0)
        #expect(ended.errors.isEmpty, "\(ended.errors)")
        try await unit.stop()
    }
}
