import Foundation
import Testing

/// Whoever can send to the meters' port can cost datagrams, all counted; not memory, rows, or the recorder.
@Suite(.timeLimit(.minutes(3)))
struct HostileDatagramTests {
    /// MiB; an idle recorder has some 30, and 16 in release.
    private static let memory = 120
    private let folder = Folder()
    private var store: String { folder.file("s.sqlite") }

    private func number(_ query: String) async throws -> Int {
        Int(try await sql(store, query)) ?? -1
    }
    private func stop(_ recorder: Running) async throws {
        recorder.send(SIGTERM)
        let ended = try await recorder.end()
        #expect(ended.status == 0, "\(ended.errors)")
    }
    private static let dropped = "(SELECT coalesce(sum(datagrams), 0) FROM sample_losses WHERE reason = 'kernel_drop')"
    private static let read = "(SELECT coalesce(sum(datagrams), 0) FROM sample_counts)"
    private static let unknown = "(SELECT coalesce(sum(count), 0) FROM socket_errors WHERE code = 'UNKNOWN_SENDER')"

    private static func meters(_ number: Int) -> String {
        let values = (0..<10).map { #"{"param":"SourceMeter_\#($0)","val":-\#((number + $0) % 700)e-1}"# }
        return #"{"method":"update","params":[\#(values.joined(separator: ","))]}"#
    }

    private func checkBalance(sent: Int) async throws {
        #expect(try await number("SELECT count(*) FROM sample_counts WHERE received <> stored + duplicate + lost") == 0)
        #expect(
            try await number("SELECT sum(stored) FROM sample_counts") == number("SELECT count(*) FROM meter_samples"))
        #expect(try await number("SELECT \(Self.dropped) + \(Self.read) + \(Self.unknown)") == sent)
    }

    @Test(
        "a flood from 200 other addresses: the unit's datagrams are stored or counted as dropped, the flood is one row")
    func flood() async throws {
        let meterPort = freeUDPPort()
        let unit = HostilePeer { $0.answer() }
        let recorder = try unit.recorder(store, meterPort: meterPort)
        try await recorder.line("subscribed")
        let own = HostileSender(from: "127.0.0.1", to: meterPort)
        let others = (0..<200).map { HostileSender(from: "127.9.\($0 / 100).\($0 % 100 + 1)", to: meterPort) }
        // What they send is as good as the unit's own.
        let lie = Array(#"{"method":"update","params":[{"param":"ZoneMeter_7","val":0}]}"#.utf8)
        for round in 0..<500 {
            own.send(Self.meters(round))
            for number in 0..<400 { others[(round + number) % others.count].send(lie) }
        }
        try await eventually { try await number("SELECT \(Self.dropped) + \(Self.read) + \(Self.unknown)") >= 200_500 }
        #expect(recorder.peakMemory < Self.memory, "MiB")
        try await stop(recorder)
        try await checkBalance(sent: 200_500)
        #expect(try await number("SELECT 500 - \(Self.read) <= \(Self.dropped)") == 1)
        #expect(try await number("SELECT \(Self.read)") > 0)
        #expect(try await number("SELECT count(*) FROM meter_samples WHERE meter = 'ZoneMeter_7'") == 0)
        #expect(try await number("SELECT count(*) FROM socket_errors WHERE code = 'UNKNOWN_SENDER'") == 1)
        #expect(try await number("SELECT count(*) FROM connection_events") < 20)
    }

    /// 65,507 bytes, or what is said.
    private static func filled(_ head: String, _ unit: String, _ tail: String = "", _ bytes: Int = 65_507) -> String {
        let room = bytes - head.utf8.count - tail.utf8.count
        return head + String(repeating: unit, count: room / unit.utf8.count) + tail
    }

    private static let garbage: [(String, times: Int)] = [
        (#"{"method":"update","params":[{"param":"ZoneMeter_0","val":1e-}]}"#, 200),
        (
            #"{"method":"update","params":[{"param":"ZoneMeter_0","val":"\#(String(repeating: "9", count: 60_000))"}]}"#,
            20
        ),
        // Numbers, but no levels: summed they would be no number.
        (
            #"{"method":"update","params":[{"param":"ZoneMeter_0","val":1e308},{"param":"ZoneMeter_0","val":-1e308}]}"#,
            200
        ),
        ("\0\u{7F}é\u{1F600}{", 200), ("{", 200), ("", 5),
        (filled("", "["), 5), (filled("", "[{"), 5), (filled(#"{"method":"update","params":"#, "["), 5),
        (filled("", #"{"a":"#), 5), (filled(#"{"error":"#, #"{"error":"#), 5), (filled("", "{}\n"), 5),
        (filled(#"{"method":"update","params":["#, "0,", "0]}"), 5), (filled("", "x"), 5), (filled("", "\0"), 5),
        (filled(#"{"method":"update","params":["#, "{},", "{}]}"), 5), (filled(#"{"id":"#, "-"), 5),
        (filled("", #"{"method":"update","params":[nan]}"# + "\n"), 5),
    ]

    @Test(
        "garbage under the unit's own address, 65,507 bytes and nested without end: counted, and the next value is stored"
    )
    func spoofed() async throws {
        let meterPort = freeUDPPort()
        let unit = HostilePeer { $0.answer() }
        let recorder = try unit.recorder(store, meterPort: meterPort)
        try await recorder.line("subscribed")
        let own = HostileSender(from: "127.0.0.1", to: meterPort)
        var sent = 0
        for (text, times) in Self.garbage {
            let bytes = Array(text.utf8)
            for _ in 0..<times { own.send(bytes) }
            sent += times
            try await eventually { try await number("SELECT \(Self.dropped) + \(Self.read)") >= sent }
        }
        own.send(Self.meters(0))
        try await eventually { try await number("SELECT count(*) FROM meter_samples") == 10 }
        #expect(recorder.peakMemory < Self.memory, "MiB")
        try await stop(recorder)
        try await checkBalance(sent: sent + 1)
        #expect(try await number("SELECT count(*) FROM meter_samples") == 10)
        #expect(try await number("SELECT count(*) FROM sample_losses") < 10)
        #expect(try await number("SELECT count(*) FROM connection_events WHERE link IS NOT 'meters'") < 10)
    }
}
