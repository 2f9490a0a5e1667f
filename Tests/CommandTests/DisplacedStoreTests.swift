import Foundation
import Testing

/// Somebody has the store open, and somebody moves or deletes what belongs to it.
@Suite(.timeLimit(.minutes(2)))
struct DisplacedStoreTests: StoreBench {
    let folder = Folder()

    /// A program that has a snapshot of the store open, and says `held`.
    private func reader() async throws -> Running {
        let script = """
            import sqlite3, sys, time
            store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, isolation_level=None)
            store.execute("BEGIN")
            store.execute("SELECT count(*) FROM frame").fetchall()
            print("held", flush=True)
            time.sleep(600)
            """
        let reader = try Running(["-c", script, store], executable: "/usr/bin/env", before: ["python3"])
        try await reader.line("held")
        return reader
    }
    private func end(_ program: Running) async throws {
        program.send(SIGKILL)
        _ = try await program.end()
    }
    /// What the kernel has of this process's locks on the store. While others take and give back theirs, a look may miss some.
    private func locks(of recorder: Running) throws -> Int {
        let inode = try #require(
            try FileManager.default.attributesOfItem(atPath: store)[.systemFileNumber] as? Int)
        return try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n").count {
            let fields = $0.split(separator: " ")  // 5: POSIX  ADVISORY  READ  3112 fd:00:5735259 1073741826 1073742335
            return fields.count > 5 && fields[1] == "POSIX" && fields[3] == "READ" && fields[4] == "\(recorder.pid)"
                && fields[5].hasSuffix(":\(inode)")
        }
    }

    @Test("after kill -9 and the check that follows, whoever reads the store without -readonly takes nothing away")
    func locksAfterCheck() async throws {
        let first = try recorder()
        try await first.line("meters up")
        try await end(first)
        let second = try recorder()
        try await second.line("store checked (no fault after the unclean end")
        try await eventually { try locks(of: second) == 1 }
        let count = try await Program.tool("sqlite3", [store, "SELECT count(*) FROM event"])
        #expect(count.status == 0 && Int(count.output.dropLast()) ?? 0 > 3)
        #expect(try files.contains("s.sqlite-wal") && files.contains("s.sqlite-shm"))
        try await second.line("subscribed")
        try await end(second)
        // What was printed is stored, with the log that nobody took away.
        let printed = "event IN ('started', 'store_checked', 'connected', 'bound', 'subscribed')"
        let ofThisRun = "at_us >= (SELECT max(started_us) FROM recorder_runs)"
        #expect(try await sql("SELECT count(*) FROM connection_events WHERE \(printed) AND \(ofThisRun)") == "5")
        #expect(second.count(of: "store moved") == 0)
    }

    @Test("the -wal is deleted while somebody reads: everything is there, also after a kill right then")
    func logDeletedBesideReader() async throws {
        let recorder = try recorder()
        try await recorder.line("connected")
        let reader = try await reader()
        try await recorder.line("subscribed")
        let events = try #require(Int(try await sql("SELECT count(*) FROM connection_events")))
        let samples = try #require(Int(try await sql("SELECT count(*) FROM meter_samples")))
        try FileManager.default.removeItem(atPath: store + "-wal")
        try await recorder.line("meters up", after: "nothing of it is lost")
        try await end(recorder)
        try await end(reader)
        #expect(try await isWhole())
        #expect(try await Int(sql("SELECT count(*) FROM connection_events")) ?? 0 >= events + 4)
        #expect(try await Int(sql("SELECT count(*) FROM meter_samples")) ?? 0 >= samples)
        #expect(try await sql("SELECT count(*) FROM sample_losses") == "0")
        #expect(try files.allSatisfy { !$0.contains("damaged") })
    }

    @Test("the -shm is deleted: who opens the store then sees what is written, and locks are in force again")
    func indexDeleted() async throws {
        let recorder = try recorder()
        try await recorder.line("subscribed")
        try FileManager.default.removeItem(atPath: store + "-shm")
        let reader = try await reader()
        try await recorder.line("meters up", after: "store moved (somebody deleted its log's index")
        try await end(reader)
        let before = try #require(Int(try await sql("SELECT count(*) FROM meter_samples")))
        try await eventually { try await Int(sql("SELECT count(*) FROM meter_samples")) ?? 0 > before }
        try await eventually { try locks(of: recorder) == 1 }
        try await stop(recorder)
        #expect(try await isWhole())
        #expect(try await sql("SELECT count(*) FROM recorder_runs WHERE clean") == "2")
    }

    @Test("the store alone is moved while somebody reads: its log is kept beside the new one, and belongs to it")
    func movedBesideReader() async throws {
        let recorder = try recorder()
        try await recorder.line("connected")
        let reader = try await reader()
        try await recorder.line("subscribed")
        let events = try #require(Int(try await sql("SELECT count(*) FROM connection_events")))
        let moved = folder.file("moved.sqlite")
        try FileManager.default.moveItem(atPath: store, toPath: moved)
        try await recorder.line("meters up", after: "it lacks what its log holds, which is ")
        try await stop(recorder)
        try await end(reader)
        #expect(try await isWhole())
        #expect(try await sql("SELECT count(*) FROM recorder_runs") == "1")
        let log = try #require(try files.first { $0.hasSuffix("-wal") && $0.contains("damaged") })
        try FileManager.default.moveItem(atPath: folder.file(log), toPath: moved + "-wal")
        #expect(try await isWhole(moved))
        #expect(try await Int(sql("SELECT count(*) FROM connection_events", in: moved)) ?? 0 > events)
        #expect(try await sql("SELECT clean FROM recorder_runs", in: moved) == "1")
    }

    @Test("another store with a log of its own is put in its place: what is in that log stays")
    func swapped() async throws {
        let other = folder.file("other.sqlite")
        let victim = try Running([
            "run", "--simulate", "--meter-port", "0", "--keep-alive", "1", "--store", other,
        ])
        try await victim.line("subscribed")
        try await end(victim)
        let recorder = try recorder()
        try await recorder.line("subscribed")
        // At once, as one who has prepared it would.
        let script = """
            import os, sys
            ours, other = sys.argv[1:]
            for suffix in ["-wal", "-shm", ""]: os.rename(ours + suffix, ours + ".away" + suffix)
            for suffix in ["-wal", "-shm", ""]: os.rename(other + suffix, ours + suffix)
            """
        #expect(try await Program.tool("python3", ["-c", script, store, other]).status == 0)
        try await recorder.line("subscribed", after: "another one is in its place, and is gone on with")
        try await stop(recorder)
        #expect(try await sql("SELECT count(*) FROM recorder_runs") == "2")
        #expect(try await sql("SELECT count(*) FROM connection_events WHERE event = 'subscribed'") == "2")
        #expect(try await isWhole())
        #expect(try await isWhole(store + ".away"))
        #expect(try files.allSatisfy { !$0.contains("damaged") })
    }

    @Test(
        "a full disk, and the store is deleted to make room: a new one is begun, and what waited is counted",
        .enabled(if: SmallDisk.isPossible, "no namespaces here"))
    func deletedWhileFull() async throws {
        let disk = try await SmallDisk(mebibytes: 3)
        let store = disk.file("s.sqlite")
        let recorder = try disk.start([
            Program.path, "run", "--simulate", "--meter-port", "0", "--keep-alive", "1", "--store", store,
        ])
        try await recorder.line("subscribed")
        try await disk.fill()
        try await eventually { recorder.log.contains("the store refuses") }
        _ = try await disk.start(["rm", store, store + "-wal", store + "-shm"]).end()
        // For the new one there may be too little still.
        try await eventually {
            recorder.count(of: "store moved") > 0 || recorder.log.contains("the new store cannot be begun")
        }
        try await disk.free()
        try await recorder.line("meters up", after: "store moved (somebody deleted it while it was written; ")
        #expect(try await disk.sql(store, "SELECT reason, samples > 0 FROM sample_losses") == "store_refused|1")
        try await stop(recorder)
        #expect(try await disk.sql(store, "PRAGMA integrity_check") == "ok")
    }

    @Test(
        "a store without its first page, or one that is put there: refused, with the way on; a folder that goes: told")
    func noWayOn() async throws {
        let first = try recorder()
        try await first.line("meters up")
        // What is no store is put in its place.
        let text = folder.file("text")
        try Data("hello".utf8).write(to: URL(fileURLWithPath: text))
        #expect(rename(text, store) == 0)
        let end = try await first.end()
        #expect(end.status == 1 && end.errors.contains("recording has ended"), "\(end.errors)")
        #expect(end.errors.contains("its first page is damaged") && end.errors.contains("start again"), "\(end.errors)")
        let rescue = try await Program.run("rescue", store, folder.file("new"))
        #expect(rescue.status == 1 && rescue.errors.contains("go back to a backup"), "\(rescue.errors)")
        let none = try await Program.run("rescue", folder.file("typo"), folder.file("new"))
        #expect(none.status == 1 && none.errors.contains("there is no such file"), "\(none.errors)")
    }

    @Test("what somebody made in a whole store keeps a recorder out; the store is not set aside for it")
    func foreignObjects() async throws {
        let first = try recorder()
        try await first.line("subscribed")
        try await stop(first)
        _ = try await Program.tool(
            "sqlite3",
            [store, "CREATE TRIGGER mine BEFORE INSERT ON recorder_run BEGIN SELECT raise(ABORT, 'not today'); END"])
        let second = try await Program.run("run", "--simulate", "--for", "1s", "--store", store)
        #expect(second.status == 1 && second.errors.contains("not today"), "\(second.errors)")
        #expect(try files.allSatisfy { !$0.contains("damaged") })
        _ = try await Program.tool("sqlite3", [store, "DROP TRIGGER mine"])
        #expect(try await isWhole())
    }
}
