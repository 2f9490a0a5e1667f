import Foundation
import Testing

/// What a recorder does when its store is damaged, moved or deleted, before it starts and under its hands.
@Suite(.timeLimit(.minutes(2)))
struct DamagedStoreTests: StoreBench {
    let folder = Folder()

    /// Records for a moment; the store has no write-ahead log to speak of then.
    private func recorded() async throws {
        let recorder = try recorder()
        try await recorder.line("subscribed")
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
    }
    private func overwrite(_ bytes: Data, at offset: UInt64) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: store))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: bytes)
        try file.close()
    }
    private func noise(_ count: Int) -> Data { Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 197 &+ 31) }) }

    @Test(
        "damaged pages, or a file that was cut: kept under a name with the time, a new one begun, and that is told",
        arguments: [true, false])
    func damagedBefore(isCut: Bool) async throws {
        try await recorded()
        let size = try #require(try FileManager.default.attributesOfItem(atPath: store)[.size] as? Int)
        if isCut {
            #expect(truncate(store, size / 2 / 4096 * 4096) == 0)
        } else {
            try overwrite(noise(size - 8192), at: 8192)
        }
        let spoilt = try Data(contentsOf: URL(fileURLWithPath: store))
        let recorder = try recorder()
        try await recorder.line("store set aside (it was damaged")
        try await recorder.line("meters up")
        try await stop(recorder)
        let kept = try #require(
            try files.first { $0.hasPrefix("s.sqlite.damaged-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") })
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file(kept))).prefix(4096) == spoilt.prefix(4096))
        #expect(
            try await sql(
                "SELECT count(*) FROM connection_events WHERE event = 'store_set_aside' AND detail LIKE '%\(kept)%rescue%'"
            ) == "1")
        #expect(try await sql("SELECT reason FROM sample_losses") == "store_damaged")
        let report = try await Program.run("report", "--since", "1h", "--store", store).output
        #expect(
            report.contains("; the one before was damaged, and is kept:\n            \(folder.file(kept))"), "\(report)"
        )
        #expect(report.contains("what a damaged store held") && report.contains("store_damaged"), "\(report)")
        #expect(try await isWhole())
    }

    @Test("a second damaged store within a minute: exit 1, and it stays where it is, whoever starts the recorder again")
    func damagedAgain() async throws {
        for isFirst in [true, false] {
            try await recorded()
            let size = try #require(try FileManager.default.attributesOfItem(atPath: store)[.size] as? Int)
            try overwrite(noise(size - 8192), at: 8192)
            guard isFirst else { break }
            let recorder = try recorder()
            try await recorder.line("store set aside (it was damaged")
            try await stop(recorder)
        }
        let result = try await Program.run("run", "--simulate", "--meter-port", "0", "--for", "1s", "--store", store)
        #expect(result.status == 1 && result.errors.contains("look at the disk"), "\(result.errors)")
        #expect(try files.count { $0.contains("damaged") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") } == 1)
        #expect(try files.contains("s.sqlite"))
    }

    @Test("what is not ours, or newer, is refused with 1 and not touched")
    func notOurs() async throws {
        for (name, bytes) in [("text", Data("hello".utf8)), ("noise", noise(20_000))] {
            let path = folder.file(name)
            try bytes.write(to: URL(fileURLWithPath: path))
            let result = try await Program.run("run", "--processor", "Bar=127.0.0.98:9", "--for", "1s", "--store", path)
            #expect(result.status == 1, "\(result.errors)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
        }
        _ = try await Program.tool("sqlite3", [folder.file("other"), "CREATE TABLE a (b); PRAGMA user_version = 3"])
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.file("other")))
        #expect(try await Program.run("run", "--simulate", "--for", "1s", "--store", folder.file("other")).status == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("other"))) == before)
        try await recorded()
        _ = try await Program.tool("sqlite3", [store, "PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)"])
        let newer = try await Program.run("run", "--simulate", "--for", "1s", "--store", store)
        #expect(newer.status == 1 && newer.errors.contains("newer"), "\(newer.errors)")
        let password = try await Program.run("run", "--simulate", "--for", "1s", "--store", "/etc/passwd")
        #expect(password.status == 1)
        #expect(try files.allSatisfy { !$0.contains("damaged") })
    }

    @Test("after kill -9 the store is checked while it records, and that is an event")
    func checkedAfterKill() async throws {
        let first = try recorder()
        try await first.line("meters up")
        first.send(SIGKILL)
        _ = try await first.end()
        let second = try recorder()
        try await second.line("store checked (no fault after the unclean end")
        try await stop(second)
        try await recorded()
        #expect(try await sql("SELECT count(*) FROM connection_events WHERE event = 'store_checked'") == "1")
        #expect(try await isWhole())
    }

    @Test("damage that only the check after a kill finds: set aside while it records, and recording goes on")
    func damagedUnseen() async throws {
        // Pages of a table that a start does not look at: many frames, and a run that ended without notice.
        let first = try recorder()
        try await first.line("subscribed")
        try await eventually { try await Int(sql("SELECT count(*) FROM frame")) ?? 0 > 100 }
        first.send(SIGTERM)
        _ = try await first.end()
        let page = try #require(
            Int(
                try await sql(
                    "SELECT max(pageno) FROM dbstat WHERE name = 'frame' AND pagetype = 'leaf' AND pageno < (SELECT max(pageno) FROM dbstat WHERE name = 'frame')"
                )))
        _ = try await Program.tool(
            "sqlite3", [store, "UPDATE recorder_run SET ended_us = NULL; PRAGMA wal_checkpoint(TRUNCATE)"])
        try overwrite(noise(4096), at: UInt64(page - 1) * 4096)
        let second = try recorder()
        // The check may be quicker than the first meters.
        try await second.line("meters up", after: "store set aside (it was damaged")
        try await stop(second)
        #expect(try await isWhole())
        let kept = try #require(
            try files.first { $0.hasPrefix("s.sqlite.damaged-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") })
        let rescue = try await Program.run("rescue", folder.file(kept), folder.file("rescued.sqlite"))
        #expect(rescue.status == 0, "\(rescue.errors)")
        #expect(rescue.output.contains("could not be read"))
        #expect(Int(try await sql("SELECT count(*) FROM meter_samples", in: folder.file("rescued.sqlite"))) ?? 0 > 100)
        let told = "SELECT count(*) FROM sample_losses WHERE reason = 'store_damaged' AND samples > 0"
        #expect(try await sql(told, in: folder.file("rescued.sqlite")) != "0")
        #expect(try await isWhole(folder.file("rescued.sqlite")))
    }

    @Test("damage that a commit meets while it records: the same, and what waited is counted")
    func damagedUnderACommit() async throws {
        let recorder = try recorder()
        try await recorder.line("subscribed")
        // Another writer's commit makes stale what the recorder has of the file in memory: it reads it anew.
        let script = """
            import os, sqlite3, sys
            path = sys.argv[1]
            store = sqlite3.connect(path, isolation_level=None, timeout=20)
            while True:
                store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                store.execute("BEGIN IMMEDIATE")
                if os.path.getsize(path + "-wal") == 0: break
                store.execute("ROLLBACK")
            store.execute("UPDATE recorder_run SET host = host")
            with open(path, "r+b") as file:
                file.seek(4096)
                file.write(bytes(n * 197 % 251 for n in range(os.path.getsize(path) - 4096)))
            store.execute("COMMIT")
            """
        let vandal = try await Program.tool("python3", ["-c", script, store])
        #expect(vandal.status == 0, "\(vandal.errors)")
        try await recorder.line("meters up", after: "store set aside (it was damaged: database disk image is malformed")
        try await stop(recorder)
        #expect(try await isWhole())
        #expect(try await sql("SELECT reason, samples > 0 FROM sample_losses") == "store_damaged|1")
        #expect(try files.contains { $0.hasPrefix("s.sqlite.damaged-") })
    }

    @Test("its write-ahead log is deleted under it: nothing is lost, a new one is there")
    func logDeleted() async throws {
        let recorder = try recorder()
        try await recorder.line("subscribed")
        let events = try await sql("SELECT count(*) FROM connection_events")
        try FileManager.default.removeItem(atPath: store + "-wal")
        try await recorder.line("meters up", after: "store moved (somebody deleted its write-ahead log")
        try await stop(recorder)
        #expect(try await isWhole())
        #expect(Int(try await sql("SELECT count(*) FROM connection_events")) ?? 0 > Int(events) ?? 0)
        #expect(try await sql("SELECT count(*) FROM recorder_runs WHERE clean") == "2")
    }

    @Test("the store is moved under it: the moved one is whole up to there, a new one goes on; deleted: a new one")
    func moved() async throws {
        let recorder = try recorder()
        try await recorder.line("subscribed")
        let moved = folder.file("moved.sqlite")
        try FileManager.default.moveItem(atPath: store, toPath: moved)
        try await recorder.line(
            "meters up",
            after:
                "store moved (somebody moved it to \(moved) while it was written: it is whole, up to here; a new one is begun"
        )
        #expect(try await sql("SELECT clean FROM recorder_runs", in: moved) == "1")
        #expect(try await isWhole(moved))
        for name in try files where name.hasPrefix("s.sqlite") && name != "s.sqlite.feed" {
            try FileManager.default.removeItem(atPath: folder.file(name))
        }
        try await recorder.line("meters up", after: "store moved (somebody deleted it while it was written")
        let report = try await Program.run("report", "--since", "1h", "--store", store).output
        #expect(report.contains("somebody moved or deleted the one before"), "\(report)")
        // Its lock is a new one, and keeps others out.
        #expect(try await Program.run("run", "--simulate", "--for", "1s", "--store", store).status == 75)
        try await stop(recorder)
        #expect(try await isWhole())
        #expect(try await sql("SELECT count(*) FROM recorder_runs") == "1")
    }

    @Test("a write-ahead log without its store is kept, not deleted")
    func orphanedLog() async throws {
        let first = try recorder()
        try await first.line("meters up")
        first.send(SIGKILL)
        _ = try await first.end()
        try FileManager.default.removeItem(atPath: store)
        let log = try Data(contentsOf: URL(fileURLWithPath: store + "-wal"))
        #expect(!log.isEmpty)
        try await recorded()
        let kept = try #require(try files.first { $0.hasPrefix("s.sqlite.damaged-") && $0.hasSuffix("-wal") })
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file(kept))) == log)
        #expect(try await isWhole())
    }

    @Test("backup beside a recorder: whole, and readable where nothing can be written")
    func backup() async throws {
        let recorder = try recorder()
        try await recorder.line("meters up")
        let copy = folder.file("copy.sqlite")
        let result = try await Program.run("backup", "--store", store, copy)
        #expect(result.status == 0 && result.output.hasPrefix("backed up "), "\(result.errors)")
        try await stop(recorder)
        #expect(try await isWhole(copy))
        let again = try await Program.run("backup", "--store", store, copy)
        #expect(again.status == 1 && again.errors.contains("exists already"))
    }
}
