import Foundation
import Testing

/// Real Node, as our users have it: the line that started this project.
@Suite(.timeLimit(.minutes(2)), .enabled(if: Node.isThere, "Node is not installed"))
struct NodeTests {
    @Test("Node holds the port first: EADDRINUSE with its name, and meters by themselves when it exits")
    func nodeFirst() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let node = try Node.start(
            "const s = require('dgram').createSocket('udp4'); s.bind(0, () => console.log('port', s.address().port))")
        try await node.line("port ")
        let port = try #require(node.number(after: "port "))
        let recorder = try Running(
            ["run", "--simulate", "--meter-port", "\(port)", "--keep-alive", "1", "--store", store])
        try await recorder.line("meters down: EADDRINUSE")
        try await recorder.line("node (pid \(node.pid))")
        node.send(SIGTERM)
        _ = try await node.end()
        try await recorder.line("meters up")
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        let report = try await Program.run("report", "--store", store, "--since", "5m")
        #expect(report.output.contains("EADDRINUSE"))
        #expect(report.output.contains("held by node (pid \(node.pid))"), "\(report.output)")
    }

    @Test("Node takes the very address and port: meters are taken, by Node, and taken back while it lives")
    func nodeTakes() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let recorder = try Running(["run", "--simulate", "--meter-port", "0", "--keep-alive", "2", "--store", store])
        try await recorder.line("meters' socket bound (127.0.0.1:")
        let port = try #require(recorder.number(after: "bound (127.0.0.1:"))
        try await recorder.line("meters up")
        let fault = Date().timeIntervalSince1970
        let node = try Node.start(
            "require('dgram').createSocket({type: 'udp4', reuseAddr: true}).bind(\(port), '127.0.0.1')")
        try await recorder.line("meters down: taken (node (pid \(node.pid))")
        try await recorder.line("meters up", times: 2)
        node.send(SIGTERM)
        _ = try await node.end()
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        let states = try await Program.tool(
            "sqlite3",
            [
                "-readonly", store,
                """
                SELECT state, cause FROM link_states
                 WHERE link = 'meters' AND ended_us / 1e6 > \(fault) ORDER BY started_us;
                SELECT event, detail FROM connection_events WHERE cause = 'taken';
                """,
            ])
        #expect(
            states.output == """
                up|
                down|taken
                up|
                taken|node (pid \(node.pid))

                """)
        let times = try await Program.tool(
            "sqlite3",
            [
                "-readonly", store,
                """
                SELECT started_us / 1e6 FROM link_states WHERE cause = 'taken';
                SELECT at_us / 1e6 FROM connection_events WHERE cause = 'taken';
                """,
            ])
        let values = times.lines.compactMap { Double($0) }
        try #require(values.count == 2)
        // Seen on the port, not by what is missing: no echo had to be lost first.
        #expect(values[0] > fault - 1 && values[1] >= values[0])
    }

    @Test(
        "Node started while we record: with reuseAddr it binds beside us, without it the error is Node's; we lose nothing"
    )
    func nodeAfter() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let recorder = try Running(["run", "--simulate", "--meter-port", "0", "--keep-alive", "1", "--store", store])
        try await recorder.line("meters' socket bound (127.0.0.1:")
        let port = try #require(recorder.number(after: "bound (127.0.0.1:"))
        try await recorder.line("subscribed")
        let line = { (options: String) in
            "const s = require('dgram').createSocket(\(options)); s.on('error', e => { console.log(e.code); process.exit(1) });"
                + "s.bind(\(port), () => { console.log('bound'); setTimeout(() => process.exit(0), 1500) })"
        }
        let polite = try await Node.start(line("{type: 'udp4', reuseAddr: true}")).end()
        #expect(polite.output == "bound\n")
        let alone = try await Node.start(line("'udp4'")).end()
        #expect(alone.output == "EADDRINUSE\n")
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        let states = try await Program.tool(
            "sqlite3", ["-readonly", store, "SELECT state FROM link_states WHERE link = 'meters' AND state = 'down'"])
        #expect(states.output == "")
    }
}

enum Node {
    static let isThere = ["/usr/bin/node", "/usr/local/bin/node", "/usr/bin/nodejs"].contains {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    static func start(_ script: String) throws -> Running {
        try Running(["-e", script], executable: "/usr/bin/env", before: ["node"])
    }
}
