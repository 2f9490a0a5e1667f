import AtlasProtocol
import Foundation
import Migrations
import Testing

@testable import RecorderStore

/// What `rescue` gets back of a store with damaged pages.
@Suite struct RescueTests {
    private let folder = TemporaryFolder()
    private var rescued: String { folder.path + "/rescued.sqlite" }

    /// A store with 3,000 frames of 20 meters, and a state of control for each second.
    private func recorded() async throws {
        let recording = try await Recording(folder.store)
        let meters = (0..<20).map { Meter(name: $0 < 14 ? "SourceMeter_\($0)" : "ZoneMeter_\($0 - 14)")! }
        for tick in 0..<30 {
            let at = start + Int64(tick) * 10 * second
            recording.feed(
                (0..<100).flatMap { frame in
                    meters.map { ($0, -Double((tick * 7 + frame) % 80), at + Int64(frame) * 100_000) }
                })
            let state: LinkState = tick % 2 == 0 ? .up : .down(.refused)
            try await recording.commit(
                [.change(processor: recording.id, link: .control, state: state, since: at)], at: at + 10 * second)
        }
        try await recording.writer.finish([], at: start + 301 * second)
        // Nothing was received here: the frames came from the test.
        let store = try Database(path: folder.store, mode: .readWrite)
        try store.execute(
            "UPDATE sample_minute SET received = stored; PRAGMA wal_checkpoint(TRUNCATE)", doing: "balance")
    }

    /// A store that `check` finds no fault with.
    private func isSound(_ path: String) throws {
        let store = try StoreInvariants(path: path)
        #expect(try store.faults() == [])
        for invariant in StoreInvariants.all {
            #expect(try store.violations(of: invariant).first == [], "\(invariant.subject)")
        }
    }

