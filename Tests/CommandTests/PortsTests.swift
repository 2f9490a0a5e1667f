import Foundation
import Testing

/// `ports` beside real Node programs and a real recorder.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: Node.isThere, "Node is not installed"))
struct PortsTests {
    private struct Socket: Decodable {
        struct Program: Decodable {
            let pid: Int32
            let command: String
        }
        let programs: [Program]
        let user: String?
        let local, gets, why: String
        let connected_to: String?
        let address_reuse: Bool?
        let recorder: Bool
        var pids: [Int32] { programs.map(\.pid) }
    }
    private struct Client: Decodable {
        let programs: [Socket.Program]
        let local, unit: String
    }
    private struct Answer: Decodable {
        let version, udp_port: Int
        let sockets: [Socket]
        let clients: [Client]
        let notes: [String]
        func socket(of process: Running) -> Socket? { sockets.first { $0.pids.contains(process.pid) } }
    }

    private func ports(_ port: Int, _ controlPort: Int = 5321, by command: [String] = [Program.path]) async throws
        -> Answer
    {
        let arguments = ["ports", "--port", "\(port)", "--control-port", "\(controlPort)", "--format", "json"]
        let result = try await Program.tool(command[0], Array(command.dropFirst()) + arguments)
        #expect(result.status == 0, "\(result.errors)")
        return try JSONDecoder().decode(Answer.self, from: Data(result.output.utf8))
    }

    /// A Node program on the port; `options` as dgram.createSocket takes them.
    private func node(_ port: Int, _ options: String = "{type: 'udp4', reuseAddr: true}") async throws -> Running {
        let node = try Node.start(
            "const s = require('dgram').createSocket(\(options)); s.on('error', e => { console.log(e.code); process.exit(1) });"
                + "s.bind(\(port), () => console.log('bound'))")
        try await eventually { !node.text.isEmpty }
        return node
    }

    @Test("nobody on the port: said, with 0")
    func nobody() async throws {
        let result = try await Program.run("ports", "--port", "\(freeUDPPort())")
        #expect(result.status == 0)
        #expect(result.output.contains("nobody on this host is bound to it"))
    }

