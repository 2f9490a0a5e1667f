import Foundation
import Testing

/// The recorder's host gets another address, or loses its interface for a while, in a network of its own.
@Suite(
    .timeLimit(.minutes(2)),
    .enabled(if: TwoHosts.isPossible, "network namespaces take root or user namespaces, and iproute2's ip"))
struct AddressTests {
    private struct Bench {
        let folder = Folder()
        let hosts: TwoHosts
        let unit, recorder: Running
        private var store: String { folder.file("s.sqlite") }

        /// Both links are up when this returns.
        init() async throws {
            hosts = try await TwoHosts()
            unit = try hosts.start(.unit, Program.path, "simulate", "--address", "10.77.0.2")
            try await unit.line("listens on")
            recorder = try hosts.start(
                .recorder, Program.path, "run", "--processor", "Bar=10.77.0.2", "--store", folder.file("s.sqlite"))
            try await recorder.line("subscribed")
            try await recorder.line("meters up")
        }

        func stop() async throws {
            for program in [recorder, unit] {
                program.send(SIGTERM)
                #expect(try await program.end().status == 0)
            }
        }

        /// The addresses of the host's sockets on the meters' port, as /proc/net/udp has them.
        func sockets() async throws -> [String] {
            let table = try await hosts.start(.recorder, "cat", "/proc/net/udp").end().output
            return table.split(separator: "\n").dropFirst().compactMap { line in
                let local = line.split(separator: " ")[1].split(separator: ":")
                return local[1] == "0C3B" ? String(local[0]) : nil
            }
        }
        func list(_ query: String) async throws -> String {
            try await Program.tool("sqlite3", ["-readonly", store, query]).output
        }
        /// Seconds of the wall clock.
        func first(_ event: String, at address: String) async throws -> Double {
            let text = try await list(
                "SELECT max(at_us) / 1e6 FROM connection_events WHERE event = '\(event)' AND detail LIKE '%\(address):%'"
            )
            return try #require(Double(text.dropLast()))
        }
    }

    @Test(
        "another address is followed within two looks, whether it replaces the old one or was there before",
        arguments: ["replaced", "replaced late", "added first"])
    func otherAddress(change: String) async throws {
        let bench = try await Bench()
        #expect(try await bench.sockets() == ["01004D0A"])
        if change == "added first" {
            try await bench.hosts.ip(.recorder, "addr add 10.77.0.9/24 dev cable")
            // Of two in one network the first goes with the second, unless the kernel is told to keep it.
            let keep = "echo 1 >/proc/sys/net/ipv4/conf/cable/promote_secondaries"
            #expect(try await bench.hosts.start(.recorder, "sh", "-c", keep).end().status == 0)
            try await Task.sleep(for: .seconds(2))
            #expect(bench.recorder.count(of: "connected (from") == 1, "the old one is as good as before")
        }
        let fault = Date().timeIntervalSince1970
        try await bench.hosts.ip(.recorder, "addr del 10.77.0.1/24 dev cable")
        if change == "replaced late" { try await Task.sleep(for: .seconds(2)) }
        if change != "added first" { try await bench.hosts.ip(.recorder, "addr add 10.77.0.9/24 dev cable") }
        let there = Date().timeIntervalSince1970
        try await bench.recorder.line("control down: address_gone (10.77.0.1 is no address of this host any more")
        try await bench.recorder.line("connected (from 10.77.0.9:")
        try await bench.recorder.line("meters' socket moved (10.77.0.9:3131")
        try await bench.recorder.line("control up", times: 2)
        try await bench.recorder.line("meters up", times: 2)
        try await bench.recorder.line("subscribed", times: 2)
        #expect(try await bench.sockets() == ["09004D0A"])
        try await Task.sleep(for: .milliseconds(1_500))  // a look at the port, after the change
        try await bench.stop()

        let rows = try await bench.list(
            "SELECT link, cause FROM link_states WHERE state = 'down' ORDER BY link, started_us")
        #expect(rows == "control|address_gone\nmeters|control_down\n")
        let outage = try await bench.list(
            "SELECT started_us / 1e6, ended_us / 1e6 FROM link_states WHERE cause = 'address_gone'")
        let times = outage.dropLast().split(separator: "|").compactMap { Double($0) }
        try #require(times.count == 2)
        // It may begin with what was heard last.
        #expect(times[0] > fault - 1.5 && times[0] < fault + 1 && times[1] < there + 4, "\(times.map { $0 - there })")
        let rebound = try await bench.first("rebound", at: "10.77.0.9")
        #expect(rebound >= fault && rebound <= times[1])
        // Its own old socket is not another program's.
        #expect(try await bench.list("SELECT count(*) FROM connection_events WHERE event LIKE 'port_%'") == "0\n")
        #expect(try await bench.list("SELECT count(*) FROM socket_errors WHERE socket LIKE 'udp%'") == "0\n")
    }

