import Foundation
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ConfigurationTests {
    private let folder = Folder()
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
        path: "../../docs/configuration.md")

    private func write(_ text: String, _ name: String = "venue.toml") throws -> String {
        try text.write(toFile: folder.file(name), atomically: true, encoding: .utf8)
        return folder.file(name)
    }

    @Test("a thousand processors with long names are a configuration")
    func thousand() async throws {
        let units = (0..<1_000).map {
            """
            [[processor]]
            name = "Venue \($0 / 4), the bar on the roof, processor \($0 % 4)"
            host = "atmosphere-\($0 % 4).venue-\($0 / 4).example.net"
            port = 5321
            """
        }
        let result = try await Program.run("config", "check", try write(units.joined(separator: "\n")))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("Venue 249, the bar on the roof, processor 3"))
    }

    @Test("config check says what would be recorded, aligned, and what of it is a default")
    func right() async throws {
        let file = try write(
            """
            keep_alive = 5
            [[processor]]
            name = "Terraza Ñandú"
            host = "192.168.5.102"
            [[processor]]
            host = "192.168.5.3"
            port = 5322
            """)
        let result = try await Program.run(
            "config", "check", file, environment: ["STATE_DIRECTORY": "/var/lib/atlas-recorder"])
        #expect(result.status == 0)
        #expect(result.errors == "")
        #expect(
            result.output == """
                \(file) is right. It records:

                Processor      Host           Port
                Terraza Ñandú  192.168.5.102  5321
                192.168.5.3    192.168.5.3    5322

                Store       /var/lib/atlas-recorder/atlas.sqlite (default)
                Meter port  3131 (default)
                Keep-alive  5 s
                Relay       yes (default)
                Page        none (default)
                Retention   samples 90d, minutes 5y, events forever, size without a limit (default)

                """)
    }

    @Test("config check says what would keep the page from coming up, which is no fault of the recording")
    func token() async throws {
        let token = folder.file("token")
        let file = try write(
            "[http]\nlisten = \"127.0.0.1:8131\"\ntoken_file = \"\(token)\"\n[[processor]]\nhost = \"a\"\n")
        for (text, says) in [
            (nil, "cannot read the token \(token): No such file or directory. Make one: "),
            ("my secret token here", "\(token): the token has to have 16 letters, digits, - or _ at least"),
            ("0123456789abcdef\n", nil),
        ] as [(String?, String?)] {
            try text?.write(toFile: token, atomically: true, encoding: .utf8)
            if text != nil { chmod(token, 0o600) }
            let result = try await Program.run("config", "check", file)
            #expect(result.status == 0 && result.output.contains("http://127.0.0.1:8131/, token in \(token)\n"))
            #expect(says.map { result.errors.contains($0) } ?? result.errors.isEmpty, "\(result.errors)")
        }
    }

    @Test("config check names every fault on a line of its own, and exits with 1")
    func wrong() async throws {
        let file = try write("keepalive = 5\n[[processor]]\nhost = \"a\"\nport = 99999\n")
        let result = try await Program.run("config", "check", file)
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(
            result.errors == """
                \(file):1:1: keepalive: there is no such key. Did you mean 'keep_alive'?
                \(file):4:8: processor[1].port: is 99999; write a whole number from 1 to 65535

                """)
        let syntax = try await Program.run("config", "check", try write("relay = yes"))
        #expect(
            syntax.errors == "\(file):1:9: 'yes' is neither a number nor true or false. Write true or false.\n")
        let empty = try await Program.run("config", "check", try write(""))
        #expect(empty.status == 1 && empty.errors.contains("\(file): processor: there is none"))
    }

    @Test("a file that cannot be read is said with what to do: missing, a folder, too large, no right to")
    func unreadable() async throws {
        let missing = try await Program.run("config", "check", folder.file("none.toml"))
        #expect(missing.status == 1 && missing.errors.contains("none.toml: cannot be read: No such file"))
        let isFolder = try await Program.run("config", "check", folder.path)
        #expect(isFolder.errors == "\(folder.path): cannot be read: Is a directory; name the file in it\n")
        let large = try await Program.run("config", "check", "/dev/zero")
        #expect(large.errors.contains("/dev/zero: has over 1024 KiB"))
        let secret = try write("")
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: secret)
        if geteuid() != 0 {
            let refused = try await Program.run("config", "check", secret)
            #expect(refused.errors.contains("Permission denied; let the user that the recorder runs as read it"))
        }
    }

    @Test("without a name it is the variable's file, else that in systemd's folder")
    func whichFile() async throws {
        let named = try write("[[processor]]\nhost = \"named\"", "named.toml")
        _ = try write("[[processor]]\nhost = \"usual\"", "atlas-recorder.toml")
        let usual = ["CONFIGURATION_DIRECTORY": "\(folder.path):/elsewhere"]
        let both = usual.merging(["ATLAS_RECORDER_CONFIG": named]) { $1 }
        #expect(try await Running(["config", "check"], environment: both).end().output.contains("named"))
        #expect(try await Running(["config", "check"], environment: usual).end().output.contains("usual "))
    }

    @Test("run records what the file says; a flag takes the place of it")
    func recording() async throws {
        let unit = try await SimulatedUnit()
        let store = folder.file("from-file.sqlite")
        let file = try write(
            """
            store = "\(store)"
            meter_port = \(unit.meterPort)
            keep_alive = 1
            [[processor]]
            name = "Terraza Ñandú"
            host = "127.0.0.1"
            port = \(unit.port)
            """)
        let recorder = try Running(["run", "--config", file])
        try await recorder.line("recording 1 processor into \(store)")
        try await recorder.line("Terraza Ñandú  meters up")
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)

        let other = folder.file("from-flag.sqlite")
        let second = try Running(
            ["run", "--config", file, "--store", other, "--processor", "Bar=127.0.0.1:\(unit.port)"])
        try await second.line("recording 1 processor into \(other)")
        try await second.line("Bar  meters up")
        second.send(SIGTERM)
        #expect(try await second.end().output.contains("Terraza") == false)
        try await unit.stop()
    }

    @Test("the store's variable goes before the file, and without a flag the file that was read is said")
    func variables() async throws {
        let file = try write(
            """
            store = "\(folder.file("file.sqlite"))"
            [[processor]]
            host = "127.0.0.99"
            port = 9
            """)
        let result = try await Running(
            ["run", "--for", "1s", "--meter-port", "\(freeUDPPort())"],
            environment: ["ATLAS_RECORDER_CONFIG": file, "ATLAS_RECORDER_STORE": folder.file("variable.sqlite")]
        ).end()
        #expect(result.output.contains("into \(folder.file("variable.sqlite"))"), "\(result.errors)")
        #expect(result.errors.contains("atlas-recorder: configuration: \(file)"))
    }

    @Test("run ends with 64 where the file is wrong and with 1 where it cannot be read, and makes no store")
    func refusals() async throws {
        let store = folder.file("s.sqlite")
        let wrong = try write("relay = 1\n[[processor]]\nhost = \"a\"")
        let missing = folder.file("none.toml")
        for (file, status) in [(wrong, Int32(64)), (missing, 1), (try write("", "empty.toml"), 64)] {
            let result = try await Program.run("run", "--config", file, "--store", store)
            #expect(result.status == status, "\(result.errors)")
            #expect(result.errors.contains("\(file):"))
            #expect(result.errors.contains("atlas-recorder config check '\(file)'"))
        }
        let both = try await Program.run("run", "--config", wrong, "--simulate")
        #expect(both.status == 64 && both.errors.contains("Use --config or --simulate, not both."))
        #expect(!FileManager.default.fileExists(atPath: store))
    }

    @Test("meters = false: no socket, control is recorded, and the meters' link is unknown for the whole run")
    func withoutMeters() async throws {
        let unit = try await SimulatedUnit()
        let store = folder.file("s.sqlite")
        let file = try write(
            """
            store = "\(store)"
            meter_port = \(unit.meterPort)
            keep_alive = 1
            [[processor]]
            name = "Bar"
            host = "127.0.0.1"
            port = \(unit.port)
            subscriptions = ["ZoneName_*"]
            """)
        let recorder = try Running(["run", "--config", file])
        try await recorder.line("Bar  subscribed")
        recorder.send(SIGTERM)
        #expect(try await recorder.end().output.contains("Bar  meters") == false)
        let rows = try await Program.tool(
            "sqlite3",
            [
                "-readonly", store,
                """
                SELECT DISTINCT state, cause FROM link_states WHERE link = 'meters' AND cause NOT LIKE 'recorder_%';
                SELECT count(*) FROM meter_samples;
                SELECT count(*) > 0, count(*) = sum(parameter LIKE 'ZoneName_%') FROM parameter_changes;
                """,
            ])
        #expect(rows.output == "unknown|not_recorded\n0\n1|1\n")
        #expect(try await Program.run("check", "--store", store).status == 0)
        try await unit.stop()
    }

    @Test("commands that look find the store and the port in the file that run would use; a variable goes before it")
    func commandsThatLook() async throws {
        let store = folder.file("elsewhere.sqlite")
        _ = try await Program.run("run", "--simulate", "--meter-port", "0", "--for", "1s", "--store", store)
        let port = freeUDPPort()
        let file = try write("store = \"\(store)\"\nmeter_port = \(port)\n[[processor]]\nhost = \"127.0.0.77\"")
        let environment = ["ATLAS_RECORDER_CONFIG": file]
        let report = try await Running(["report"], environment: environment).end()
        #expect(report.status == 0 && report.errors.contains("store: \(store)"), "\(report.errors)")
        let other = ["ATLAS_RECORDER_CONFIG": file, "ATLAS_RECORDER_STORE": folder.file("none.sqlite")]
        #expect(try await Running(["report"], environment: other).end().errors.contains("none.sqlite"))
        let ports = try await Running(["ports", "--format", "json"], environment: environment).end()
        #expect(ports.output.contains("\(port)"), "\(ports.output)")
        let doctor = try await Running(["doctor", "--config", file]).end()
        #expect(doctor.errors.contains("store: \(store)"))
        #expect(doctor.output.contains("127.0.0.77") && doctor.output.contains("\(port)"), "\(doctor.output)")
    }

    @Test("a wrong file stops a command that looks only where somebody named it")
    func wrongFileToLook() async throws {
        let store = folder.file("s.sqlite")
        _ = try await Program.run("run", "--simulate", "--meter-port", "0", "--for", "1s", "--store", store)
        let file = try write("relay = 1", "atlas-recorder.toml")
        let named = try await Running(["report"], environment: ["ATLAS_RECORDER_CONFIG": file]).end()
        #expect(named.status == 1 && named.errors.hasPrefix("\(file):1:9: relay: is 1;"))
        let usual = ["CONFIGURATION_DIRECTORY": folder.path]
        let found = try await Running(["ports"], environment: usual).end()
        #expect(found.errors.contains("\(file) has faults") && found.output.contains("3131"), "\(found.errors)")
        // Where a flag says all that the file could, it is not looked at.
        let flag = try await Running(["report", "--store", store], environment: ["ATLAS_RECORDER_CONFIG": file]).end()
        #expect(flag.status == 0 && flag.errors.isEmpty)
    }

    @Test("the example in the documentation is right, and names every key")
    func example() async throws {
        let page = try String(contentsOf: Self.page, encoding: .utf8)
        let example = page.split(separator: "```toml\n")[1].split(separator: "```")[0]
        let result = try await Program.run("config", "check", try write(String(example)))
        #expect(result.status == 0, "\(result.errors)")
        #expect(!result.output.contains("(default)"))
        for key in [
            "store", "meter_port", "keep_alive", "relay", "name", "host", "port", "subscriptions", "meters", "samples",
            "minutes", "events", "size", "listen", "token_file", "hosts",
        ] {
            let isForFew = ["token_file", "hosts"].contains(key)
            #expect(example.contains("\n\(key) = ") != isForFew, "\(key)")
            #expect(page.contains("| `\(key)` |"), "\(key)")
        }
    }
}
