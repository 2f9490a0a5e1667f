import Foundation
import Testing

/// Somebody else in the store while a recorder writes it.
@Suite(.timeLimit(.minutes(2)))
struct HeldStoreTests {
    private let folder = Folder()
    private var store: String { folder.file("s.sqlite") }

    private func recorder() throws -> Running {
        try Running(["run", "--simulate", "--meter-port", "0", "--keep-alive", "1", "--store", store])
    }
    private func sql(_ query: String) async throws -> String {
        try await Program.tool("sqlite3", ["-readonly", store, query]).output.trimmingCharacters(in: .newlines)
    }
    /// A program that says `held` when it has run `sql`, and keeps its connection until it is ended.
    private func holder(_ sql: String) throws -> Running {
        let script = """
            import sqlite3, sys, time
            store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
            store.execute("PRAGMA busy_timeout = 20000")
            for statement in sys.argv[2].split(";"): store.execute(statement).fetchall()
            print("held", flush=True)
            time.sleep(600)
            """
        return try Running(["-c", script, store, sql], executable: "/usr/bin/env", before: ["python3"])
    }
    private var logSize: Int {
        get throws { try FileManager.default.attributesOfItem(atPath: store + "-wal")[.size] as? Int ?? 0 }
    }

    @Test("who holds BEGIN IMMEDIATE for longer than a commit waits: told, nothing is lost, and it goes on by itself")
    func writeLockHeld() async throws {
        let recorder = try recorder()
        try await recorder.line("subscribed")
        let holder = try holder("BEGIN IMMEDIATE")
        try await holder.line("held")
        try await eventually { recorder.log.contains("the store refuses") }
        holder.send(SIGKILL)
        _ = try await holder.end()
        try await eventually { recorder.log.contains("takes writes again") }
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        #expect(try await sql("SELECT count(*) FROM sample_losses") == "0")
        #expect(try await sql("SELECT count(*) FROM sample_counts WHERE received <> stored + duplicate + lost") == "0")
        #expect(try await sql("SELECT count(*) FROM link_states WHERE state = 'down'") == "0")
    }

    @Test("who reads for long makes the log grow by what is written meanwhile; then it is given back")
    func longReader() async throws {
        let recorder = try recorder()
        try await recorder.line("subscribed")
        let reader = try holder("PRAGMA query_only = 1;BEGIN;SELECT count(*) FROM frame")
        try await reader.line("held")
        // Pages that somebody else writes stand for the hours that a unit would take.
        let writer = try await Program.tool(
            "python3",
            [
                "-c",
                """
                import sqlite3, sys
                store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
                store.execute("PRAGMA wal_autocheckpoint = 0")
                for i in range(40):
                    store.execute("INSERT INTO event (at_us, event, detail) VALUES (1, 'started', ?)", ("x" * 500000,))
                store.execute("DELETE FROM event WHERE at_us = 1")
                store.execute("PRAGMA wal_checkpoint(PASSIVE)")
                """, store,
            ])
        #expect(writer.status == 0, "\(writer.errors)")
        #expect(try logSize > 16_000_000)
        reader.send(SIGKILL)
        _ = try await reader.end()
        try await eventually { try logSize <= 4_194_304 + 4_096 }
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        #expect(try logSize == 0)
        #expect(try await sql("PRAGMA integrity_check") == "ok")
    }
}
