import Foundation
import Testing

/// A reload of a unit whose host has not answered yet.
@Suite(.timeLimit(.minutes(2)))
struct ReloadWhileConnectingTests {
    @Test("what becomes of the old host's attempt is nothing to the new host's link")
    func otherHost() async throws {
        let folder = Folder()
        let (file, store) = (folder.file("venue.toml"), folder.file("s.sqlite"))
        let (full, unit) = (FullListener("127.0.0.3"), try await SimulatedUnit(address: "127.0.0.2"))
        func write(_ host: String, _ port: Int) throws {
            let text = """
                store = "\(store)"
                meter_port = \(unit.meterPort)
                [[processor]]
                name = "Bar"
                host = "\(host)"
                port = \(port)
                """
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }
        try write("127.0.0.3", full.port)
        // Longer than the 5 s that an attempt to connect may take.
        let recorder = try Running(["run", "--config", file, "--for", "8s"])
        try await recorder.line("recording 1 processor")
        try write("127.0.0.2", unit.port)
        recorder.send(SIGHUP)
        try await recorder.line("Bar  meters up")
        let ended = try await recorder.end()
        #expect(ended.status == 0, "\(ended.errors)")
        let states = """
            SELECT group_concat(coalesce(cause, state)) FROM
                (SELECT cause, state FROM link_states WHERE link = 'control' ORDER BY started_us)
            """
        #expect(try await sql(store, states).split(separator: ",").last { $0 != "recorder_stopped" } == "up")
        #expect(try await sql(store, "SELECT count(*) FROM link_states WHERE state = 'down'") == "0")
        #expect(try await sql(store, "SELECT count(*) FROM socket_errors") == "0")
        try await unit.stop()
    }
}

/// A listener that has no room for another connection: who connects to it is not answered, and tries again.
private final class FullListener {
    let port: Int
    private var descriptors: [Int32] = []

    init(_ address: String) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var here = sockaddr_in()
        here.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, address, &here.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &here) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(listener, $0, length) == 0 && listen(listener, 0) == 0)
                getsockname(listener, $0, &length)
            }
        }
        port = Int(UInt16(bigEndian: here.sin_port))
        descriptors = [listener]
        for _ in 0..<3 {
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            withUnsafePointer(to: &here) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = connect(client, $0, length) }
            }
            descriptors.append(client)
        }
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
