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
        let patio = try await SimulatedUnit(meterPort: bar.meterPort, "--address", "127.0.0.2")
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
        let sent = bar.stop()
        recorder.send(SIGTERM)
        let ended = try await recorder.end()
        #expect(ended.status == 0, "\(ended.errors)")

        let bars = "FROM sample_minute m JOIN processor p ON p.id = m.processor_id AND p.name = 'Bar'"
        let counts = try await sql(store, "SELECT sum(received), sum(stored), sum(duplicate) \(bars)")
        #expect(counts == "\(sent)|\(sent)|0")
        #expect(sent > 10_000)
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
        let events =
            "SELECT detail, count(*) FROM connection_events WHERE event = 'reloaded' GROUP BY detail ORDER BY 1"
        #expect(
            try await sql(store, events) == "added Patio (127.0.0.2:\(patio.port))|5\nremoved Patio|5")
        #expect(try await sql(store, "SELECT count(*) FROM socket_errors WHERE code = 'UNKNOWN_SENDER'") == "0")
        let check = try await Program.run("check", "--store", store)
        #expect(check.status == 0, "\(check.output)")
        try await patio.stop()
    }
}

/// A unit in this process that sends numbered values as fast as a large one, and counts them.
private final class LoadedUnit: @unchecked Sendable {  // what is not constant is the sender's until it has ended
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
                if sent == bytes.count { values += meters.count }
                usleep(2_000)
            }
            close(descriptor)
            ended.signal()
        }
    }

    /// How many values it sent.
    func stop() -> Int {
        lock.withLock { isStopped = true }
        ended.wait()
        return values
    }
}
