import Foundation
import Testing

/// Several recorders on one store, as PM2 starts them: exactly one records at any moment.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct StandbyTests {
    /// Rows of one link that do not begin where the one before them ended.
    private static let holes = """
        SELECT count(*) FROM (SELECT ended_us, started_us,
               lead(started_us) OVER (PARTITION BY processor, link ORDER BY started_us) AS next_us FROM link_states)
         WHERE ended_us <> next_us OR ended_us < started_us
        """
    /// Runs that began before the one before them had ended.
    private static let overlaps = """
        SELECT count(*) FROM (SELECT ended_us, lead(started_us) OVER (ORDER BY run) AS next_us FROM recorder_runs)
         WHERE ended_us > next_us
        """

    private func isRecording(_ recorder: Running) -> Bool { recorder.text.contains("recording 1 processor into") }

    /// The one that records, once there is one and the rest stand by.
    private func holder(among recorders: [Running]) async throws -> Running {
        try await eventually {
            recorders.count { isRecording($0) } > 0 && recorders.allSatisfy { $0.text.contains(" into ") }
        }
        let holders = recorders.filter { isRecording($0) }
        #expect(holders.count == 1, "\(holders.map(\.text))")
        return try #require(holders.first)
    }

    @Test("four at once, the one that records killed with -9 ten times: one writer, no hole, no overlap")
    func killedAgainAndAgain() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        var recorders = try (0..<4).map { _ in try unit.recorder(store, "--standby") }
        for kills in 0...10 {
            let holder = try await holder(among: recorders)
            try await holder.line("meters up")
            for other in recorders where other !== holder {
                let held = try openFiles(of: other)
                #expect(!held.contains { $0.hasSuffix("/s.sqlite") || $0.hasSuffix("-wal") }, "\(held)")
                #expect(other.text.hasPrefix("standing by: pid "))
                #expect(try udpInodes(unit.meterPort).isDisjoint(with: held), "a standby has a socket on the port")
            }
            guard kills < 10 else { break }
            holder.send(SIGKILL)
            _ = try await holder.end()
            recorders.removeAll { $0 === holder }
            recorders.append(try unit.recorder(store, "--standby"))  // as a supervisor does
        }
        for recorder in recorders { recorder.send(SIGTERM) }
        for recorder in recorders { #expect(try await recorder.end().status == 0) }
        try await unit.stop()
        #expect(try await sql(store, "PRAGMA integrity_check") == "ok")
        // Each of those that are stopped at the end may have its turn, too.
        let runs = try #require(Int(await sql(store, "SELECT count(*) FROM recorder_runs")))
        #expect((11...14).contains(runs))
        #expect(try await sql(store, Self.holes) == "0")
        #expect(try await sql(store, Self.overlaps) == "0")
        let gaps = "SELECT count(*) FROM link_states WHERE cause = 'recorder_stopped' AND ended IS NOT NULL"
        #expect(try await Int(sql(store, gaps + " AND link = 'meters'")) == runs - 1)
        #expect(try await Int(sql(store, gaps + " AND link = 'control'")) == runs - 1)
        let takeovers =
            "SELECT count(*) FROM connection_events WHERE event = 'started' AND detail LIKE '%taking over from %'"
        #expect(try await Int(sql(store, takeovers)) == runs - 1)
    }

    @Test("all restarted at once, four times: nobody else records meanwhile, and somebody does afterwards")
    func restartedTogether() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        var recorders = try (0..<4).map { _ in try unit.recorder(store, "--standby") }
        for _ in 0..<4 {
            _ = try await holder(among: recorders)
            for recorder in recorders { recorder.send(SIGINT) }  // what PM2 sends
            let next = try (0..<4).map { _ in try unit.recorder(store, "--standby") }
            for recorder in recorders { #expect(try await recorder.end().status == 0) }
            recorders = next
        }
        try await holder(among: recorders).line("meters up")
        for recorder in recorders { recorder.send(SIGTERM) }
        for recorder in recorders { #expect(try await recorder.end().status == 0) }
        try await unit.stop()
        #expect(try await sql(store, "SELECT min(clean) FROM recorder_runs") == "1")
        #expect(try await sql(store, Self.holes) == "0")
        #expect(try await sql(store, Self.overlaps) == "0")
    }

    @Test("one that stands by takes over from a clean stop, and names whom it followed")
    func takesOver() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let first = try unit.recorder(store)
        try await first.line("meters up")
        let second = try unit.recorder(store, "--standby")
        try await second.line("standing by: pid \(first.pid) since ")
        first.send(SIGTERM)
        #expect(try await first.end().status == 0)
        try await second.line("taking over: pid \(first.pid) since ")
        try await second.line("meters up")
        second.send(SIGTERM)
        #expect(try await second.end().status == 0)
        try await unit.stop()
        #expect(try await sql(store, "SELECT group_concat(clean) FROM recorder_runs") == "1,1")
    }

    @Test(
        "one takes over beside somebody who reads the store all the while",
        arguments: [SIGTERM, SIGKILL])
    func besideAReader(signal: Int32) async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let first = try unit.recorder(store)
        try await first.line("meters up")
        let second = try unit.recorder(store, "--standby")
        try await second.line("standing by")
        // It reads until both are through.
        let read =
            "import signal,sqlite3,sys; c = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True, isolation_level=None); "
            + "c.execute('BEGIN'); c.execute('SELECT count(*) FROM frame').fetchall(); print('reading', flush=True); "
            + "signal.pause()"
        let reader = try Running(["-c", read, store], executable: "/usr/bin/env", before: ["python3"])
        try await reader.line("reading")
        first.send(signal)
        try await second.line("meters up")
        for process in [reader, second] { process.send(SIGTERM) }
        _ = try await second.end()
        _ = try await first.end()
        try await unit.stop()
    }

    @Test(
        "one that stands by ends with 0 at once when it is told to, and has touched nothing",
        arguments: [SIGTERM, SIGINT])
    func stoppedWhileWaiting(signal: Int32) async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let first = try unit.recorder(store)
        try await first.line("meters up")
        let second = try unit.recorder(store, "--standby")
        try await second.line("standing by")
        second.send(signal)
        let ended = try await second.end()
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.lines.count == 2, "\(ended.output)")
        first.send(SIGTERM)
        _ = try await first.end()
        try await unit.stop()
        #expect(try await sql(store, "SELECT count(*) FROM recorder_runs") == "1")
    }

    @Test("without --standby exactly one of four records, the rest exit with 75 and its name")
    func withoutStandby() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let recorders = try (0..<4).map { _ in try unit.recorder(store) }
        try await eventually { recorders.count { !$0.isRunning } == 3 && recorders.contains { isRecording($0) } }
        let holder = try #require(recorders.first { $0.isRunning })
        for recorder in recorders where recorder !== holder {
            let ended = try await recorder.end()
            #expect(ended.status == 75, "\(ended.errors)")
            // A name that is being written just now is not there yet.
            #expect(ended.errors.contains("pid \(holder.pid) since ") || ended.errors.contains("not written yet"))
        }
        holder.send(SIGTERM)
        #expect(try await holder.end().status == 0)
        try await unit.stop()
    }

    @Test("nobody waits for a file that is no store")
    func foreignFile() async throws {
        let folder = Folder()
        let file = folder.file("notes.txt")
        try "no database, and long enough that nobody takes it for an empty one: a header has 100 bytes, and this more"
            .write(toFile: file, atomically: true, encoding: .utf8)
        let result = try await Program.run("run", "--processor", "127.0.0.98:9", "--standby", "--store", file)
        #expect(result.status == 1)
        #expect(result.errors.contains("left as it is"), "\(result.errors)")
    }

    /// What `/proc` says that it has open: paths, and `socket:[inode]` as the bare inode.
    private func openFiles(of process: Running) throws -> Set<String> {
        let descriptors = "/proc/\(process.pid)/fd"
        let names = try FileManager.default.contentsOfDirectory(atPath: descriptors)
        let targets = names.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(descriptors)/\($0)")
        }
        return Set(targets.map { $0.hasPrefix("socket:[") ? String($0.dropFirst(8).dropLast()) : $0 })
    }

    /// The inodes of the sockets on a UDP port (proc(5), /proc/net/udp).
    private func udpInodes(_ port: Int) throws -> Set<String> {
        let suffix = ":" + String(port, radix: 16, uppercase: true).leftPadded(4)
        let rows = try String(contentsOfFile: "/proc/net/udp", encoding: .utf8).split(separator: "\n").dropFirst()
        return Set(rows.map { $0.split(separator: " ") }.filter { $0[1].hasSuffix(suffix) }.map { String($0[9]) })
    }
}

extension String {
    fileprivate func leftPadded(_ width: Int) -> String { String(repeating: "0", count: max(0, width - count)) + self }
}
