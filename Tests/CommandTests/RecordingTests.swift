import Foundation
import Testing

@Suite(.timeLimit(.minutes(2)))
struct RecordingTests {
    private func simulate(_ store: String, _ more: String...) throws -> Running {
        try Running(["run", "--simulate", "--meter-port", "0", "--keep-alive", "1", "--store", store] + more)
    }
    private func sql(_ store: String, _ query: String) async throws -> String {
        try await Program.tool("sqlite3", ["-readonly", store, query]).output.trimmingCharacters(in: .newlines)
    }

    @Test("what run records, report tells: beside the recorder, after a clean stop")
    func recordAndReport() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let recorder = try simulate(store)
        try await recorder.line("meters up")
        let live = try await Program.run("report", "--store", store, "--since", "1m", "--format", "json")
        #expect(live.status == 0, "\(live.errors)")
        recorder.send(SIGTERM)
        let ended = try await recorder.end()
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.lines[0] == "recording 1 processor into \(store)")
        #expect(try await sql(store, "SELECT clean, ended IS NOT NULL FROM recorder_runs") == "1|1")

        let json = try await Program.run("report", "--store", store, "--since", "1m", "--format", "json")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(report["version"] as? Int == 1)
        let processor = try #require((report["processors"] as? [[String: Any]])?.first)
        let stored = try #require(Int(await sql(store, "SELECT count(*) FROM meter_samples")))
        #expect(processor["samples"] as? Int == stored)
        #expect(stored > 0)
        for link in try #require(processor["links"] as? [[String: Any]]) {
            let sum = ["up_seconds", "down_seconds", "unknown_seconds"].reduce(0.0) { $0 + (link[$1] as! Double) }
            #expect(abs(sum - (report["window_seconds"] as! Double)) < 1e-6)
            #expect(link["state"] as? String == "unknown")
            #expect(link["cause"] as? String == "recorder_stopped")
            #expect(link["uptime_percent"] as? Double == 100)
        }
        let errors = try #require(report["errors"] as? [[String: Any]])
        #expect(errors.count == 1)
        #expect(errors[0]["code"] as? String == "EADDRINUSE")
        #expect(errors[0]["count"] as? Int == 0)
    }

    @Test("--fail-on: 2 if it was there, 0 with the missing seconds if not, 1 if nothing was recorded")
    func failOn() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        _ = try await Program.run("run", "--processor", "Bar=127.0.0.98:9", "--for", "2s", "--store", store)
        func report(_ arguments: String...) async throws -> Program.Result {
            try await Running(["report", "--store", store] + arguments).end()
        }
        for code in ["ECONNREFUSED", "refused", "any", "control_down", "recorder_stopped", "unrecorded"] {
            let result = try await report("--since", "5m", "--fail-on", code)
            #expect(result.status == 2, "\(code): \(result.errors)")
            #expect(result.errors.contains("found"))
        }
        let absent = try await report("--since", "5m", "--fail-on", "EADDRINUSE", "--fail-on", "wedged")
        #expect(absent.status == 0)
        #expect(absent.errors.contains("s of this window were not recorded"), "\(absent.errors)")
        let nothing = try await report("--since", "3d", "--until", "2d", "--fail-on", "EADDRINUSE")
        #expect(nothing.status == 1)
        #expect(nothing.errors.contains("could not tell"))
        let both = try await report(
            "--since", "3d", "--until", "2d", "--fail-on", "EADDRINUSE", "--fail-on", "unrecorded")
        #expect(both.status == 2)
    }

    @Test("--split puts before and after side by side, and --fail-on judges what came after")
    func split() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        _ = try await Program.run("run", "--processor", "Bar=127.0.0.98:9", "--for", "2s", "--store", store)
        func report(_ arguments: String...) async throws -> Program.Result {
            try await Running(["report", "--store", store] + arguments).end()
        }
        // Between the recorder's end and now: refused before, nothing known after.
        let split = try #require(Int(await sql(store, "SELECT ended_us / 1000000 + 1 FROM recorder_runs")))
        while Int(Date().timeIntervalSince1970) <= split { try await Task.sleep(for: .milliseconds(100)) }
        let text = try await report("--since", "5m", "--split", "@\(split)")
        #expect(text.status == 0, "\(text.errors)")
        #expect(text.output.hasPrefix("Split       "))
        #expect(text.output.contains("could not tell: "), "\(text.output)")
        #expect(text.output.contains("nothing of it recorded: no proof"), "\(text.output)")
        #expect(text.lines.allSatisfy { $0.count <= 80 }, "\(text.output)")
        for code in ["ECONNREFUSED", "refused"] {
            #expect(try await report("--since", "5m", "--fail-on", code).status == 2)
            let after = try await report("--since", "5m", "--split", "@\(split)", "--fail-on", code)
            #expect(after.status == 1, "nothing was recorded then")
            #expect(after.errors.contains("--fail-on judges the time after the split"))
        }
        let csv = try await report("outages", "--since", "5m", "--split", "@\(split)", "--format", "csv")
        #expect(csv.lines[0].hasPrefix("part,processor,link,"), "\(csv.output)")
        #expect(csv.lines.dropFirst().allSatisfy { $0.isEmpty || $0.hasPrefix("before,Bar,") }, "\(csv.output)")
        let json = try await report("--since", "5m", "--split", "@\(split)", "--format", "json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let parts = try #require(object["split"] as? [String: Any])
        #expect(parts["before"] != nil && (parts["after"] as? [String: Any])?["recorded_seconds"] as? Double == 0)
    }

    @Test("the page is plain ASCII where the locale is not UTF-8")
    func plainASCII() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        _ = try await simulate(store, "--for", "2s").end()
        let arguments = ["report", "--store", store, "--since", "1m"]
        let plain = try await Running(arguments, environment: ["LC_ALL": "C"]).end()
        #expect(plain.output.contains("Timeline  = up"), "\(plain.output)")
        let blocks = try await Running(arguments, environment: ["LC_ALL": "C.UTF-8"]).end()
        #expect(blocks.output.contains("Timeline  █ up"), "\(blocks.output)")
    }

    @Test("the text report answers first, in 80 columns, without colour in a pipe")
    func textReport() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        _ = try await simulate(store, "--for", "2s").end()
        let report = try await Program.run("report", "--store", store, "--since", "5m")
        #expect(report.status == 0)
        let starts = ["Window", "Recorded", "Now", "", "Errors", "EADDRINUSE"]
        for (line, start) in zip(report.lines, starts) { #expect(line.hasPrefix(start), "\(line)") }
        #expect(report.lines.allSatisfy { $0.count <= 80 }, "\(report.output)")
        #expect(!report.output.contains("\u{1B}"))
    }

    @Test("a reader of stdout that never reads does not hold up the recorder")
    func stuckReader() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        // `sleep` holds the pipe and reads nothing; the pipe is full before the recorder begins (1031: F_SETPIPE_SZ).
        let script = """
            exec 3> >(exec sleep 6)
            python3 -c 'import fcntl; fcntl.fcntl(3, 1031, 4096)'
            head -c 4096 /dev/zero >&3
            \(Program.path) run --simulate --meter-port 0 --store \(store) --for 3s >&3
            """
        let shell = try Running(["-c", script], executable: "/bin/bash")
        let result = try await shell.end()
        #expect(result.status == 0, "\(result.errors)")
        #expect(try await sql(store, "SELECT clean FROM recorder_runs") == "1")
        #expect(try await sql(store, "SELECT count(*) > 4 FROM connection_events") == "1")
    }

    @Test("a second recorder on the same store exits with 75 and names the holder")
    func secondRecorder() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let first = try simulate(store)
        try await first.line("recording")
        let second = try await simulate(store, "--for", "1s").end()
        #expect(second.status == 75)
        #expect(second.errors.contains("pid \(first.pid) since "), "\(second.errors)")
        let alias = folder.file("alias.sqlite")
        try FileManager.default.createSymbolicLink(atPath: alias, withDestinationPath: store)
        #expect(try await simulate(alias, "--for", "1s").end().status == 75, "another name of the same store")
        first.send(SIGINT)
        #expect(try await first.end().status == 0)
    }

    @Test("after kill -9 the store is whole, the report says since when nothing is known, and the next run goes on")
    func killed() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let recorder = try simulate(store)
        try await recorder.line("subscribed")
        recorder.send(SIGKILL)
        _ = try await recorder.end()
        #expect(try await sql(store, "PRAGMA integrity_check") == "ok")
        let events = try await sql(store, "SELECT group_concat(event) FROM connection_events")
        #expect(events.contains("started") && events.contains("subscribed"))
        let again = try await simulate(store, "--for", "2s").end()
        #expect(again.status == 0, "\(again.errors)")
        #expect(try await sql(store, "SELECT group_concat(clean) FROM recorder_runs") == "0,1")
        let holes = """
            SELECT count(*) FROM (SELECT ended_us, lead(started_us) OVER (PARTITION BY processor, link ORDER BY started_us)
                   AS next FROM link_states) WHERE ended_us <> next
            """
        #expect(try await sql(store, holes) == "0")
        #expect(
            try await sql(
                store, "SELECT count(*) FROM link_states WHERE cause = 'recorder_stopped' AND ended IS NOT NULL") == "2"
        )
    }

    @Test(
        "another user with read permission only can ask: while it records, after a clean stop, after kill -9",
        .enabled(if: getuid() == 0, "becoming another user takes root"))
    func otherUser() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let binary = folder.file("atlas-recorder")
        try FileManager.default.copyItem(atPath: Program.path, toPath: binary)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        // uid 65534 is nobody; the store's group is root's, 0, and its mode 0640.
        func asNobody(_ command: String...) async throws -> Program.Result {
            try await Program.tool("setpriv", ["--reuid=65534", "--regid=0", "--clear-groups", "--"] + command)
        }
        func check(_ when: String) async throws {
            let report = try await asNobody(binary, "report", "--store", store, "--since", "1m")
            #expect(report.status == 0, "\(when): \(report.errors)")
            let count = try await asNobody("sqlite3", "-readonly", store, "SELECT count(*) > 0 FROM meter_samples")
            #expect(count.output == "1\n", "\(when): \(count.errors)")
            let write = try await asNobody("sqlite3", store, "DELETE FROM frame")
            #expect(write.status != 0, "\(when)")
        }
        let first = try simulate(store)
        try await first.line("subscribed")
        while try await sql(store, "SELECT count(*) FROM meter_samples") == "0" {}
        try await check("recording")
        first.send(SIGTERM)
        _ = try await first.end()
        try await check("stopped")
        let second = try simulate(store)
        try await second.line("subscribed")
        second.send(SIGKILL)
        _ = try await second.end()
        try await check("killed")
    }
}
