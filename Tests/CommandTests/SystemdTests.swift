import Foundation
import Synchronization
import Testing

/// What systemd is told, over real datagram sockets, and the unit that it is given.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct SystemdTests {
    @Test("READY, STATUS, signs of life and STOPPING, by path and by abstract name", arguments: [true, false])
    func notifies(isAbstract: Bool) async throws {
        let folder = Folder()
        let manager = NotifySocket(folder, isAbstract: isAbstract)
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(
            folder.file("s.sqlite"), environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "30000000"])
        try await manager.message("READY=1\nSTATUS=recording 1 processor")
        try await recorder.line("recording 1 processor into")
        try await manager.message("STATUS=recording 1 processor: control 1 up, meters 1 up")
        // From the control loop, each second.
        try await manager.message("WATCHDOG=1", count: 3)
        recorder.send(SIGTERM)
        try await manager.message("STOPPING=1\n")
        #expect(try await recorder.end().status == 0)
        try await unit.stop()
    }

    @Test("a reload is told when it begins, with the time, and when it is over, also where the file is refused")
    func reloads() async throws {
        let folder = Folder()
        let manager = NotifySocket(folder, isAbstract: false)
        let unit = try await SimulatedUnit()
        let file = folder.file("venue.toml")
        let text = "meter_port = \(unit.meterPort)\n[[processor]]\nhost = \"127.0.0.1\"\nport = \(unit.port)\n"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let recorder = try Running(
            ["run", "--config", file, "--store", folder.file("s.sqlite")],
            environment: ["NOTIFY_SOCKET": manager.name])
        try await manager.message("READY=1\nSTATUS=recording 1 processor")
        try await recorder.line("meters up")
        for (index, file_) in [text, "relay = 1"].enumerated() {
            try file_.write(toFile: file, atomically: true, encoding: .utf8)
            _ = manager.all()
            recorder.send(SIGHUP)
            try await recorder.line(index == 0 ? "recorder  reloaded" : "recorder  not reloaded")
            var messages: [String] = []
            try await eventually {
                messages += manager.all().filter { !$0.hasPrefix("STATUS=") }
                return messages.count >= 2
            }
            try #require(messages.count == 2)
            let microseconds = messages[0].dropFirst("RELOADING=1\nMONOTONIC_USEC=".count)
            #expect(messages[0].hasPrefix("RELOADING=1\nMONOTONIC_USEC=") && (Int(microseconds) ?? 0) > 0)
            #expect(messages[1] == "READY=1")
        }
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        try await unit.stop()
    }

    @Test("a recorder that is held up gives no sign of life, so that the watchdog restarts it")
    func heldUp() async throws {
        let folder = Folder()
        let manager = NotifySocket(folder, isAbstract: false)
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(
            folder.file("s.sqlite"), environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "30000000"])
        try await recorder.line("meters up")
        try await manager.message("WATCHDOG=1")
        recorder.send(SIGSTOP)
        // Stopped, as the kernel says; what it said before is read away.
        try await eventually {
            try String(contentsOfFile: "/proc/\(recorder.pid)/stat", encoding: .utf8).contains(") T ")
        }
        _ = manager.all()
        // Meanwhile another one gives three.
        let (clock, otherUnit) = (NotifySocket(folder, isAbstract: true), try await SimulatedUnit())
        let other = try otherUnit.recorder(
            folder.file("other.sqlite"), environment: ["NOTIFY_SOCKET": clock.name, "WATCHDOG_USEC": "30000000"])
        try await clock.message("WATCHDOG=1", count: 3)
        #expect(manager.all().isEmpty)
        recorder.send(SIGCONT)
        try await manager.message("WATCHDOG=1")
        for process in [recorder, other] {
            process.send(SIGTERM)
            _ = try await process.end()
        }
        try await unit.stop()
        try await otherUnit.stop()
    }

    @Test("one that stands by is ready and alive, says for whom it waits, and says when it records")
    func standsBy() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let manager = NotifySocket(folder, isAbstract: false)
        let unit = try await SimulatedUnit()
        let first = try unit.recorder(store)
        try await first.line("meters up")
        let second = try unit.recorder(
            store, "--standby", environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "30000000"])
        try await manager.message("READY=1\nSTATUS=standing by: pid \(first.pid) since ")
        try await manager.message("WATCHDOG=1", count: 2)
        first.send(SIGKILL)
        try await manager.message("STATUS=recording 1 processor: control 1 up, meters 1 up")
        try await manager.message("WATCHDOG=1", count: 2)
        second.send(SIGTERM)
        #expect(try await second.end().status == 0)
        try await unit.stop()
    }

    @Test("of three, the one that still waits names the one that took over")
    func namesTheNext() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let first = try unit.recorder(store)
        try await first.line("meters up")
        var waiting: [(recorder: Running, manager: NotifySocket)] = []
        for isAbstract in [true, false] {
            let manager = NotifySocket(folder, isAbstract: isAbstract)
            let recorder = try unit.recorder(store, "--standby", environment: ["NOTIFY_SOCKET": manager.name])
            try await manager.message("READY=1\nSTATUS=standing by: pid \(first.pid) since ")
            waiting.append((recorder, manager))
        }
        first.send(SIGKILL)
        _ = try await first.end()
        try await eventually { waiting.contains { $0.recorder.text.contains("taking over") } }
        if waiting[1].recorder.text.contains("taking over") { waiting.reverse() }
        try await waiting[1].manager.message("STATUS=standing by: pid \(waiting[0].recorder.pid) since ")
        for (recorder, _) in waiting.reversed() {
            recorder.send(SIGTERM)
            _ = try await recorder.end()
        }
        try await unit.stop()
    }

    @Test(
        "no signs of life where nobody asked for them, or asked another process",
        arguments: [[:], ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"]])
    func noWatchdog(variables: [String: String]) async throws {
        let folder = Folder()
        let manager = NotifySocket(folder, isAbstract: false)
        let result = try await Running(
            ["run", "--simulate", "--meter-port", "0", "--for", "3s", "--store", folder.file("s.sqlite")],
            environment: variables.merging(["NOTIFY_SOCKET": manager.name]) { $1 }
        ).end()
        #expect(result.status == 0)
        let messages = manager.all()
        #expect(messages.contains { $0.hasPrefix("READY=1") })
        #expect(!messages.contains { $0.hasPrefix("WATCHDOG") }, "\(messages)")
    }

    @Test("a socket that is not there costs a line in the log, not the recording")
    func noManager() async throws {
        let folder = Folder()
        let result = try await Running(
            ["run", "--simulate", "--meter-port", "0", "--for", "2s", "--store", folder.file("s.sqlite")],
            environment: ["NOTIFY_SOCKET": folder.file("none")]
        ).end()
        #expect(result.status == 0)
        #expect(result.errors.contains("cannot tell the service manager"), "\(result.errors)")
        #expect(result.output.contains("meters up"))
    }

    @Test(
        "systemd-analyze has nothing to say against the unit",
        .enabled(if: Packaging.has("systemd-analyze"), "systemd is not installed"))
    func unitIsValid() async throws {
        let folder = Folder()
        let text = try Packaging.text("systemd/atlas-recorder.service")
        let here = text.replacingOccurrences(of: "/usr/local/bin/atlas-recorder", with: Program.path)
        #expect(here != text)
        let unit = folder.file("atlas-recorder.service")
        try here.write(toFile: unit, atomically: true, encoding: .utf8)
        let verified = try await Program.tool("systemd-analyze", ["verify", "--man=no", unit])
        #expect(verified.status == 0 && verified.errors.isEmpty && verified.output.isEmpty, "\(verified.errors)")
        // And it would have something to say: of a mistyped key, of a program that is not there.
        let mistyped = folder.file("mistyped.service")
        try here.replacingOccurrences(of: "WatchdogSec", with: "WatchdogSek").write(
            toFile: mistyped, atomically: true, encoding: .utf8)
        #expect(
            try await Program.tool("systemd-analyze", ["verify", "--man=no", mistyped]).errors.contains("WatchdogSek"))
        let missing = folder.file("missing.service")
        try here.replacingOccurrences(of: Program.path, with: "/nowhere/atlas-recorder").write(
            toFile: missing, atomically: true, encoding: .utf8)
        #expect(try await Program.tool("systemd-analyze", ["verify", "--man=no", missing]).status != 0)
    }

    @Test("the unit keeps what it promises: codes, rights, folders")
    func unitSays() throws {
        let lines = try Packaging.text("systemd/atlas-recorder.service").split(separator: "\n").map(String.init)
        for line in [
            "Type=notify", "Restart=always", "ExecReload=/bin/kill -HUP $MAINPID", "RestartPreventExitStatus=64",
            "StateDirectory=atlas-recorder",
            "UMask=0027",
            "AmbientCapabilities=CAP_NET_RAW CAP_DAC_READ_SEARCH CAP_SYS_PTRACE", "WatchdogSec=30",
        ] { #expect(lines.contains(line), "\(line)") }
    }

    @Test(
        "the service's user and group are made as sysusers.d has it",
        .enabled(if: Packaging.has("systemd-sysusers"), "systemd is not installed"))
    func user() async throws {
        let folder = Folder()
        try FileManager.default.createDirectory(atPath: folder.file("etc"), withIntermediateDirectories: true)
        let made = try await Program.tool(
            "systemd-sysusers", ["--root=\(folder.path)", Packaging.path("systemd/atlas-recorder.sysusers.conf")])
        #expect(made.status == 0, "\(made.errors)")
        let users = try String(contentsOfFile: folder.file("etc/passwd"), encoding: .utf8)
        #expect(users.contains("atlas-recorder:x:") && users.contains(":/var/lib/atlas-recorder:"), "\(users)")
        #expect(try String(contentsOfFile: folder.file("etc/group"), encoding: .utf8).contains("atlas-recorder:x:"))
    }
}

/// Where a service manager listens: a bound datagram Unix socket, as systemd has it.
final class NotifySocket: Sendable {
    /// As $NOTIFY_SOCKET has it.
    let name: String
    private let descriptor: Int32
    private let unread = Mutex<[String]>([])

    init(_ folder: Folder, isAbstract: Bool) {
        name = isAbstract ? "@\(folder.path)/notify" : folder.file("notify")
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let bytes = isAbstract ? [0] + Array(name.utf8.dropFirst()) : Array(name.utf8)
        precondition(bytes.count < 108, "a Unix socket's name has 107 bytes at most")
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + bytes.count)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        precondition(code == 0, String(cString: strerror(errno)))
    }

    /// What has come since the last call, and what `message` has left.
    func all() -> [String] {
        var messages = unread.withLock { unread in
            defer { unread = [] }
            return unread
        }
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return messages }
            messages.append(String(decoding: bytes[..<count], as: UTF8.self))
        }
    }

    /// Waits for so many messages that begin so; others before them are read away.
    func message(_ start: String, count: Int = 1) async throws {
        var missing = count
        try await eventually {
            let messages = all()
            for (index, message) in messages.enumerated() where message.hasPrefix(start) {
                missing -= 1
                guard missing == 0 else { continue }
                unread.withLock { $0 = Array(messages[(index + 1)...]) }
                return true
            }
            return false
        }
    }

    deinit { close(descriptor) }
}

/// The files of `packaging/`.
enum Packaging {
    static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../packaging/\(name)")
            .standardized
            .path
    }
    static func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }
    static func has(_ program: String) -> Bool {
        ["/usr/bin/", "/bin/"].contains { FileManager.default.isExecutableFile(atPath: $0 + program) }
    }
}
