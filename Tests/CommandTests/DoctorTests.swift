import Foundation
import Testing

/// `doctor` in the situations it is for. On this host some findings may want attention for reasons of its own (a clock
/// that nobody keeps): what is tested is each finding, and that the exit code says what the page says.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct DoctorTests {
    struct Finding: Decodable {
        let subject, status, found: String
        let remedy: String?
    }
    struct Page: Decodable {
        let version: Int
        let store: String
        let well: Bool
        let findings: [Finding]
        subscript(_ subject: String) -> Finding? { findings.first { $0.subject == subject } }
    }

    func doctor(
        _ store: String, _ meterPort: Int? = 3131, _ more: String..., by command: [String] = [Program.path]
    ) async throws -> Page {
        let port = meterPort.map { ["--meter-port", "\($0)"] } ?? []
        let arguments = ["doctor", "--store", store, "--format", "json"] + port + more
        let result = try await Program.tool(command[0], Array(command.dropFirst()) + arguments)
        let page = try JSONDecoder().decode(Page.self, from: Data(result.output.utf8))
        #expect(result.status == (page.findings.allSatisfy { $0.status == "ok" } ? 0 : 1))
        #expect(page.well == (result.status == 0))
        for finding in page.findings where finding.status != "ok" {
            #expect(finding.remedy?.isEmpty == false, "\(finding.subject): what to do?")
        }
        return page
    }

    @Test("nothing is there yet: what is missing and how to begin")
    func nothing() async throws {
        let folder = Folder()
        let port = freeUDPPort()
        let page = try await doctor(folder.file("s.sqlite"), port)
        #expect(page["store"]?.status == "attention")
        #expect(page["store"]?.remedy?.contains("atlas-recorder run") == true)
        #expect(page["recorder"]?.found.hasPrefix("nobody records") == true)
        #expect(page["processors"]?.remedy?.contains("--processor") == true)
        #expect(page["port"]?.found == "nobody on this host is bound to UDP \(port).")
        #expect(page["sqlite"]?.status == "ok")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test("a unit that answers both ways, one that is off, one that answers nothing, one that ends the connection")
    func units() async throws {
        let folder = Folder()
        let unit = try await SimulatedUnit()
        let servers = try Node.start(
            """
            const net = require('net');
            const mute = net.createServer(() => {}).listen(0, '127.0.0.81', () =>
              net.createServer(s => s.end()).listen(mute.address().port, '127.0.0.82', () => console.log('port', mute.address().port)));
            """)
        try await servers.line("port ")
        let port = try #require(servers.number(after: "port "))
        let page = try await doctor(
            folder.file("s.sqlite"), unit.meterPort, "--processor", "Bar=127.0.0.1:\(unit.port)", "--processor",
            "Off=127.0.0.83:\(port)", "--processor", "Mute=127.0.0.81:\(port)", "--processor",
            "Rude=127.0.0.82:\(port)",
            "--processor", "Lost=no-such-unit.invalid")
        let bar = try #require(page["processor Bar"])
        #expect(bar.status == "ok", "\(bar.found)")
        #expect(bar.found.contains("firmware 4.1.16, UDP echo seen"))
        #expect(page["processor Off"]?.found.contains("refused") == true)
        #expect(page["processor Off"]?.remedy?.contains("third-party control") == true)
        #expect(page["processor Mute"]?.found.contains("answered nothing") == true)
        #expect(page["processor Rude"]?.found.contains("ends it without an answer") == true)
        #expect(page["processor Lost"]?.found.contains("unresolved") == true)
        for name in ["Off", "Mute", "Rude", "Lost"] { #expect(page["processor \(name)"]?.status == "problem") }
        servers.send(SIGTERM)
        _ = try await servers.end()
        try await unit.stop()
    }

    @Test("a unit whose UDP does not arrive: TCP answers, the echo is missed")
    func noEcho() async throws {
        let folder = Folder()
        // It sends to another port than the one that is listened to.
        let unit = try await SimulatedUnit()
        let page = try await doctor(folder.file("s.sqlite"), freeUDPPort(), "--processor", "Bar=127.0.0.1:\(unit.port)")
        #expect(page["processor Bar"]?.status == "problem")
        #expect(page["processor Bar"]?.remedy?.contains("firewall") == true)
        try await unit.stop()
    }

    @Test("beside a recorder: its own word, and it is not disturbed")
    func besideTheRecorder() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store)
        try await recorder.line("meters up")
        try await recorder.line("subscribed")
        try await eventually {
            try await sql(store, "SELECT count(*) FROM processors WHERE firmware IS NOT NULL") == "1"
        }
        for _ in 0..<3 {
            let page = try await doctor(store, unit.meterPort)
            #expect(page["store"]?.status == "ok", "\(String(describing: page["store"]))")
            #expect(page["integrity"]?.found == "quick_check found no fault.")
            #expect(page["rights"]?.found.hasPrefix("rw-r-----") == true)
            #expect(page["recorder"]?.found.hasPrefix("pid \(recorder.pid) since ") == true)
            #expect(page["port"]?.found.hasPrefix("atlas-recorder (pid \(recorder.pid)) gets the datagrams") == true)
            #expect(page["port"]?.found.contains("reuseAddr: true") == true)
            let bar = try #require(page["processor Bar"])
            #expect(bar.status == "ok")
            #expect(bar.found.hasPrefix("control up since "))
            #expect(bar.found.contains("firmware 4.1.16"))
            #expect(bar.found.contains("the recorder's word"))
        }
        let text = try await Program.run("doctor", "--store", store, "--meter-port", "\(unit.meterPort)")
        #expect(text.lines.allSatisfy { $0.count <= 80 }, "\(text.output)")
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        try await unit.stop()
        #expect(try await sql(store, "SELECT count(*) FROM link_states WHERE state = 'down'") == "0")
        // Nobody joined the port, nobody else was connected to the unit.
        let strangers = "SELECT count(*) FROM connection_events WHERE event IN ('port_joined', 'other_client', 'taken')"
        #expect(try await sql(store, strangers) == "0")
    }

    @Test("a recorder that does not relay starves who is on 0.0.0.0: said, with its name", .enabled(if: Node.isThere))
    func noRelay() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store, "--no-relay")
        try await recorder.line("meters up")
        let node = try Node.start(
            "require('dgram').createSocket({type: 'udp4', reuseAddr: true}).bind(\(unit.meterPort), () => console.log('bound'))"
        )
        try await node.line("bound")
        let port = try #require(try await doctor(store, unit.meterPort)["port"])
        #expect(port.status == "attention")
        #expect(port.found.hasPrefix("node (pid \(node.pid)) gets none of the meters"), "\(port.found)")
        for program in [node, recorder] {
            program.send(SIGTERM)
            _ = try await program.end()
        }
        try await unit.stop()
    }

    @Test("a recorder that cannot bind: who holds the port, and what to do", .enabled(if: Node.isThere))
    func portHeld() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let node = try Node.start(
            "require('dgram').createSocket('udp4').bind(\(unit.meterPort), () => console.log('bound'))")
        try await node.line("bound")
        let recorder = try unit.recorder(store)
        try await recorder.line("EADDRINUSE")
        try await recorder.line("control up")
        let page = try await doctor(store, unit.meterPort)
        let holder = "node (pid \(node.pid))"
        #expect(page["port"]?.status == "problem")
        #expect(page["port"]?.found.hasPrefix("\(holder) holds UDP \(unit.meterPort) without address reuse") == true)
        #expect(page["port"]?.remedy?.contains("reuseAddr: true") == true)
        #expect(page["processor Bar"]?.status == "problem")
        #expect(page["processor Bar"]?.found.contains("meters down (EADDRINUSE)") == true)
        #expect(page["processor Bar"]?.found.contains("Held by \(holder)") == true)
        for process in [node, recorder] { process.send(SIGTERM) }
        _ = try await recorder.end()
        try await unit.stop()
    }

    @Test("a recorder that was killed, one that hangs, and those that stand by")
    func recorders() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let first = try unit.recorder(store)
        try await first.line("meters up")
        let second = try unit.recorder(store, "--standby")
        try await second.line("standing by")
        #expect(try await doctor(store, unit.meterPort)["recorder"]?.found.hasSuffix("; one stands by.") == true)
        first.send(SIGSTOP)
        try await eventually {
            try await doctor(store, unit.meterPort)["recorder"]?.found.contains("has written nothing for ") == true
        }
        #expect(try await doctor(store, unit.meterPort)["recorder"]?.status == "problem")
        second.send(SIGTERM)
        _ = try await second.end()
        first.send(SIGKILL)
        _ = try await first.end()
        let killed = try #require(try await doctor(store, unit.meterPort)["recorder"])
        #expect(killed.status == "attention")
        #expect(killed.found.contains("the last one died"))
        try await unit.stop()
    }

    @Test("a damaged page is found, a store that is none is left alone")
    func damaged() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        _ = try await Program.run("run", "--simulate", "--meter-port", "0", "--for", "2s", "--store", store)
        #expect(try await doctor(store)["integrity"]?.status == "ok")
        let file = try #require(FileHandle(forUpdatingAtPath: store))
        try file.seek(toOffset: 4096 * 4)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 4096 * 3))
        try file.close()
        let page = try await doctor(store)
        #expect(page["integrity"]?.status == "problem", "\(String(describing: page["integrity"]))")
        #expect(page["integrity"]?.remedy?.contains("atlas-recorder rescue") == true)
        let notes = folder.file("notes.txt")
        try String(repeating: "no database ", count: 20).write(toFile: notes, atomically: true, encoding: .utf8)
        #expect(try await doctor(notes)["store"]?.status == "problem")
        #expect(try await doctor(notes)["integrity"] == nil)
        #expect(try String(contentsOfFile: notes, encoding: .utf8).hasPrefix("no database"))
    }

    @Test("rights that let others write, and a program that has the store open for writing, want attention")
    func writers() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        _ = try await Program.run("run", "--simulate", "--meter-port", "0", "--for", "1s", "--store", store)
        #expect(try await doctor(store)["rights"]?.status == "ok")
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: store)
        #expect(try await doctor(store)["rights"]?.remedy?.hasPrefix("chmod g-w,o-w") == true)
        #expect(try await doctor(store)["writers"] == nil)
        let open =
            "import sqlite3,sys,time; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT count(*) FROM frame').fetchall(); "
            + "print('open', flush=True); time.sleep(60)"
        let writer = try Running(["-c", open, store], executable: "/usr/bin/env", before: ["python3"])
        try await writer.line("open")
        let found = try #require(try await doctor(store)["writers"])
        #expect(found.found.contains("python3 (pid \(writer.pid))"))
        #expect(found.remedy?.contains("-readonly") == true)
        writer.send(SIGKILL)
        _ = try await writer.end()
    }

    @Test(
        "who may not read the store is told how to, who may only read finds all the same",
        .enabled(if: getuid() == 0, "becoming another user takes root"))
    func otherUser() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let binary = try readable(folder)
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store)
        try await recorder.line("meters up")
        let asStranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", binary]
        let stranger = try await doctor(store, unit.meterPort, by: asStranger)
        #expect(stranger["rights"]?.status == "problem")
        #expect(stranger["rights"]?.remedy?.contains("usermod -aG") == true)
        // The store's group is root's, 0.
        let asReader = ["setpriv", "--reuid=65534", "--regid=0", "--clear-groups", "--", binary]
        let reader = try await doctor(store, unit.meterPort, by: asReader)
        #expect(reader["integrity"]?.status == "ok")
        #expect(reader["recorder"]?.found.hasPrefix("pid \(recorder.pid) ") == true)
        #expect(reader["port"]?.found.hasPrefix("atlas-recorder (pid \(recorder.pid)) gets the datagrams") == true)
        #expect(reader["processor Bar"]?.found.contains("the recorder's word") == true)
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        try await unit.stop()
    }

    @Test("without a flag it says which store it read; wrong usage exits with 64")
    func usage() async throws {
        let folder = Folder()
        let home = ["HOME": folder.path, "XDG_STATE_HOME": "", "STATE_DIRECTORY": ""]
        let result = try await Running(["doctor", "--meter-port", "\(freeUDPPort())"], environment: home).end()
        #expect(result.errors.contains("store: "), "\(result.errors)")
        #expect(result.output.hasPrefix("Examined"))
        for arguments in [["--meter-port", "0"], ["--processor", "10.0.0"], ["--store", ""], ["--format", "csv"]] {
            #expect(try await Running(["doctor"] + arguments).end().status == 64)
        }
    }
}