    @Test("one program before the recorder and one after: the recorder gets the datagrams, both get them by relay")
    func besideTheRecorder() async throws {
        let folder = Folder()
        let unit = try await SimulatedUnit()
        let before = try await node(unit.meterPort)
        #expect(try await ports(unit.meterPort).socket(of: before)?.gets == "all")
        let recorder = try unit.recorder(folder.file("s.sqlite"))
        try await recorder.line("meters up")
        let after = try await node(unit.meterPort)
        let answer = try await ports(unit.meterPort, unit.port)
        #expect(answer.version == 1)
        #expect(answer.sockets.count == 3)
        let ours = try #require(answer.socket(of: recorder))
        #expect(ours.gets == "all" && ours.recorder && ours.local == "127.0.0.1:\(unit.meterPort)")
        for node in [before, after] {
            let socket = try #require(answer.socket(of: node))
            #expect(socket.gets == "by_relay")
            #expect(socket.address_reuse == true)
            #expect(socket.programs.map(\.command) == ["node"])
        }
        #expect(answer.clients.map { $0.programs.map(\.pid) } == [[recorder.pid]])
        #expect(answer.clients.map(\.unit) == ["127.0.0.1:\(unit.port)"])
        // One that starts now without address reuse cannot; the remedy is there to read.
        let alone = try await node(unit.meterPort, "'udp4'")
        #expect(alone.text == "EADDRINUSE\n")
        #expect(
            answer.notes.contains {
                $0.contains("EADDRINUSE while the recorder runs") && $0.contains("reuseAddr: true")
            })
        let text = try await Program.run("ports", "--port", "\(unit.meterPort)", "--control-port", "\(unit.port)")
        #expect(text.output.contains("by relay  node (pid \(before.pid))"), "\(text.output)")
        #expect(text.lines.allSatisfy { $0.count <= 80 }, "\(text.output)")
        for process in [recorder, before, after] { process.send(SIGTERM) }
        _ = try await recorder.end()
        try await unit.stop()
    }

    @Test("a cluster's workers share one socket: one row with all of them")
    func cluster() async throws {
        let port = freeUDPPort()
        let script = """
            const cluster = require('cluster'), dgram = require('dgram');
            if (cluster.isPrimary) {
              let count = 0;
              for (let i = 0; i < 4; i++) cluster.fork().on('message', () => { if (++count == 4) console.log('bound') });
            } else {
              const s = dgram.createSocket({type: 'udp4', reuseAddr: true});
              s.bind({port: \(port), exclusive: false}, () => process.send('bound'));
            }
            """
        let file = Folder()
        try script.write(toFile: file.file("cluster.cjs"), atomically: true, encoding: .utf8)
        let primary = try Running([file.file("cluster.cjs")], executable: "/usr/bin/env", before: ["node"])
        try await primary.line("bound")
        let sockets = try await ports(port).sockets
        #expect(sockets.count == 1)
        #expect(sockets.first?.pids.count == 5)
        #expect(sockets.first?.pids.contains(primary.pid) == true)
        primary.send(SIGTERM)
        _ = try await primary.end()
    }

    @Test("a program that holds the port without address reuse is named, and the recorder that cannot bind, too")
    func withoutReuse() async throws {
        let folder = Folder()
        let unit = try await SimulatedUnit()
        let holder = try await node(unit.meterPort, "'udp4'")
        let recorder = try unit.recorder(folder.file("s.sqlite"))
        try await recorder.line("EADDRINUSE")
        let answer = try await ports(unit.meterPort)
        #expect(answer.socket(of: holder)?.address_reuse == false)
        #expect(
            answer.notes.contains {
                $0.hasPrefix("node (pid \(holder.pid)) holds UDP \(unit.meterPort) without address reuse")
            })
        #expect(
            answer.notes.contains {
                $0.hasPrefix("atlas-recorder (pid \(recorder.pid)) records for UDP \(unit.meterPort)")
            })
        holder.send(SIGTERM)
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        try await unit.stop()
    }

    @Test(
        "a user without rights sees which user's it is, who the recorder is, and how to see more",
        .enabled(if: getuid() == 0, "becoming another user takes root"))
    func withoutRights() async throws {
        let folder = Folder()
        let binary = try readable(folder)
        let unit = try await SimulatedUnit()
        // The recorder as one user, Node as root, who asks as a third.
        let store = folder.file("s.sqlite")
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        let recorder = try Running(
            [
                "--reuid=65533", "--regid=65533", "--clear-groups", "--", binary, "run", "--processor",
                "127.0.0.1:\(unit.port)",
            ]
                + ["--meter-port", "\(unit.meterPort)", "--store", store], executable: "/usr/bin/env",
            before: ["setpriv"])
        try await recorder.line("meters up")
        let node = try await node(unit.meterPort)
        let asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", binary]
        let answer = try await ports(unit.meterPort, unit.port, by: asNobody)
        #expect(answer.socket(of: node) == nil)
        let other = try #require(answer.sockets.first { !$0.recorder })
        #expect(other.programs.isEmpty && other.user == "root" && other.gets == "by_relay")
        #expect(answer.socket(of: recorder)?.gets == "all", "who runs as which user is for everyone to see")
        #expect(answer.notes.contains { $0.contains("sudo atlas-recorder ports") })
        // With the rights that the service has, the same user names both.
        let rights = "+dac_read_search,+sys_ptrace"
        let asService =
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=\(rights)"]
            + ["--ambient-caps=\(rights)", "--", binary]
        let named = try await ports(unit.meterPort, unit.port, by: asService)
        #expect(named.socket(of: node)?.programs.map(\.command) == ["node"])
        for process in [recorder, node] { process.send(SIGTERM) }
        _ = try await recorder.end()
        try await unit.stop()
    }

    @Test(
        "wrong usage exits with 64",
        arguments: [["--port", "0"], ["--port", "65536"], ["--control-port", "0"], ["--format", "csv"]])
    func wrongUsage(arguments: [String]) async throws {
        #expect(try await Running(["ports"] + arguments).end().status == 64)
    }
}

/// The program where every user may run it.
func readable(_ folder: Folder) throws -> String {
    let binary = folder.file("atlas-recorder")
    try FileManager.default.copyItem(atPath: Program.path, toPath: binary)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
    return binary
}
