import Foundation
import Testing

/// The command `prune`, as a user runs it.
@Suite(.timeLimit(.minutes(4)))
struct PruneTests: StoreBench {
    let folder = Folder()

    /// A store that a recorder has written, and 100 days before that an hour of frames, so many a second.
    private func oldStore(framesPerSecond rate: Int = 20) async throws {
        #expect(
            try await Program.run("run", "--simulate", "--meter-port", "0", "--store", store, "--for", "2s").status == 0
        )
        let script = """
            import sqlite3, sys
            store = sqlite3.connect(sys.argv[1])
            rate, begin = int(sys.argv[2]), (store.execute("SELECT started_us FROM recorder_run").fetchone()[0] // 3600000000 - 2400) * 3600000000
            store.execute('''WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3600 * ? - 1)
                INSERT INTO frame (at_us, processor_id, levels) SELECT ? + i * 1000000 / ?, 1, substr('\u{340}\u{300}\u{2C0}', 1 + i % 3, 1) FROM n''', (rate, begin, rate))
            store.execute('''INSERT INTO sample_minute SELECT at_us / 60000000 * 60000000, 1, count(*), 0, count(*), count(*)
                FROM frame WHERE at_us < ? GROUP BY 1''', (begin + 3600000000,))
            store.commit()
            """
        let written = try await Program.tool("python3", ["-c", script, store, "\(rate)"])
        #expect(written.status == 0, "\(written.errors)")
        #expect(try await isWhole())
    }

    @Test("without --dry-run or --yes it says what each of them does", arguments: [[], ["--dry-run", "--yes"]])
    func usage(flags: [String]) async throws {
        let result = try await Running(["prune"] + flags).end()
        #expect(result.status == 64)
        #expect(result.errors.contains("--dry-run tells what would be deleted"))
        #expect(result.errors.contains("--yes deletes it"))
    }

    @Test(
        "lengths and sizes that are none are refused with what works",
        arguments: [
            (["--keep-samples", "soon"], "--keep-samples"), (["--keep-minutes", "59m"], "at least 1h"),
            (["--max-size", "1MB"], "10 MB at least"), (["--max-size", "big"], "20GB"),
        ])
    func refused(flags: [String], says: String) async throws {
        for command in [["prune", "--dry-run"], ["run", "--simulate"]] {
            let result = try await Running(command + flags).end()
            #expect(result.status == 64)
            #expect(result.errors.contains(says), "\(result.errors)")
        }
    }

    @Test("--dry-run says what --yes then deletes, and changes nothing")
    func dryRun() async throws {
        try await oldStore()
        let before = try await sql("SELECT count(*) FROM frame")
        let preview = try await Program.run("prune", "--dry-run", "--store", store)
        #expect(preview.status == 0)
        #expect(preview.output.contains("samples: 72000 rows, from "), "\(preview.output)")
        #expect(preview.output.contains("nothing was deleted"))
        #expect(try await sql("SELECT count(*) FROM frame") == before)
        let size = try FileManager.default.attributesOfItem(atPath: store)[.size] as? Int ?? 0
        let done = try await Program.run("prune", "--yes", "--store", store)
        #expect(done.status == 0, "\(done.errors)")
        #expect(done.output.contains("samples: 72000 rows before "), "\(done.output)")
        #expect(try await sql("SELECT count(*) FROM frame") == "\((Int(before) ?? 0) - 72_000)")
        #expect(try await sql("SELECT freelist_count FROM pragma_freelist_count") == "0")
        #expect(try FileManager.default.attributesOfItem(atPath: store)[.size] as? Int ?? 0 < size / 2)
        #expect(try await isWhole())
        let again = try await Program.run("prune", "--dry-run", "--store", store)
        #expect(again.output.contains("nothing is older"), "\(again.output)")
        let report = try await Program.run("report", "levels", "--since", "200d", "--store", store)
        #expect(report.errors.contains("were removed by retention"), "\(report.errors)")
    }

    @Test("beside a recorder --yes exits with 75 and says that one prunes by itself; --dry-run works")
    func besideRecorder() async throws {
        let recorder = try recorder()
        try await recorder.line("subscribed")
        let refused = try await Program.run("prune", "--yes", "--store", store)
        #expect(refused.status == 75)
        #expect(refused.errors.contains("prunes by itself"), "\(refused.errors)")
        #expect(refused.errors.contains("pid \(recorder.pid)"), "\(refused.errors)")
        #expect(try await Program.run("prune", "--dry-run", "--store", store).status == 0)
        try await stop(recorder)
    }

    @Test("a store that is not there is not made")
    func missing() async throws {
        for flag in ["--dry-run", "--yes"] {
            #expect(try await Program.run("prune", flag, "--store", folder.file("none.sqlite")).status == 1)
        }
        #expect(try files.filter { !$0.hasSuffix(".lock") } == [])
    }

    @Test(
        "by a clock that is years ahead of what was recorded --yes deletes nothing, unless somebody says that it is right"
    )
    func clockAhead() async throws {
        try await oldStore()
        let passed = "- 401 * 86400000000"
        let counted =
            "UPDATE minute_coverage SET until_us = (SELECT heartbeat_us FROM recorder_run) / 60000000 * 60000000"
        #expect(try await Program.tool("sqlite3", [store, counted]).status == 0)
        let update = "UPDATE recorder_run SET heartbeat_us = heartbeat_us \(passed), ended_us = heartbeat_us \(passed)"
        #expect(try await Program.tool("sqlite3", [store, update]).status == 0)
        let before = try await sql("SELECT count(*) FROM frame")
        let refused = try await Program.run("prune", "--yes", "--store", store)
        #expect(refused.status == 1)
        #expect(refused.output.hasPrefix("at "), "\(refused.output)")
        #expect(refused.output.contains("kept: samples 90.0 days"), "\(refused.output)")
        #expect(refused.output.contains("(as its recorder was told)"), "\(refused.output)")
        #expect(refused.errors.contains("add --trust-clock"), "\(refused.errors)")
        #expect(try await sql("SELECT count(*) FROM frame") == before)
        let done = try await Program.run("prune", "--yes", "--trust-clock", "--keep-samples", "30d", "--store", store)
        #expect(done.status == 0, "\(done.errors)")
        #expect(done.output.contains("(of the flags, the rest as its recorder was told)"), "\(done.output)")
        #expect(try await sql("SELECT count(*) FROM frame") != before)
    }

    @Test("killed at any moment while it deletes: the store is whole, and the next one ends what was begun")
    func killed() async throws {
        try await oldStore(framesPerSecond: 300)
        var (generator, kills) = (SystemRandomNumberGenerator(), 0)
        for round in 0..<12 {
            let pruning = try Running(["prune", "--yes", "--store", store])
            // A random moment is what is wanted: of 0.1 s at first, so that there is something left.
            try await Task.sleep(for: .milliseconds(Int.random(in: 5...(100 + 20 * round), using: &generator)))
            pruning.send(SIGKILL)
            if try await pruning.end().status != 0 { kills += 1 }
            #expect(try await isWhole())
        }
        #expect(kills > 0)
        #expect(try await Program.run("prune", "--yes", "--store", store).status == 0)
        #expect(try await sql("SELECT removed FROM retention WHERE kind = 'samples'") == "1080000")
        #expect(try await isWhole())
    }

    @Test("a store that gives no page back is pruned to its end, and stays as large")
    func noRoomGiven() async throws {
        try await oldStore()
        _ = try await Program.tool("sqlite3", [store, "PRAGMA auto_vacuum = NONE; VACUUM"])
        #expect(try await sql("PRAGMA auto_vacuum") == "0")
        let pruning = try await Running(["prune", "--yes", "--store", store]).end()
        #expect(pruning.status == 0, "\(pruning.errors)")
        #expect(pruning.output.contains("samples: 72000 rows before"), "\(pruning.output)")
        #expect(try await sql("PRAGMA freelist_count") != "0")
        #expect(try await isWhole())
    }

    @Test("ended by Ctrl-C it says that not all went, and the store is whole")
    func interrupted() async throws {
        try await oldStore(framesPerSecond: 300)
        let pruning = try Running(["prune", "--yes", "--store", store])
        try await eventually { (Int(try await sql("SELECT coalesce(max(removed), 0) FROM retained")) ?? 0) > 0 }
        pruning.send(SIGINT)
        let end = try await pruning.end()
        #expect(try await isWhole())
        // Fast machines are done before the signal comes.
        if end.status != 0 { #expect(end.errors.contains("ended before all was deleted"), "\(end.errors)") }
        #expect(end.output.contains("samples: "))
    }
}