    @Test(
        "an interface that is down for a moment costs nothing, with its address kept or taken and given back",
        arguments: [true, false])
    func downForAMoment(keepsAddress: Bool) async throws {
        let bench = try await Bench()
        if !keepsAddress { try await bench.hosts.ip(.recorder, "addr del 10.77.0.1/24 dev cable") }
        try await bench.hosts.ip(.recorder, "link set cable down")
        try await Task.sleep(for: .seconds(2))
        try await bench.hosts.ip(.recorder, "link set cable up")
        if !keepsAddress { try await bench.hosts.ip(.recorder, "addr add 10.77.0.1/24 dev cable") }
        try await Task.sleep(for: .seconds(5))
        #expect(try await bench.sockets() == ["01004D0A"])
        try await bench.stop()
        // The connection outlived it: it was not ended for an address that came back.
        #expect(try await bench.list("SELECT count(*) FROM connection_events WHERE event = 'connected'") == "1\n")
        #expect(try await bench.list("SELECT count(*) FROM link_states WHERE state = 'down'") == "0\n")
        #expect(try await bench.list("SELECT count(*) FROM socket_errors") == "0\n")
    }

    @Test(
        "an interface that is down for longer than TCP waits comes back by itself",
        arguments: [true, false])
    func downForLong(keepsAddress: Bool) async throws {
        let bench = try await Bench()
        if !keepsAddress { try await bench.hosts.ip(.recorder, "addr del 10.77.0.1/24 dev cable") }
        try await bench.hosts.ip(.recorder, "link set cable down")
        try await bench.recorder.line("control down: unreachable")
        try await bench.hosts.ip(.recorder, "link set cable up")
        if !keepsAddress { try await bench.hosts.ip(.recorder, "addr add 10.77.0.1/24 dev cable") }
        try await bench.recorder.line("control up", times: 2)
        try await bench.recorder.line("meters up", times: 2)
        #expect(try await bench.sockets() == ["01004D0A"])
        try await bench.stop()
        let causes = try await bench.list(
            "SELECT DISTINCT cause FROM link_states WHERE state = 'down' AND link = 'control' ORDER BY started_us")
        #expect(causes == "silent\nunreachable\n")
        #expect(try await bench.list("SELECT count(*) FROM socket_errors WHERE socket LIKE 'udp%'") == "0\n")
    }

    @Test("what cannot be passed on is counted", .enabled(if: Node.isThere, "Node is not installed"))
    func relayFails() async throws {
        let bench = try await Bench()
        let listener = try bench.hosts.start(
            .recorder, "node", "-e",
            "require('dgram').createSocket({type: 'udp4', reuseAddr: true}).bind(3131)")
        try await bench.recorder.line("relaying")
        try await bench.hosts.ip(.recorder, "route del table local broadcast 127.255.255.255 dev lo")
        try await bench.hosts.ip(.recorder, "route add table local unreachable 127.255.255.255")
        try await Task.sleep(for: .seconds(3))
        try await bench.stop()
        listener.send(SIGTERM)
        _ = try await listener.end()
        let rows = try await bench.list(
            "SELECT socket, operation, code, address, count > 10 FROM socket_errors WHERE operation = 'send'")
        #expect(rows == "udp|send|EHOSTUNREACH|127.255.255.255:3131|1\n")
        #expect(try await bench.list("SELECT count(*) FROM link_states WHERE state = 'down'") == "0\n")
    }
}