    /// Of every table at least the rows whose pages are there; what is missing of the samples is told, to the last one.
    private func rescue(without lost: (Int) -> Bool, of whole: String) throws {
        let result = try StoreRescue.copy(folder.store, to: rescued, at: start + hour)
        let schemaIsWhole =
            try DamagedStore.readable("sqlite_schema", without: lost, in: whole)
            == DamagedStore.readable("sqlite_schema", without: { _ in false }, in: whole)
        for outcome in result.outcomes {
            #expect(!outcome.isMissing || !schemaIsWhole, "\(outcome.table)")
            guard !outcome.isMissing else { continue }
            let expected = try DamagedStore.readable(outcome.table, without: lost, in: whole)
            #expect(outcome.rows >= expected, "\(outcome.table)")
            let all = try count(whole, outcome.table)
            #expect(outcome.isWhole ? outcome.rows == all : outcome.rows <= all, "\(outcome.table)")
        }
        try isSound(rescued)
        let counted = try count(rescued, "meter_samples")
        #expect(try integer(rescued, "SELECT coalesce(sum(stored), 0) FROM sample_counts") == counted)
        #expect(try integer(rescued, "SELECT coalesce(sum(stored), 0) FROM sample_hour") == counted)
        if result.outcomes.allSatisfy({
            !["sample_minute", "sample_hour", "processor"].contains($0.table) || $0.isWhole
        }) {
            #expect(counted + result.samplesLost == 60_000)
            let told = "SELECT coalesce(sum(samples), 0) FROM sample_losses WHERE reason = 'store_damaged'"
            #expect(try integer(rescued, told) == result.samplesLost)
        }
        #expect(
            try lines(
                rescued,
                "SELECT detail LIKE '%found, \(result.samplesLost) of%' FROM connection_events WHERE event = 'store_rescued'"
            )
                == ["1"])
        #expect(try remains() == ["rescued.sqlite"])
    }

    /// What a rescue left in the folder.
    private func remains() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("rescued") }
    }

    private func count(_ path: String, _ table: String) throws -> Int64 {
        try integer(path, "SELECT count(*) FROM \(table)")
    }

    @Test("of a whole store: everything, to the byte")
    func whole() async throws {
        try await recorded()
        let result = try StoreRescue.copy(folder.store, to: rescued, at: start + hour)
        #expect(result.isWhole && result.note == nil)
        for outcome in result.outcomes {
            // The copy's own event is the last one.
            let query = "SELECT * FROM \(outcome.table)"
            let own = outcome.table == "event" ? " WHERE event <> 'store_rescued'" : ""
            #expect(try lines(folder.store, query) == lines(rescued, query + own))
        }
        let frames = "SELECT hex(levels) FROM frame ORDER BY at_us"
        #expect(try lines(folder.store, frames) == lines(rescued, frames))
        #expect(try count(rescued, "frame") == 3_000)
        try isSound(rescued)
    }

    @Test(
        "of a store with damaged pages of frames: every frame but theirs, also between them",
        arguments: [[0], [3], [3, 4], [2, 7], [2, 4], [1, 3, 5, 7], [4, 5, 6, 8, 9], [0, 2], [-1], [-1, -3]])
    func damagedFrames(places: [Int]) async throws {
        try await recorded()
        let whole = try copied()
        let leaves = try DamagedStore.leaves(of: "frame", in: whole)
        try #require(leaves.count > 10)
        let lost = places.map { leaves[($0 + leaves.count) % leaves.count] }
        for page in lost { try DamagedStore.spoil(page: page, of: folder.store) }
        try rescue(without: { lost.contains($0) }, of: whole)
    }

    @Test("of a store with any damaged pages but the schema's: every row whose pages are there", arguments: 1...20)
    func anyPages(seed: UInt64) async throws {
        try await recorded()
        let whole = try copied()
        var generator = SeededGenerator(seed: seed)
        let reader = try Database(path: whole, mode: .readOnly)
        let pages = try reader.integer("PRAGMA page_count", doing: "count")
        let spared = try Statement("SELECT pageno FROM dbstat WHERE name = 'sqlite_schema'", on: reader)
        var schema: Set<Int> = []
        while try spared.step() { schema.insert(Int(spared.integer(0))) }
        let lost = Set((0..<8).map { _ in Int.random(in: 2...Int(pages), using: &generator) }).subtracting(schema)
        for page in lost { try DamagedStore.spoil(page: page, of: folder.store) }
        try rescue(without: lost.contains, of: whole)
    }

    @Test(
        "of a store that was cut short: every row whose pages are there",
        arguments: [-1, -2, -10, -20, 60, 50, 45, 40, 35, 30, 10, 3, 1])
    func cut(pages: Int) async throws {
        try await recorded()
        let whole = try copied()
        let all = try Int(Database(path: whole, mode: .readOnly).integer("PRAGMA page_count", doing: "count"))
        let left = pages < 0 ? all + pages : pages
        try #require(left < all)
        #expect(truncate(folder.store, off_t(left * DamagedStore.pageSize)) == 0)
        // The page that names the first tables.
        let first = try Database(path: whole, mode: .readOnly).integer(
            "SELECT pageno FROM dbstat WHERE name = 'sqlite_schema' AND pagetype = 'leaf' ORDER BY path LIMIT 1",
            doing: "look")
        guard first > left else { return try rescue(without: { $0 > left }, of: whole) }
        #expect {
            _ = try StoreRescue.copy(folder.store, to: rescued, at: start)
        } throws: { error in
            (error as? StoreError)?.kind == .beyondRescue
        }
        #expect(try remains() == [])
    }

    @Test(
        "a table that is lost altogether leaves a store that is sound, and says what is missing",
        arguments: [
            "recorder_run", "recorder_passage", "processor", "meter", "frame", "sample_minute", "sample_hour",
            "sample_loss", "event", "link_state", "latest_level", "meter_minute", "meter_hour", "minute_coverage",
        ])
    func lostTable(table: String) async throws {
        try await recorded()
        let whole = try copied()
        let lost = try DamagedStore.leaves(of: table, in: whole)
        for page in lost { try DamagedStore.spoil(page: page, of: folder.store) }
        try rescue(without: lost.contains, of: whole)
        #expect(
            try lines(
                rescued,
                "SELECT detail LIKE '%; not all could be read of \(table)' FROM event WHERE event = 'store_rescued'")
                == ["1"])
    }

    /// The store before it is damaged.
    private func copied() throws -> String {
        let whole = folder.path + "/whole.sqlite"
        try FileManager.default.copyItem(atPath: folder.store, toPath: whole)
        return whole
    }

    @Test("of a table of three levels: what is under a damaged page of its directory is lost, and nothing else")
    func deep() async throws {
        try await recorded()
        try Database(path: folder.store, mode: .readWrite).execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
            INSERT INTO sample (at_us, meter_id, level) SELECT \(start) + i * 1500, 1, 0 FROM n;
            PRAGMA wal_checkpoint(TRUNCATE)
            """, doing: "fill")
        let whole = try copied()
        let places = try Statement(
            "SELECT pageno, path FROM dbstat WHERE name = 'sample' ORDER BY path",
            on: Database(path: whole, mode: .readOnly))
        var (leaves, branches): ([Int], [Int]) = ([], [])
        while try places.step() {
            switch (places.text(1) ?? "").split(separator: "/").count {
            case 1: branches.append(Int(places.integer(0)))
            case 2: leaves.append(Int(places.integer(0)))
            default: break
            }
        }
        try #require(branches.count > 1 && leaves.count > 500)
        let lost = [leaves[100], leaves[102], leaves[200], branches[1], leaves[103]]
        for page in lost { try DamagedStore.spoil(page: page, of: folder.store) }
        let result = try StoreRescue.copy(folder.store, to: rescued, at: start + hour)
        let samples = try #require(result.outcomes.first { $0.table == "sample" })
        #expect(try samples.rows == DamagedStore.readable("sample", without: lost.contains, in: whole))
        #expect(samples.gaps == 4 && samples.rows > 100_000)
        try isSound(rescued)
    }

    @Test("a unit whose row is lost has its samples under a name of its own")
    func lostProcessor() async throws {
        try await recorded()
        for page in try DamagedStore.leaves(of: "processor", in: folder.store) {
            try DamagedStore.spoil(page: page, of: folder.store)
        }
        _ = try StoreRescue.copy(folder.store, to: rescued, at: start + hour)
        #expect(try lines(rescued, "SELECT DISTINCT processor FROM meter_samples") == ["rescued 1"])
        #expect(try count(rescued, "meter_samples") == 60_000)
    }

    @Test("of a store that is being written: one moment of it, so nothing seems lost")
    func whileWritten() async throws {
        let recording = try await Recording(folder.store)
        let zone = Meter(name: "ZoneMeter_0")!
        recording.feed((0..<300).map { (zone, -Double($0 % 80), start + Int64($0) * 100_000) })
        try await recording.commit([], at: start + 30 * second)
        let other = try Database(path: folder.store, mode: .readWrite)
        let result = try StoreRescue.copy(folder.store, to: rescued, at: start + hour) { _ in
            // Between two tables: what is committed now is in none of them.
            try? other.execute(
                """
                INSERT INTO sample (at_us, meter_id, level) SELECT max(at_us) + 1, 1, 0 FROM sample;
                UPDATE sample_minute SET stored = stored + 1
                """, doing: "write")
        }
        #expect(result.isWhole)
        #expect(try count(rescued, "meter_samples") == 300)
        #expect(try count(folder.store, "meter_samples") > 300)
        try await recording.writer.finish([], at: start + minute)
    }

    @Test("a store of an older version is one of this version when it is rescued")
    func older() async throws {
        let old = try Database(path: folder.store, mode: .readWrite)
        try old.prepare()
        try Schema.migrate(old, by: Array(Migrations.files.prefix(2)))
        try old.execute(
            """
            INSERT INTO recorder_run (started_us, heartbeat_us, version, pid, host) VALUES (\(start), \(start), '', 1, '');
            INSERT INTO processor (name, host, control_port) VALUES ('Bar', '192.0.2.1', 5321);
            INSERT INTO meter (processor_id, slot, name) VALUES (1, 1, 'ZoneMeter_0');
            INSERT INTO frame (at_us, processor_id, levels) VALUES (\(start), 1, ' '), (\(start + 1), 1, ' ');
            INSERT INTO sample_minute (start_us, processor_id, stored, duplicate) VALUES (\(start), 1, 3, 0);
            """, doing: "fill")
        let result = try StoreRescue.copy(folder.store, to: rescued, at: start + hour)
        #expect(result.samplesLost == 1)
        #expect(try lines(rescued, "SELECT stored FROM sample_hour") == ["2"])
        try isSound(rescued)
    }

    @Test("where not even the tables are known it says so and makes nothing; what exists is not written over")
    func hopeless() async throws {
        try await recorded()
        func refusal() -> StoreError.Kind? {
            do throws(StoreError) {
                _ = try StoreRescue.copy(folder.store, to: rescued, at: start)
                return nil
            } catch { return error.kind }
        }
        try Data("mine".utf8).write(to: URL(fileURLWithPath: rescued))
        #expect(refusal() == .exists)
        #expect(try Data(contentsOf: URL(fileURLWithPath: rescued)) == Data("mine".utf8))
        try FileManager.default.removeItem(atPath: rescued)
        #expect(throws: StoreError.self) { try StoreRescue.copy(folder.store, to: folder.store, at: start) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.store))
        try file.seek(toOffset: 100)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 3_996))
        try file.close()
        #expect(refusal() == .beyondRescue)
        #expect(try remains() == [])
    }
}
