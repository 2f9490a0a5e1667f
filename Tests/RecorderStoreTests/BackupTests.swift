import AtlasProtocol
import Foundation
import Testing

@testable import RecorderStore

/// A copy beside a writer that goes on, and what `check` says of stores.
@Suite struct BackupTests {
    private let folder = TemporaryFolder()
    private let zone = Meter(name: "ZoneMeter_0")!

    @Test("a copy is one moment of the store, also when the writer commits between its steps")
    func oneMoment() async throws {
        let recording = try await Recording(folder.store)
        for tick in 0..<200 {
            recording.feed((0..<50).map { (zone, -Double($0), start + Int64(tick * 50 + $0) * 100_000) })
            try await recording.commit([], at: start + Int64(tick) * second)
        }
        let before = try integer(folder.store, "SELECT count(*) FROM meter_samples")
        let copy = folder.path + "/copy.sqlite"
        // A commit of another connection at each step: one that began anew each time would never end.
        let other = try Database(path: folder.store, mode: .readWrite)
        var steps = 0
        let bytes = try StoreBackup.copy(folder.store, to: copy) { _, _ in
            steps += 1
            try? other.execute("UPDATE recorder_run SET batch = batch + 1", doing: "write")
        }
        #expect(steps > 0 && bytes > 0)
        #expect(try integer(copy, "SELECT count(*) FROM meter_samples") == before)
        let store = try StoreInvariants(path: copy)
        #expect(try store.faults() == [])
        let mode = try FileManager.default.attributesOfItem(atPath: copy)[.posixPermissions] as? Int
        #expect(mode == 0o640)
        // Nothing lies about.
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("copy") }
        #expect(files == ["copy.sqlite"])
        #expect(throws: StoreError.self) { try StoreBackup.copy(folder.store, to: copy) }
    }

    /// What lies in the folder besides the store and its own files.
    private func others() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix("atlas.sqlite") }
            .sorted()
    }
    private func refusal(_ copy: String) -> StoreError.Kind? {
        do throws(StoreError) {
            _ = try StoreBackup.copy(folder.store, to: copy)
            return nil
        } catch { return error.kind }
    }

    @Test("a name that is taken, in whatever way, is refused before anything is copied")
    func taken() async throws {
        let recording = try await Recording(folder.store)
        try await recording.writer.finish([], at: start + second)
        let copy = folder.path + "/copy.sqlite"
        #expect(symlink(folder.path + "/nothing", copy) == 0)
        #expect(refusal(copy) == .exists)
        #expect(unlink(copy) == 0)
        // SQLite would take this log for the copy's own.
        try Data("log".utf8).write(to: URL(fileURLWithPath: copy + "-wal"))
        #expect(refusal(copy) == .exists)
        #expect(unlink(copy + "-wal") == 0)
        #expect(refusal(folder.store) == .exists && refusal(folder.path) == .exists && refusal("") == .folder)
        #expect(refusal(folder.path + "/none/copy.sqlite") == .folder)
        #expect(try others() == [])
        let text = StoreError(.exists, message: "", doing: "make the backup", path: copy).description
        #expect(text == "\(copy) exists already: choose another name")
    }

    @Test("what a killed backup left is removed, what another one is making is not; a file made meanwhile stays")
    func partials() async throws {
        let recording = try await Recording(folder.store)
        try await recording.writer.finish([], at: start + second)
        let (copy, stale) = (folder.path + "/copy.sqlite", folder.path + "/old.sqlite.4711\(NewFile.suffix)")
        for name in [stale, stale + "-journal"] { try Data("old".utf8).write(to: URL(fileURLWithPath: name)) }
        let other = try NewFile(copy, doing: "test")
        let mine = Data("mine".utf8)
        var inner: StoreError.Kind?
        #expect {
            _ = try StoreBackup.copy(folder.store, to: copy) { _, _ in
                // Another one of the same name, under way at once, and then a file that somebody makes.
                inner = refusal(copy)
                try? mine.write(to: URL(fileURLWithPath: copy))
            }
        } throws: { error in
            (error as? StoreError)?.kind == .exists
        }
        #expect(inner == nil)
        #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == mine)
        #expect(try others() == ["copy.sqlite", (other.partial as NSString).lastPathComponent].sorted())
    }

    @Test("a damaged store is not copied as if it were whole")
    func damaged() async throws {
        let recording = try await Recording(folder.store)
        recording.feed((0..<3_000).map { (zone, -Double($0 % 80), start + Int64($0) * 100_000) })
        try await recording.writer.finish([], at: start + hour)
        let leaves =
            try DamagedStore.leaves(of: "sample", in: folder.store) + DamagedStore.leaves(of: "frame", in: folder.store)
        for page in leaves { try DamagedStore.spoil(page: page, of: folder.store) }
        let copy = folder.path + "/copy.sqlite"
        #expect(throws: StoreError.self) { try StoreBackup.copy(folder.store, to: copy) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.hasPrefix("copy") })
    }

    @Test(
        "a sound store breaks no rule, and each rule can be broken",
        arguments: [
            (
                "links",
                "UPDATE link_state SET ended_us = ended_us + 1 WHERE ended_us = (SELECT min(ended_us) FROM link_state)"
            ),
            (
                "runs",
                "INSERT INTO recorder_run (started_us, ended_us, heartbeat_us, version, pid, host) VALUES (2, 1, 1, '', 1, '')"
            ),
            ("samples", "UPDATE sample_minute SET stored = stored + 1"),
            ("balance", "UPDATE sample_minute SET received = received + 1"),
            ("hours", "UPDATE sample_hour SET stored = 0"),
            ("frames", "INSERT INTO frame (at_us, processor_id, levels, exact) VALUES (5, 1, ' ', '{')"),
            ("references", "INSERT INTO sample (at_us, meter_id, level) VALUES (5, 99, 1)"),
        ])
    func invariants(subject: String, harm: String) async throws {
        let recording = try await Recording(folder.store)
        recording.feed((0..<300).map { (zone, -Double($0 % 80), start + Int64($0) * 100_000) })
        try await recording.commit(
            [.change(processor: recording.id, link: .control, state: .up, since: start + second)],
            at: start + 2 * second)
        try await recording.writer.finish([], at: start + minute)
        // Nothing was received here: the frames came from the test.
        let store = try Database(path: folder.store, mode: .readWrite)
        try store.execute("UPDATE sample_minute SET received = stored", doing: "balance")
        for invariant in StoreInvariants.all {
            #expect(
                try StoreInvariants(path: folder.store).violations(of: invariant).first == [], "\(invariant.subject)")
        }
        try store.execute(harm, doing: "harm")
        let broken = try #require(StoreInvariants.all.first { $0.subject == subject })
        #expect(try StoreInvariants(path: folder.store).violations(of: broken).count > 0)
    }
}
