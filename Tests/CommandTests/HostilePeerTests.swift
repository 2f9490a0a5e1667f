import Foundation
import Synchronization
import Testing

/// A control port that does what no unit does: the link says so, and nothing grows.
@Suite(.timeLimit(.minutes(3)))
struct HostilePeerTests {
    private static let memory = 120  // MiB
    private let folder = Folder()
    private var store: String { folder.file("s.sqlite") }

    private func number(_ query: String) async throws -> Int { Int(try await sql(store, query)) ?? -1 }
    private func stop(_ recorder: Running) async throws {
        #expect(recorder.peakMemory < Self.memory, "MiB")
        recorder.send(SIGTERM)
        let ended = try await recorder.end()
        #expect(ended.status == 0, "\(ended.errors)")
    }

    @Test("a byte at a time and never a line: not_enabled, never up")
    func slowBytes() async throws {
        let unit = HostilePeer { connection in
            for byte in #"{"jsonrpc":"2.0","method":"getResp","params":"# { connection.send(String(byte)) }
            while connection.send(" ") { usleep(100_000) }
        }
        let recorder = try unit.recorder(store)
        try await recorder.line("control down: not_enabled")
        try await stop(recorder)
        #expect(try await number("SELECT count(*) FROM link_states WHERE state = 'up'") == 0)
        #expect(try await number("SELECT count(*) FROM link_states") < 10)
    }

    @Test("a line of 16 MiB and nested lines are one error, and what comes after them is read")
    func endlessLine() async throws {
        let unit = HostilePeer { connection in
            let piece = String(repeating: "x", count: 65_536)
            for _ in 0..<256 { connection.send(piece) }
            connection.send("\n")
            for unit in ["[", "{\"a\":", "[{", "{\"error\":", "-", "\""] {
                connection.send(String(repeating: unit, count: 65_000 / unit.utf8.count) + "\n")
            }
            connection.send("{\"method\":\"update\",\"params\":{\"param\":\"ZoneGain_0\",\"val\":1e-}}\n")
            connection.answer()
        }
        let recorder = try unit.recorder(store)
        try await recorder.line("subscribed")
        try await eventually { try await number("SELECT sum(count) FROM socket_errors WHERE code = 'EBADMSG'") == 8 }
        try await stop(recorder)
        // An episode ends when the unit is heard; what a tick finds of it afterwards begins another.
        #expect(try await number("SELECT count(*) FROM socket_errors") <= 2)
    }

    @Test("12,000 made-up parameters: 5,000 are kept, the rest is counted, and what a unit has is recorded as before")
    func madeUpParameters() async throws {
        let unit = HostilePeer { connection in
            connection.send("{\"method\":\"update\",\"params\":{\"param\":\"ZoneGain_0\",\"val\":-7}}\n")
            for thousand in 0..<12 {
                let list = (0..<1_000).map { #"{"param":"MadeUp_\#(thousand * 1_000 + $0)","val":1}"# }
                connection.send(#"{"method":"update","params":["# + list.joined(separator: ",") + "]}\n")
            }
            connection.send("{\"method\":\"update\",\"params\":{\"param\":\"ZoneGain_0\",\"val\":-8}}\n")
            connection.answer()
        }
        let recorder = try unit.recorder(store)
        let gain = "SELECT group_concat(value) FROM parameter_changes WHERE parameter = 'ZoneGain_0'"
        try await eventually { try await sql(store, gain) == "-7,-8" }
        try await stop(recorder)
        #expect(try await number("SELECT count(DISTINCT parameter) FROM parameter_changes") == 5_000)
        let dropped = "SELECT sum(datagrams) FROM sample_losses WHERE reason = 'parameters_dropped'"
        #expect(try await number(dropped) == 7_001)
        #expect(try await number("SELECT count(*) FROM sample_losses") <= 2)
    }

    enum Ending: CaseIterable { case fin, reset, both }

    @Test(
        "a unit that takes the connection and ends it: every attempt is counted, in one row for each kind of end",
        arguments: Ending.allCases)
    func acceptAndEnd(_ ending: Ending) async throws {
        let count = Counter()
        let unit = HostilePeer { connection in
            let number = count.next()
            if ending == .reset || ending == .both && number.isMultiple(of: 2) { connection.reset() }
        }
        let recorder = try unit.recorder(store)
        // 0.5, 1, 2, 4 s between them.
        try await eventually { try await number("SELECT coalesce(sum(count), 0) FROM socket_errors") >= 5 }
        try await stop(recorder)
        #expect(try await number("SELECT sum(count) FROM socket_errors") == count.value)
        // A FIN becomes an RST where our question came first: EOF and ECONNRESET, each one row.
        #expect(try await number("SELECT count(*) FROM socket_errors") <= 2)
        let rows = "SELECT count(*) FROM connection_events WHERE event = 'connect_failed'"
        #expect(try await number(rows) == 1)
        #expect(try await number("SELECT count(*) FROM link_states WHERE state = 'down'") == 2)
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)
    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
    var value: Int { count.withLock { $0 } }
}
