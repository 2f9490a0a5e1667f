import AtlasProtocol
import Foundation
import Testing

@testable import RecorderStore

/// A store is read by other users while it is written, after it was left, and after its writer was killed.
@Suite(
    .enabled(if: geteuid() == 0, "only root can become another user"),
    .enabled(if: isExecutable("/usr/bin/setpriv") && isExecutable("/usr/bin/sqlite3"), "setpriv or sqlite3 is missing"))
struct ReaderTests {
    private let folder = TemporaryFolder()
    private let group: gid_t = 54321

    /// Gives the folder and the files to a group, as an installation would: 0755 and 0640.
    private func open() {
        #expect(chmod(folder.path, 0o755) == 0)
        for suffix in ["", "-wal", "-shm"] { #expect(chown(folder.store + suffix, 0, group) == 0) }
    }

    private func read(_ sql: String, group: gid_t? = nil) throws -> (status: Int32, output: String, errors: String) {
        try run(
            "/usr/bin/setpriv",
            [
                "--reuid=65534", "--regid=\(group ?? self.group)", "--clear-groups", "/usr/bin/sqlite3", "-readonly",
                folder.store, sql,
            ])
    }

    private func expectReads(_ count: Int) throws {
        let result = try read("SELECT count(*) FROM meter_samples; SELECT event FROM connection_events")
        #expect(result.status == 0 && result.output == "\(count)\nconnected\n", "\(result)")
    }

    private func record(_ recording: Recording) async throws {
        recording.feed((0..<5).map { (Meter(.zone, $0), -1, start) })
        try await recording.commit(
            [.event(.init(processor: recording.id, at: start, link: .control, name: .connected))], at: start)
    }

    @Test("while it is written and after a clean stop")
    func whileWritingAndAfter() async throws {
        let recording = try await Recording(folder.store)
        try await record(recording)
        open()
        try expectReads(5)
        try await recording.writer.finish([], at: start + second)
        try expectReads(5)
    }

    @Test("after the last connection was closed")
    func afterTheEnd() async throws {
        do {
            let recording = try await Recording(folder.store)
            try await record(recording)
            try await recording.writer.finish([], at: start + second)
            open()
        }
        await waitUntilFree(folder.store)
        try expectReads(5)
        #expect(access(folder.store + "-wal", F_OK) == 0 && access(folder.store + "-shm", F_OK) == 0)
    }

    @Test("after the writer was killed with its log full")
    func afterKill() async throws {
        let recording = try await Recording(folder.store)
        try await record(recording)
        // What a killed process leaves: the files as they are now, and no locks.
        let copy = folder.path + "/copy"
        #expect(mkdir(copy, 0o755) == 0)
        for suffix in ["", "-wal", "-shm"] {
            try FileManager.default.copyItem(atPath: folder.store + suffix, toPath: "\(copy)/atlas.sqlite\(suffix)")
            #expect(
                chown("\(copy)/atlas.sqlite\(suffix)", 0, group) == 0
                    && chmod("\(copy)/atlas.sqlite\(suffix)", 0o640) == 0)
        }
        #expect(chmod(folder.path, 0o755) == 0)
        let result = try run(
            "/usr/bin/setpriv",
            [
                "--reuid=65534", "--regid=\(group)", "--clear-groups", "/usr/bin/sqlite3", "-readonly",
                copy + "/atlas.sqlite", "SELECT count(*) FROM meter_samples",
            ])
        #expect(result.status == 0 && result.output == "5\n", "\(result)")
        try await recording.writer.finish([], at: start + second)
    }

    @Test("but not by a user of another group")
    func anotherGroup() async throws {
        let recording = try await Recording(folder.store)
        try await record(recording)
        open()
        #expect(try read("SELECT 1 FROM frame", group: 65534).status != 0)
        try await recording.writer.finish([], at: start + second)
    }
}
