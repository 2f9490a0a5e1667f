import Foundation
import Testing

/// SIGHUP: the file is read again, and not a sample is lost for it.
@Suite(.timeLimit(.minutes(2)))
struct ReloadTests {
    private let folder = Folder()
    private var file: String { folder.file("venue.toml") }
    private var store: String { folder.file("s.sqlite") }

    private func write(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }

    private func head(_ meterPort: Int) -> String {
        "store = \"\(store)\"\nmeter_port = \(meterPort)\nkeep_alive = 1\n"
    }

    private func unit(_ name: String, _ host: String, _ port: Int, _ more: String = "") -> String {
        "[[processor]]\nname = \"\(name)\"\nhost = \"\(host)\"\nport = \(port)\n\(more)\n"
    }

    @Test("ten reloads under load, each adding or removing a second unit: the first has every sample that was sent")
    func underLoad() async throws {
        let bar = LoadedUnit()
        let patio = try await SimulatedUnit(meterPort: bar.meterPort, address: "127.0.0.2")
        let alone = head(bar.meterPort) + unit("Bar", "127.0.0.1", bar.port)
        let both = alone + unit("Patio", "127.0.0.2", patio.port)
        try write(alone)
        let recorder = try Running(["run", "--config", file])
        try await recorder.line("Bar  meters' socket bound")
        bar.start()
        try await recorder.line("Bar  meters up")
        for turn in 1...10 {
            try write(turn % 2 == 1 ? both : alone)
            recorder.send(SIGHUP)
            try await recorder.line("recorder  reloaded", times: turn)
            if turn % 2 == 1 { try await recorder.line("Patio  meters up", times: (turn + 1) / 2) }
        }
        try await eventually { bar.sent > 5_000 }
        let sent = bar.stop()
        recorder.send(SIGTERM)
        let ended = try await recorder.end()
        #expect(ended.status == 0, "\(ended.errors)")

        let bars = "FROM sample_minute m JOIN processor p ON p.id = m.processor_id AND p.name = 'Bar'"
        let counts = try await sql(store, "SELECT sum(received), sum(stored), sum(duplicate) \(bars)")
        #expect(counts == "\(sent)|\(sent)|0")
        #expect(try await sql(store, "SELECT count(*) FROM meter_samples WHERE processor = 'Bar'") == "\(sent)")
        #expect(try await sql(store, "SELECT coalesce(sum(samples), 0), count(*) FROM sample_losses") == "0|0")
        // Nothing happened to its links.
        let states = "SELECT count(*) FROM link_states WHERE processor = 'Bar' AND state = 'up'"
        #expect(try await sql(store, states) == "2")
        let disturbances =
            "SELECT group_concat(event) FROM connection_events WHERE processor = 'Bar' AND cause IS NOT NULL"
        #expect(try await sql(store, disturbances) == "")
        // The other one came and went five times, and no link has a hole.
        let patios = """
            SELECT count(*), sum(state = 'up'), sum(cause = 'not_recorded') FROM link_states
             WHERE processor = 'Patio' AND link = 'control' AND cause IS NOT 'recorder_stopped'
            """
        #expect(try await sql(store, patios) == "16|5|6")
        #expect(try await sql(store, "SELECT count(*) FROM meter_samples WHERE processor = 'Patio'") != "0")
        let reloads =
            "SELECT detail, count(*) FROM connection_events WHERE event = 'reloaded' GROUP BY detail ORDER BY 1"
        #expect(
            try await sql(store, reloads) == "added Patio (127.0.0.2:\(patio.port))|5\nremoved Patio|5")
        let strangers = "SELECT count(*), group_concat(message) FROM socket_errors WHERE code = 'UNKNOWN_SENDER'"
        #expect(try await sql(store, strangers) == "0|")
        let check = try await Program.run("check", "--store", store)
        #expect(check.status == 0, "\(check.output)")
        try await patio.stop()
    }

    @Test("a file that cannot be used changes nothing, and says so: wrong, missing, or with what takes a restart")
    func refused() async throws {
        let bar = try await SimulatedUnit()
        let right = head(bar.meterPort) + unit("Bar", "127.0.0.1", bar.port)
        try write(right)
        let recorder = try Running(["run", "--config", file])
        try await recorder.line("Bar  meters up")
        let wrong = [
            (
                right + "relay = yes",
                "venue.toml:9:9: 'yes' is neither a number nor true or false. Write true or false."
            ),
            (
                right + unit("Bar", "127.0.0.3", 9),
                "venue.toml:10:8: processor[2].name: another processor is called 'Bar' already"
            ),
            (head(bar.meterPort), "venue.toml: processor: there is none, so nothing would be recorded"),
            (
                head(9) + unit("Bar", "127.0.0.1", bar.port),
                "meter_port: was \(bar.meterPort) and is 9 now, which takes a restart"
            ),
            (
                head(bar.meterPort) + "[http]\nlisten = \"127.0.0.1:8131\"\n" + unit("Bar", "127.0.0.1", bar.port),
                "http: was none and is http://127.0.0.1:8131/ now, which takes a restart"
            ),
            (
                "store = \"/elsewhere.sqlite\"\nmeter_port = \(bar.meterPort)\n" + unit("Patio", "127.0.0.2", 9),
                "store: was \(store) and is /elsewhere.sqlite now, which takes a restart"
            ),
        ]
        for (index, (text, says)) in wrong.enumerated() {
            try write(text)
            recorder.send(SIGHUP)
            try await recorder.line("recorder  not reloaded", times: index + 1)
            #expect(recorder.log.contains(says), "\(recorder.log)")
        }
        try FileManager.default.removeItem(atPath: file)
        recorder.send(SIGHUP)
        try await recorder.line("recorder  not reloaded", times: wrong.count + 1)
        // The same as before is no fault, and no change.
        try write(right + "# a word\n")
        recorder.send(SIGHUP)
        try await recorder.line("recorder  reloaded (nothing has changed)")
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        #expect(try await sql(store, "SELECT count(*) FROM link_states WHERE state = 'up'") == "2")
        let events =
            "SELECT count(*), sum(detail LIKE '%venue.toml%') FROM connection_events WHERE event = 'reload_refused'"
        #expect(try await sql(store, events) == "7|7")
        #expect(try await sql(store, "SELECT group_concat(processor) FROM processors") == "Bar")
        try await bar.stop()
    }

    @Test("another host and port, keep-alive, relay and parameters hold at once, and the processor's rows go on")
    func changes() async throws {
        let old = try await SimulatedUnit()
        let new = try await SimulatedUnit(meterPort: old.meterPort, address: "127.0.0.2")
        try write(head(old.meterPort) + unit("Bar", "127.0.0.1", old.port))
        let recorder = try Running(["run", "--config", file])
        try await recorder.line("Bar  meters up")
        try write(
            "store = \"\(store)\"\nmeter_port = \(old.meterPort)\nkeep_alive = 300\nrelay = false\n[retention]\nsamples = \"7d\"\n"
                + unit("Bar", "127.0.0.2", new.port))
        recorder.send(SIGHUP)
        let detail =
            "Bar: 127.0.0.1:\(old.port) -> 127.0.0.2:\(new.port); keep_alive 300 s; relay off; retention: samples 90d -> 7d"
        try await recorder.line("recorder  reloaded (\(detail))")
        try await recorder.line("Bar  meters up", times: 2)
        // Nobody is passed anything.
        let other = try Running(
            ["-c", Self.listener, "\(old.meterPort)"], executable: "/usr/bin/env", before: ["python3"])
        try await other.line("bound")
        try await recorder.line("gets nothing: --no-relay")
        try write(head(old.meterPort) + unit("Bar", "127.0.0.2", new.port, "subscriptions = [\"ZoneName_*\"]"))
        recorder.send(SIGHUP)
        try await recorder.line("Bar: other subscriptions; keep_alive 1 s; relay on; retention: samples 7d -> 90d)")
        try await recorder.line("Bar  subscribed (8 parameters)")
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        other.send(SIGKILL)
        _ = try await other.end()
        #expect(
            try await sql(store, "SELECT processor, host, control_port FROM processors") == "Bar|127.0.0.2|\(new.port)")
        let meters = """
            SELECT group_concat(coalesce(cause, state)) FROM
                (SELECT cause, state FROM link_states WHERE link = 'meters' ORDER BY started_us)
            """
        #expect(
            try await sql(store, meters)
                == "recorder_starting,up,recorder_starting,up,recorder_starting,not_recorded,recorder_stopped")
        let check = try await Program.run("check", "--store", store)
        #expect(check.status == 0, "\(check.output)")
        try await old.stop()
        try await new.stop()
    }

    @Test("the feed tells of a unit that came; a store that is begun anew begins with the reloaded processors")
    func feedAndSuccession() async throws {
        let bar = try await SimulatedUnit()
        let patio = try await SimulatedUnit(meterPort: bar.meterPort, address: "127.0.0.2")
        let alone = head(bar.meterPort) + unit("Bar", "127.0.0.1", bar.port)
        try write(alone)
        let recorder = try Running(["run", "--config", file])
        try await recorder.line("Bar  meters up")
        let tail = try Running(["tail", "--store", store])
        try await tail.line("  Bar  ZoneMeter_")
        try write(alone + unit("Patio", "127.0.0.2", patio.port))
        recorder.send(SIGHUP)
        try await tail.line("  Patio  control up")
        try await tail.line("  Patio  ZoneMeter_")
        try write(alone)
        recorder.send(SIGHUP)
        try await tail.line("  Patio  meters unknown: not_recorded")
        try write(head(bar.meterPort) + unit("Patio", "127.0.0.2", patio.port))
        recorder.send(SIGHUP)
        try await recorder.line("reloaded (removed Bar; added Patio")
        try await recorder.line("Patio  meters up", times: 2)
        try FileManager.default.removeItem(atPath: store)
        try await recorder.line("store moved")
        try await recorder.line("Patio  meters up", times: 3)
        // And a reload reaches the new one.
        try write(alone)
        recorder.send(SIGHUP)
        try await recorder.line("reloaded (removed Patio; added Bar")
        try await recorder.line("Bar  meters up", times: 2)
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        _ = try await tail.end()
        #expect(try await sql(store, "SELECT min(processor), max(processor) FROM processors") == "Bar|Patio")
        let check = try await Program.run("check", "--store", store)
        #expect(check.status == 0, "\(check.output)")
        try await bar.stop()
        try await patio.stop()
    }

    @Test("one that stands by reads the file, too, and takes over with what it says then")
    func standingBy() async throws {
        let bar = try await SimulatedUnit()
        try write(head(bar.meterPort) + unit("Old", "127.0.0.1", bar.port))
        let first = try Running(["run", "--config", file])
        try await first.line("Old  meters up")
        let second = try Running(["run", "--standby", "--config", file])
        try await second.line("standing by")
        try write(head(bar.meterPort) + unit("New", "127.0.0.1", bar.port))
        second.send(SIGHUP)
        try await eventually { second.log.contains("is read again") }
        first.send(SIGTERM)
        #expect(try await first.end().status == 0)
        try await second.line("New  meters up")
        second.send(SIGTERM)
        #expect(try await second.end().output.contains("Old") == false)
        try await bar.stop()
    }

    /// Binds 0.0.0.0 with address reuse, as a relay's listener does.
    private static let listener = """
        import signal, socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("0.0.0.0", int(sys.argv[1])))
        print("bound", flush=True)
        signal.pause()
        """

    @Test("without a configuration file SIGHUP stops the recorder, cleanly")
    func withoutFile() async throws {
        let bar = try await SimulatedUnit()
        let recorder = try bar.recorder(store)
        try await recorder.line("Bar  meters up")
        recorder.send(SIGHUP)
        #expect(try await recorder.end().status == 0)
        #expect(try await sql(store, "SELECT clean FROM recorder_runs") == "1")
        try await bar.stop()
    }
}

