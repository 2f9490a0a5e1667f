import Foundation
import Testing

/// What a recorder that ends may have lost: nothing that arrived before the time up to which its run counts as recorded.
@Suite(.timeLimit(.minutes(3)))
struct LostOnKillTests {
    /// A unit that answers every line and sends numbered values: value n is -n/1000 dB. After each datagram it writes the
    /// time and the last number to stdout. A stranger sends, too, whose error is committed at once and without samples.
    private static let unit = """
        import json, socket, threading, time
        tcp = socket.create_server(("127.0.0.1", 0))
        meters = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); meters.bind(("127.0.0.1", 0))
        port = meters.getsockname()[1]; meters.close()
        print("ports", tcp.getsockname()[1], port, flush=True)
        def answer(connection):
            for line in connection.makefile():
                message = json.loads(line)
                if "id" in message:
                    connection.sendall(json.dumps({"result": "OK", "id": message["id"]}).encode() + b"\\n")
                else:
                    echo = b'{"method":"getResp","params":{"param":"KeepAlive","str":"OK"}}\\n'
                    connection.sendall(echo); unit.sendto(echo, ("127.0.0.1", port))
        def serve():
            while True:
                threading.Thread(target=quiet, args=(tcp.accept()[0],), daemon=True).start()
        def quiet(connection):
            try: answer(connection)
            except OSError: pass
        unit = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); unit.bind(("127.0.0.1", 0))
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); stranger.bind(("127.0.0.99", 0))
        threading.Thread(target=serve, daemon=True).start()
        number = 0
        while True:
            values = [{"param": f"ZoneMeter_{i}", "val": -(number + i) / 1000} for i in range(8)]
            number += 8
            unit.sendto(json.dumps({"method": "update", "params": values}).encode(), ("127.0.0.1", port))
            print("sent", time.time_ns() // 1000, number, flush=True)
            stranger.sendto(b"x", ("127.0.0.1", port))
            time.sleep(0.004)
        """

    private func sql(_ store: String, _ query: String) async throws -> Int {
        let output = try await Program.tool("sqlite3", ["-readonly", store, query]).output
        return Int(output.trimmingCharacters(in: .newlines)) ?? -1
    }

    /// Holds the store's write lock until it is killed.
    private static let locker = """
        import sqlite3, sys, time
        store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
        store.execute("BEGIN IMMEDIATE")
        print("locked", flush=True)
        time.sleep(600)
        """

    enum Ending: CaseIterable {
        case kill, stop, stopWhileLocked
    }

    @Test("what arrived before the run's end is stored, however it ended", arguments: Ending.allCases)
    func end(ending: Ending) async throws {
        let signal = ending == .kill ? SIGKILL : SIGTERM
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try Running(["-c", Self.unit], executable: "/usr/bin/python3")
        try await unit.line("ports")
        let ports = try #require(unit.words(after: "ports"))
        var lastNumber = 0
        for round in 1...3 {
            let recorder = try Running([
                "run", "--processor", "Bar=127.0.0.1:\(ports[0])", "--meter-port", "\(ports[1])", "--keep-alive", "1",
                "--store", store,
            ])
            try await recorder.line("meters up")
            // Each round ends at another moment between two commits.
            let wanted = "SELECT count(*) > \(lastNumber + 600 * round) FROM meter_samples"
            while try await sql(store, wanted) != 1 { try await Task.sleep(for: .milliseconds(30)) }
            let locker = ending == .stopWhileLocked ? try await locked(store) : nil
            recorder.send(signal)
            // The unit goes on sending while the recorder waits to store what it has.
            let count = unit.sent.count
            while locker != nil, unit.sent.count < count + 100 { try await Task.sleep(for: .milliseconds(30)) }
            locker?.send(SIGKILL)
            let ended = try await recorder.end()
            #expect(ended.status == (signal == SIGTERM ? 0 : SIGKILL), "\(ended.errors)")

            let run = "FROM recorder_run ORDER BY run DESC LIMIT 1"
            let began = try await sql(store, "SELECT started_us \(run)")
            let until = try await sql(store, "SELECT heartbeat_us \(run)")
            #expect(try await sql(store, "SELECT clean \(run)") == (signal == SIGTERM ? 1 : 0))
            // From the first value that is stored to the last that was sent before the run's end, none is missing.
            let first = try await sql(
                store, "SELECT CAST(round(min(-level_db) * 1000) AS INTEGER) FROM meter_samples WHERE at_us > \(began)")
            let last = unit.sent.last { $0.at <= until }?.number ?? 0
            #expect(last > first + 200, "round \(round)")
            let stored = try await sql(
                store,
                "SELECT count(*) FROM meter_samples WHERE round(-level_db * 1000) BETWEEN \(first) AND \(last - 1)")
            #expect(stored == last - first, "round \(round)")
            #expect(
                try await sql(
                    store, "SELECT count(*) FROM sample_counts WHERE received IS NOT stored + duplicate + lost") == 0)
            lastNumber = try await sql(store, "SELECT count(*) FROM meter_samples")
        }
        unit.send(SIGKILL)
        func report() async throws -> String {
            try await Program.run("report", "--store", store, "--since", "1h").output
        }
        // Until one starts again nobody can tell what the last kill cost.
        let notYet = "Silent      the recorder, since "
        if signal == SIGKILL { try await eventually { try await report().contains(notYet) } }
        _ = try await Running(["run", "--processor", "Bar=127.0.0.98:9", "--for", "1s", "--store", store]).end()
        let killed = "SELECT count(*) FROM sample_losses WHERE reason = 'recorder_killed'"
        #expect(try await sql(store, killed) == (signal == SIGKILL ? 3 : 0))
        let text = try await report()
        #expect(text.contains("what waited when the recorder was killed") == (signal == SIGKILL), "\(text)")
        #expect(text.contains("none lost") == (signal == SIGTERM) && !text.contains(notYet), "\(text)")
    }

    private func locked(_ store: String) async throws -> Running {
        let locker = try Running(["-c", Self.locker, store], executable: "/usr/bin/python3")
        try await locker.line("locked")
        return locker
    }
}

extension Running {
    /// The numbers that follow this word on the first line that begins with it.
    fileprivate func words(after word: String) -> [Int]? {
        text.split(separator: "\n").first { $0.hasPrefix(word) }?.split(separator: " ").compactMap { Int($0) }
    }

    /// What the unit said it sent, whole lines only.
    fileprivate var sent: [(at: Int, number: Int)] {
        text.split(separator: "\n").dropLast().compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == "sent", let at = Int(words[1]), let number = Int(words[2]) else {
                return nil
            }
            return (at, number)
        }
    }
}
