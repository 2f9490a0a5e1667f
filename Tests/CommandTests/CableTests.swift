import Foundation
import Testing

/// What takes a network of its own: cut cables and missing routes, between the recorder and `simulate` as a user runs
/// them.
@Suite(
    .timeLimit(.minutes(3)),
    .enabled(if: TwoHosts.isPossible, "network namespaces take root or user namespaces, and iproute2's ip"))
struct CableTests {
    /// A recorder on one host, with a unit on the other.
    private struct Bench {
        let folder = Folder()
        let hosts: TwoHosts
        var store: String { folder.file("s.sqlite") }

        init() async throws { hosts = try await TwoHosts() }

        func startUnit() async throws -> Running {
            let unit = try hosts.start(.unit, Program.path, "simulate", "--address", "10.77.0.2")
            try await unit.line("listens on")
            return unit
        }
        func startRecorder(_ host: String, keepAlive: Int = 1) throws -> Running {
            try hosts.start(
                .recorder, Program.path, "run", "--processor", "Bar=\(host)", "--keep-alive", "\(keepAlive)", "--store",
                store)
        }

        /// The first row of a cause, in seconds of wall time: its start, and when the first event of the cause came.
        func row(_ link: String, _ cause: String) async throws -> (started: Double, noticed: Double) {
            let query = """
                SELECT (SELECT min(started_us) FROM link_states WHERE link = '\(link)' AND cause = '\(cause)') / 1e6,
                       (SELECT min(at_us) FROM connection_events WHERE link = '\(link)' AND cause = '\(cause)') / 1e6
                """
            let text = try await Program.tool("sqlite3", ["-readonly", store, query]).output
            let values = text.split { $0 == "|" || $0 == "\n" }.compactMap { Double($0) }
            return try (#require(values.first), #require(values.last))
        }
        func list(_ query: String) async throws -> String {
            try await Program.tool("sqlite3", ["-readonly", store, query]).output
        }
    }

    private static func stop(_ programs: Running...) async throws {
        for program in programs {
            program.send(SIGTERM)
            _ = try await program.end()
        }
    }

    @Test(
        "a cable that is cut without a FIN is silent since the first question without an answer, and one line",
        arguments: [1, 10, 60], ["unit", "recorder"])
    func cut(keepAlive: Int, end: String) async throws {
        let bench = try await Bench()
        let unit = try await bench.startUnit()
        let recorder = try bench.startRecorder("10.77.0.2", keepAlive: keepAlive)
        try await recorder.line("subscribed")
        try await recorder.line("meters up")
        let end = try #require(TwoHosts.Host(rawValue: end))
        let fault = Date().timeIntervalSince1970
        try await bench.hosts.ip(end, "link set cable down")
        let cut = Date().timeIntervalSince1970
        try await recorder.line("control down: silent")
        try await recorder.line("meters down: control_down")
        if keepAlive == 1 { try await recorder.line("connection given up: silent") }
        try await bench.hosts.ip(end, "link set cable up")
        try await recorder.line("control up", times: 2)
        try await recorder.line("meters up", times: 2)
        try await Self.stop(recorder, unit)

        let row = try await bench.row("control", "silent")
        // Noticed after an interval without an answer, or at least 3 s after the kernel's first question.
        #expect(row.noticed - row.started >= min(Double(keepAlive), 3))
        // The kernel asks 5 s after the last segment, which came before the cut was done; ours asks at its interval.
        // What it had asked last before the cut was answered, on a machine that is not too slow for that.
        #expect(row.started > fault - 1)
        if keepAlive > 1 { #expect(row.started < cut + 6) }
        let meters = try await bench.row("meters", "control_down")
        #expect(meters.started >= row.started && meters.started < row.noticed)
        let events = try await bench.list(
            "SELECT event FROM connection_events WHERE cause = 'silent' ORDER BY at_us")
        #expect(events == (keepAlive == 1 ? "unanswered\ngiven_up\n" : "disconnected\n"))
        #expect(recorder.count(of: "control down: silent") == 1)
    }

    @Test(
        "unreachable: the host has no route, a route that says so, or nobody at that address",
        arguments: ["", "route add unreachable 198.51.100.7", "route add 198.51.100.7 dev cable"])
    func unreachable(route: String) async throws {
        let bench = try await Bench()
        if !route.isEmpty { try await bench.hosts.ip(.recorder, route) }
        let fault = Date().timeIntervalSince1970
        let recorder = try bench.startRecorder("198.51.100.7")
        try await recorder.line("control down: unreachable")
        try await recorder.line("meters down: control_down")
        try await Self.stop(recorder)
        let row = try await bench.row("control", "unreachable")
        #expect(row.started >= fault && row.started <= row.noticed)
        let code = try await bench.list("SELECT code FROM socket_errors")
        #expect(code == (route.isEmpty ? "ENETUNREACH\n" : "EHOSTUNREACH\n"))
    }
}
