import Foundation
import Testing

/// Real Node programs beside the recorder, as they are in a venue.
@Suite(.timeLimit(.minutes(2)), .enabled(if: Node.isThere, "Node is not installed"))
struct CoexistenceTests {
    /// Counts datagrams on 0.0.0.0; says `count N` when asked by a line on stdin's end: at SIGTERM.
    private static func listener(_ port: Int, options: String = "{type: 'udp4', reuseAddr: true}") -> String {
        """
        const s = require('dgram').createSocket(\(options)); let n = 0
        s.on('message', () => { n++; if (n == 100) console.log('hundred') })
        s.bind(\(port), () => console.log('bound'))
        """
    }
    private func recorder(_ store: String, _ more: String...) throws -> Running {
        try Running(["run", "--simulate", "--meter-port", "0", "--keep-alive", "1", "--store", store] + more)
    }
    private func port(of recorder: Running) async throws -> Int {
        try await recorder.line("meters' socket bound (127.0.0.1:")
        return try #require(recorder.number(after: "bound (127.0.0.1:"))
    }

    @Test(
        "three Node programs with address reuse, one after the other: each gets its meters, and the recorder all of them"
    )
    func threePrograms() async throws {
        let folder = Folder()
        let recorder = try recorder(folder.file("s.sqlite"))
        let port = try await port(of: recorder)
        let programs = try (0..<3).map { _ in try Node.start(Self.listener(port)) }
        for program in programs { try await program.line("hundred") }
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        for program in programs {
            program.send(SIGTERM)
            _ = try await program.end()
        }
        let down = try await Program.tool(
            "sqlite3",
            ["-readonly", folder.file("s.sqlite"), "SELECT count(*) FROM link_states WHERE state = 'down'"])
        #expect(down.output == "0\n")
        let joined = try await Program.tool(
            "sqlite3",
            [
                "-readonly", folder.file("s.sqlite"),
                "SELECT count(*) FROM connection_events WHERE event = 'port_joined' AND detail LIKE 'node (pid %) of user %'",
            ])
        #expect(joined.output == "3\n")
    }

    @Test("a Node program on [::] with address reuse gets its meters; one that takes IPv6 only is not said to")
    func ipv6() async throws {
        let folder = Folder()
        let recorder = try recorder(folder.file("s.sqlite"))
        let port = try await port(of: recorder)
        let only = try Node.start(
            Self.listener(port, options: "{type: 'udp6', reuseAddr: true, ipv6Only: true}"))
        try await only.line("bound")
        try await recorder.line("another address, none of the recorder's datagrams")
        #expect(recorder.count(of: "relaying") == 0)
        let both = try Node.start(Self.listener(port, options: "{type: 'udp6', reuseAddr: true}"))
        try await both.line("hundred")
        let ports = try await Program.run("ports", "--port", "\(port)")
        #expect(ports.output.contains("takes IPv6 only"), "\(ports.output)")
        for program in [recorder, only, both] {
            program.send(SIGTERM)
            _ = try await program.end()
        }
        #expect(only.count(of: "hundred") == 0)
    }

    @Test("a Node cluster keeps its meters when its workers restart")
    func cluster() async throws {
        let folder = Folder()
        let recorder = try recorder(folder.file("s.sqlite"))
        let port = try await port(of: recorder)
        let script = """
            const cluster = require('cluster')
            if (cluster.isPrimary) {
              let total = 0, round = 0
              const fork = () => { const w = cluster.fork(); w.on('message', () => { total++
                if (total == 100) { console.log('round ' + round); total = 0; round++
                  for (const id in cluster.workers) cluster.workers[id].kill(); for (let i = 0; i < 3; i++) fork() } }) }
              for (let i = 0; i < 3; i++) fork()
            } else {
              const s = require('dgram').createSocket({type: 'udp4', reuseAddr: true})
              process.on('error', () => {}); s.on('message', () => process.connected && process.send('m', () => {})); s.bind(\(port))
            }
            """
        let file = folder.file("cluster.js")
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        let cluster = try Running([file], executable: "/usr/bin/env", before: ["node"])
        try await cluster.line("round 0")
        try await cluster.line("round 1")
        cluster.send(SIGTERM)
        _ = try await cluster.end()
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        let down = try await Program.tool(
            "sqlite3",
            ["-readonly", folder.file("s.sqlite"), "SELECT count(*) FROM link_states WHERE state = 'down'"])
        #expect(down.output == "0\n")
    }

    @Test("the example in docs/feed.md prints the meters, and ends with the recorder")
    func feedExample() async throws {
        let folder = Folder()
        let text = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appending(path: "../../docs/feed.md"), encoding: .utf8)
        let script = try #require(text.components(separatedBy: "```js\n").last?.components(separatedBy: "```").first)
        #expect(script.split(separator: "\n").count <= 10)
        let file = folder.file("example.js")
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        let recorder = try recorder(folder.file("s.sqlite"))
        try await recorder.line("subscribed")
        let example = try Running([file, folder.file("s.sqlite.feed")], executable: "/usr/bin/env", before: ["node"])
        try await example.line("Simulated AZM8 meters up")
        try await example.line("Simulated AZM8 Main Bar -")
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        #expect(try await example.end().status == 1)
    }

    @Test("tail shows one meter, and ends with the recorder")
    func tail() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let recorder = try recorder(store)
        try await recorder.line("subscribed")
        let tail = try Running(["tail", "--store", store, "--meter", "Main Bar"])
        try await tail.line("ZoneMeter_0 (Main Bar)  -")
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        let ended = try await tail.end()
        #expect(ended.status == 0 && ended.errors.contains("ended the feed"))
        #expect(!ended.output.contains("ZoneMeter_1"))
        let nobody = try await Program.run("tail", "--store", store)
        #expect(nobody.status == 1 && nobody.errors.contains("atlas-recorder run"), "\(nobody.errors)")
    }
}
