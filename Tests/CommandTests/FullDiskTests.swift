import Foundation
import Testing

/// A recorder whose store cannot grow: a disk that is really full, a file that may not be longer.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct FullDiskTests {
    private static let off = """
        SELECT count(*) FROM sample_counts WHERE received IS NULL OR received <> stored + duplicate + lost
        """

    private func refused(_ recorder: Running) async throws {
        try await eventually { recorder.log.contains("the store refuses") || !recorder.isRunning }
    }

    @Test(
        "a full disk: it goes on receiving, says so, and when there is space again stores all of it",
        .enabled(if: SmallDisk.isPossible, "mounting takes root or user namespaces"), arguments: [false, true])
    func fullDisk(stopsMeanwhile: Bool) async throws {
        let (disk, unit) = try await (SmallDisk(mebibytes: 3), SimulatedUnit())
        let store = disk.file("s.sqlite")
        let recorder = try disk.start([
            Program.path, "run", "--processor", "Bar=127.0.0.1:\(unit.port)", "--meter-port", "\(unit.meterPort)",
            "--keep-alive", "1", "--store", store,
        ])
        try await recorder.line("meters up")
        try await disk.fill()
        try await refused(recorder)
        #expect(recorder.log.contains("database or disk is full"))
        let before = try await disk.sql(store, "SELECT heartbeat_us FROM recorder_runs JOIN recorder_run USING (run)")
        // What a reader of the feed sees is what the recorder has received.
        let tail = try disk.start([Program.path, "tail", "--store", store, "--format", "json"])
        try await tail.line("ZoneMeter_0", times: 30)
        if stopsMeanwhile {
            recorder.send(SIGTERM)
            _ = try await tail.end()  // the feed ends before the last commit
        }
        try await disk.free()
        if !stopsMeanwhile {
            try await eventually { recorder.log.contains("the store takes writes again") || !recorder.isRunning }
            recorder.send(SIGTERM)
        }
        let result = try await recorder.end()
        #expect(result.status == 0, "\(result.errors)")
        #expect(try await disk.sql(store, "PRAGMA integrity_check") == "ok")
        #expect(try await disk.sql(store, Self.off) == "0")
        #expect(try await disk.sql(store, "SELECT count(*) FROM sample_losses WHERE samples > 0") == "0")
        let query = "SELECT count(*) >= 30 FROM meter_samples WHERE meter = 'ZoneMeter_0' AND at_us > \(before)"
        #expect(try await disk.sql(store, query) == "1")
        #expect(try await disk.sql(store, "SELECT clean FROM recorder_runs") == "1")
        try await unit.stop()
    }

    @Test("a limit on a file's size: it does not end the recorder, nor what waits when that is told to stop")
    func fileLimit() async throws {
        let (folder, unit) = (Folder(), try await SimulatedUnit())
        let store = folder.file("s.sqlite")
        let recorder = try unit.recorder(store)
        try await recorder.line("meters up")
        func limit(_ bytes: String) async throws {
            let tool = try await Program.tool("prlimit", ["--pid", "\(recorder.pid)", "--fsize=\(bytes):"])
            #expect(tool.status == 0, "\(tool.errors)")
        }
        try await limit("4096")
        try await refused(recorder)
        recorder.send(SIGTERM)
        // The feed's socket goes before the last commit.
        try await eventually { access(store + ".feed", F_OK) != 0 }
        try await limit("unlimited")
        let result = try await recorder.end()
        #expect(result.status == 0, "\(result.errors)")
        #expect(try await sql(store, Self.off) == "0")
        #expect(try await sql(store, "SELECT event FROM connection_events ORDER BY at_us DESC LIMIT 1") == "stopped")
        #expect(try await sql(store, "SELECT clean FROM recorder_runs") == "1")
        try await unit.stop()
    }
}
