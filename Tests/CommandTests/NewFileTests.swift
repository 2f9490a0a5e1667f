import Foundation
import Testing

/// `backup` and `rescue`: the file they make is there whole or not at all, whatever ends them.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct NewFileTests {
    private let folder = Folder()
    private var store: String { folder.file("s.sqlite") }
    private var copy: String { folder.file("copy.sqlite") }

    private func record(_ path: String) -> [String] {
        ["run", "--simulate", "--meter-port", "0", "--keep-alive", "1", "--store", path]
    }
    private func recorded() async throws {
        let recorder = try Running(record(store))
        try await recorder.line("meters up")
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
    }
    /// Makes the store larger than what is copied in an instant.
    private func enlarge(frames: Int) async throws {
        let fill = """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(frames))
            INSERT INTO frame (at_us, processor_id, levels) SELECT i, 1, printf('%060d', i) FROM n;
            PRAGMA wal_checkpoint(TRUNCATE)
            """
        let tool = try await Program.tool("sqlite3", [store, fill])
        #expect(tool.status == 0, "\(tool.errors)")
    }
    /// What lies beside the store.
    private func made() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("copy") }.sorted()
    }
    private func command(_ name: String) -> [String] {
        name == "backup" ? ["backup", "--store", store, copy] : ["rescue", store, copy]
    }

    @Test("killed in the middle: no file of that name, and the next one makes it", arguments: ["backup", "rescue"])
    func killed(name: String) async throws {
        try await recorded()
        try await enlarge(frames: 400_000)
        repeat {
            try? FileManager.default.removeItem(atPath: copy)  // it was quicker than this test
            let running = try Running(command(name))
            while running.isRunning, try made().isEmpty { await Task.yield() }
            running.send(SIGKILL)
            _ = try await running.end()
        } while FileManager.default.fileExists(atPath: copy)
        #expect(try made().contains { $0.hasPrefix("copy.sqlite.") && $0.hasSuffix(".atlas-partial") })
        let again = try await Running(command(name)).end()
        #expect(again.status == 0, "\(again.errors)")
        #expect(try made() == ["copy.sqlite"])
        #expect(try await sql(copy, "PRAGMA integrity_check") == "ok")
        #expect(try await Int(sql(copy, "SELECT count(*) FROM frame")) ?? 0 >= 400_000)
        let third = try await Running(command(name)).end()
        #expect(third.status == 1 && third.errors.contains("\(copy) exists already: choose another name"))
    }

    @Test(
        "a disk that is full: nothing is left on it, and with space it works",
        .enabled(if: SmallDisk.isPossible, "mounting takes root or user namespaces"), arguments: ["backup", "rescue"])
    func fullDisk(name: String) async throws {
        try await recorded()
        try await enlarge(frames: 20_000)
        let disk = try await SmallDisk(mebibytes: 3)
        try await disk.fill()
        let copy = disk.file("copy.sqlite")
        func start() throws -> Running { try disk.start([Program.path] + command(name).dropLast() + [copy]) }
        func files() async throws -> String { try await disk.start(["ls", disk.file("")]).end().output }
        let full = try await start().end()
        #expect(full.status == 1 && full.errors.contains("Free space on that volume."), "\(full.errors)")
        #expect(try await files() == "ballast\n")
        // Room for a part of it only.
        _ = try await disk.start(["truncate", "-s", "2500000", disk.file("ballast")]).end()
        let half = try await start().end()
        #expect(half.status == 1 && half.errors.contains("Free space on that volume."), "\(half.errors)")
        #expect(half.errors.contains(" in \(copy): "), "\(half.errors)")
        #expect(try await files() == "ballast\n")
        try await disk.free()
        let result = try await start().end()
        #expect(result.status == 0, "\(result.errors)")
        #expect(try await files() == "copy.sqlite\n")
    }

    @Test(
        "rescue of a store on a disk that can only be read: as it is, or it says what is in the way",
        .enabled(if: SmallDisk.isPossible, "mounting takes root or user namespaces"))
    func readOnly() async throws {
        let disk = try await SmallDisk(mebibytes: 16)
        let store = disk.file("s.sqlite")
        func remount(_ how: String) async throws {
            #expect(try await disk.start(["mount", "-o", "remount,\(how)", disk.file("")]).end().status == 0)
        }
        func recorded(until signal: Int32) async throws {
            let recorder = try disk.start([Program.path] + record(store))
            try await recorder.line("meters up")
            recorder.send(signal)
            _ = try await recorder.end()
        }
        try await recorded(until: SIGTERM)
        _ = try await disk.start(["rm", store + "-wal", store + "-shm"]).end()
        try await remount("ro")
        let whole = try await disk.start([Program.path, "rescue", store, copy]).end()
        #expect(whole.status == 0 && whole.output.contains("Everything could be read."), "\(whole.errors)")
        #expect(whole.errors.contains("its folder cannot be written"), "\(whole.errors)")
        #expect(try await Program.run("check", "--store", copy).status == 0)
        let unwritable = try await disk.start([Program.path, "rescue", copy, disk.file("copy.sqlite")]).end()
        #expect(unwritable.status == 1 && unwritable.errors.contains("Read-only file system"), "\(unwritable.errors)")

        try await remount("rw")
        try await recorded(until: SIGKILL)
        _ = try await disk.start(["rm", store + "-shm"]).end()
        try await remount("ro")
        let logged = try await disk.start([Program.path, "rescue", store, folder.file("copy2.sqlite")]).end()
        #expect(logged.status == 1 && logged.errors.contains("it has a write-ahead log"), "\(logged.errors)")
        #expect(try made() == ["copy.sqlite"])
    }

    @Test("rescue of a store that was cut short: the rest, and check and report know what is missing")
    func cut() async throws {
        let recorder = try Running(record(store))
        try await recorder.line("meters up")
        try await eventually { try await Int(sql(store, "SELECT count(*) FROM frame")) ?? 0 > 100 }
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        let stored = try await sql(store, "SELECT count(*) FROM meter_samples")
        let last = try #require(
            Int(try await sql(store, "SELECT max(pageno) FROM dbstat WHERE name = 'frame' AND pagetype = 'leaf'")))
        #expect(truncate(store, off_t((last - 1) * 4096)) == 0)
        let rescue = try await Program.run("rescue", store, copy)
        #expect(rescue.status == 0, "\(rescue.errors)")
        let found = try await sql(copy, "SELECT count(*) FROM meter_samples")
        let lost = try await sql(copy, "SELECT sum(samples) FROM sample_losses WHERE reason = 'store_damaged'")
        #expect(try Int(found) ?? 0 < #require(Int(stored)) && Int(found)! + (Int(lost) ?? 0) == Int(stored))
        #expect(rescue.output.contains(" \(lost) samples that were stored are lost"), "\(rescue.output)")
        let check = try await Program.run("check", "--store", copy)
        #expect(check.status == 0, "\(check.output)")
        let report = try await Program.run("report", "--store", copy, "--format", "json")
        #expect(report.output.replacing(" ", with: "").contains("\"samples_lost\":\(lost)"), "\(report.output)")
    }

    @Test("errors that were lost in a rescue are not reported as none, and prove no fix")
    func errorsLost() async throws {
        let folder = Folder()
        let (store, rescued) = (folder.file("s.sqlite"), folder.file("r.sqlite"))
        // Nobody listens there: ECONNREFUSED.
        let run = try await Program.run("run", "--processor", "Bar=127.0.0.98:9", "--for", "1s", "--store", store)
        #expect(run.status == 0, "\(run.errors)")
        func judge(_ store: String) async throws -> Program.Result {
            try await Program.run("report", "--since", "1h", "--fail-on", "ECONNREFUSED", "--store", store)
        }
        #expect(try await judge(store).status == 2)
        let page = try await sql(store, "SELECT rootpage FROM sqlite_master WHERE name = 'socket_error'")
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: store))
        try file.seek(toOffset: (try #require(UInt64(page)) - 1) * 4096)
        try file.write(contentsOf: Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 197 &+ 31) }))
        try file.close()
        #expect(try await Program.run("rescue", store, rescued).status == 0)
        let after = try await judge(rescued)
        #expect(after.output.contains("none left; they were lost with a damaged store"), "\(after.output)")
        #expect(after.output.contains("Store       rescued "), "\(after.output)")
        let check = try await Program.run("check", "--store", rescued)
        #expect(check.status == 0 && check.output.contains("socket_error"), "\(check.output)")
        // The causes of the links' states are still there, and say it.
        #expect(after.status == 2 || after.errors.contains("could not tell"), "\(after.errors)")
        let other = try await Program.run("report", "--since", "1h", "--fail-on", "EADDRINUSE", "--store", rescued)
        #expect(other.status == 1 && other.errors.contains("could not tell"), "\(other.errors)")
    }
}
