import Foundation
import Testing

/// What a recorder may do, and whose files it touches.
@Suite(.timeLimit(.minutes(1)))
struct PrivilegeTests {
    private let folder = Folder()
    private var store: String { folder.file("s.sqlite") }

    @Test(
        "of root's rights it keeps those that it uses, in all its threads, and can gain none",
        .enabled(if: geteuid() == 0))
    func rights() async throws {
        let recorder = try Running(["run", "--simulate", "--meter-port", "0", "--store", store])
        try await recorder.line("meters up")
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(recorder.pid)/task")
        #expect(tasks.count > 3)
        // linux/capability.h: NET_RAW 13, NET_ADMIN 12, DAC_READ_SEARCH 2, SYS_PTRACE 19, DAC_OVERRIDE 1, FOWNER 3, CHOWN 0.
        let allowed: UInt64 = 1 << 13 | 1 << 12 | 1 << 2 | 1 << 19 | 1 << 1 | 1 << 3 | 1 << 0
        for task in tasks {
            let status = try String(contentsOfFile: "/proc/\(recorder.pid)/task/\(task)/status", encoding: .utf8)
            func value(_ name: String) throws -> UInt64 {
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name + ":") })
                return try #require(UInt64(line.split(separator: "\t")[1], radix: 16))
            }
            #expect(try value("CapEff") & ~allowed == 0)
            #expect(try value("CapPrm") & ~allowed == 0)
            #expect(try value("NoNewPrivs") == 1)
        }
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
    }

    @Test("its files are for its group to read and for nobody else, the feed for who may read the store")
    func modes() async throws {
        let recorder = try Running(["run", "--simulate", "--meter-port", "0", "--store", store])
        try await recorder.line("meters up")
        for name in ["s.sqlite", "s.sqlite-wal", "s.sqlite-shm", "s.sqlite.lock", "s.sqlite.feed"] {
            let mode = try FileManager.default.attributesOfItem(atPath: folder.file(name))[.posixPermissions] as? Int
            #expect(mode == (name.hasSuffix("feed") ? 0o660 : 0o640), "\(name)")
        }
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
    }

    @Test(
        "a link that leads to nothing, or lies where SQLite would write, is refused, and nothing is made",
        arguments: ["", "-wal", "-shm", "-journal", ".lock"])
    func links(suffix: String) async throws {
        let elsewhere = folder.file("elsewhere")
        #expect(symlink(elsewhere, store + suffix) == 0)
        let result = try await Program.run("run", "--simulate", "--meter-port", "0", "--for", "1s", "--store", store)
        #expect(result.status == 1, "\(result.output)")
        #expect(!FileManager.default.fileExists(atPath: elsewhere))
        // One that leads to somebody's file, empty or not, does not change that.
        try Data().write(to: URL(fileURLWithPath: elsewhere))
        #expect(
            try await Program.run("run", "--simulate", "--meter-port", "0", "--for", "1s", "--store", store).status == 1
        )
        #expect(try Data(contentsOf: URL(fileURLWithPath: elsewhere)).isEmpty)
        try Data("precious".utf8).write(to: URL(fileURLWithPath: elsewhere))
        let again = try await Program.run("run", "--simulate", "--meter-port", "0", "--for", "1s", "--store", store)
        #expect(again.status == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: elsewhere)) == Data("precious".utf8))
    }

    @Test("no name becomes SQL")
    func names() async throws {
        let evil = "x'); DROP TABLE frame; --"
        let result = try await Program.run(
            "run", "--processor", "\(evil)=127.0.0.98:9", "--for", "1s", "--store", store)
        #expect(result.status == 0, "\(result.errors)")
        let report = try await Program.run(
            "report", "--store", store, "--since", "1m", "--processor", evil, "--format", "json")
        #expect(report.status == 0 && report.output.contains("DROP TABLE frame"))
        let frames = try await Program.tool("sqlite3", ["-readonly", store, "SELECT count(*) FROM frame"])
        #expect(frames.output == "0\n")
    }
}