/// A unit in this process that sends numbered values as fast as a large one, and counts them.
private final class LoadedUnit: @unchecked Sendable {  // what is not constant is behind the lock
    private let control = HostilePeer { $0.answer() }
    let meterPort = freeUDPPort()
    var port: Int { control.port }
    private var values = 0
    private var isStopped = false
    private let lock = NSLock()
    private let ended = DispatchSemaphore(value: 0)

    func start() {
        let meterPort = meterPort
        Thread.detachNewThread { [self] in
            let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = UInt16(meterPort).bigEndian
            target.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var number = 0
            while !lock.withLock({ isStopped }) {
                number += 1
                // No level twice in a row.
                let meters = (0..<8).map {
                    #"{"param":"ZoneMeter_\#($0)","val":-\#((number + $0) % 800 / 10).\#(number % 10)}"#
                }
                let text = #"{"jsonrpc":"2.0","method":"update","params":[\#(meters.joined(separator: ","))]}"# + "\n"
                let bytes = Array(text.utf8)
                let sent = withUnsafePointer(to: &target) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                if sent == bytes.count { lock.withLock { values += meters.count } }
                if number % 4 == 0 { usleep(1_000) }
            }
            close(descriptor)
            ended.signal()
        }
    }

    /// How many values it has sent.
    var sent: Int { lock.withLock { values } }

    /// How many values it sent in all.
    func stop() -> Int {
        lock.withLock { isStopped = true }
        ended.wait()
        return sent
    }
}
