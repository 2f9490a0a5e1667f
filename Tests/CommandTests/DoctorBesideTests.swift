import Foundation
import Testing

/// `doctor` beside recorders that are not as they should be, or not this store's.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct DoctorBesideTests {
    private typealias Page = DoctorTests.Page
    private let tests = DoctorTests()

    private func end(_ recorder: Running, _ signal: Int32 = SIGTERM) async throws {
        recorder.send(signal)
        _ = try await recorder.end()
    }

    @Test("two recorders that have the store open for writing are a problem, with both their pids")
    func twoRecorders() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let first = try unit.recorder(store)
        try await first.line("meters up")
        #expect(try await tests.doctor(store, unit.meterPort)["writers"] == nil)
        // It does not notice while it is stopped that its lock is gone. Stopped in a transaction it would keep others out.
        var isFree = false
        while !isFree {
            first.send(SIGCONT)
            first.send(SIGSTOP)
            try await eventually {
                try String(contentsOfFile: "/proc/\(first.pid)/stat", encoding: .utf8).contains(") T ")
            }
            isFree = try await Program.tool("sqlite3", [store, "BEGIN IMMEDIATE; ROLLBACK"]).status == 0
        }
        try FileManager.default.removeItem(atPath: store + ".lock")
        let second = try unit.recorder(store)
        try await second.line("recording 1 processor into")
        let writers = try #require(try await tests.doctor(store, unit.meterPort)["writers"])
        #expect(writers.status == "problem")
        #expect(writers.found.hasPrefix("2 recorders write this store: "), "\(writers.found)")
        for recorder in [first, second] { #expect(writers.found.contains("(pid \(recorder.pid))")) }
        try await end(first, SIGKILL)
        try await end(second)
        try await unit.stop()
    }

    @Test("without --meter-port it looks at the port that the recorder uses")
    func recordersPort() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store)
        try await recorder.line("meters up")
        let port = try #require(try await tests.doctor(store, nil)["port"])
        #expect(port.found.hasPrefix("atlas-recorder (pid \(recorder.pid)) gets the datagrams"), "\(port.found)")
        #expect(port.found.contains("UDP \(unit.meterPort) "))
        try await end(recorder)
        try await unit.stop()
    }

    @Test("units that another store's recorder holds are left alone: by name, and on whatever control port")
    func otherStore() async throws {
        let folder = Folder()
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(folder.file("a.sqlite"))
        try await recorder.line("meters up")
        let page = try await tests.doctor(
            folder.file("b.sqlite"), unit.meterPort, "--processor", "Off=127.0.0.83:9", "--processor",
            "Bar=127.0.0.1:\(unit.port)", "--processor", "Named=localhost:\(unit.port)")
        #expect(page["processor Off"]?.found.contains("refused") == true)
        for name in ["Bar", "Named"] {
            let found = try #require(page["processor \(name)"]?.found)
            #expect(found.contains("(pid \(recorder.pid)), is connected to it; no second connection"), "\(found)")
        }
        try await end(recorder)
        try await unit.stop()
    }

    @Test("whoever holds the store and has not begun to record is not said to record")
    func notBegun() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        for signal in [SIGTERM, SIGKILL] {
            let recorder = try unit.recorder(store)
            try await recorder.line("meters up")
            try await end(recorder, signal)
            let words = "pid 77 since 2026-11-22 16:30:00"
            let hold =
                #"exec 9<>"$1"; flock -x 9; printf '%s' "$2" >&9; truncate -s ${#2} "$1"; echo held; exec sleep 300"#
            let holder = try Running(["-c", hold, "sh", store + ".lock", words], executable: "/bin/bash")
            try await holder.line("held")
            let page = try await tests.doctor(store, unit.meterPort)
            #expect(page["recorder"]?.status == "attention")
            #expect(page["recorder"]?.found == "\(words) holds the store and has not begun to record.")
            #expect(page["processor Bar"]?.found == "\(words) has not begun with it.")
            try await end(holder, SIGKILL)
        }
        try await unit.stop()
    }
}
