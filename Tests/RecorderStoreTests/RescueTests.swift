import AtlasProtocol
import Foundation
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
    }

    private func count(_ path: String, _ table: String) throws -> Int64 {
        try integer(path, "SELECT count(*) FROM \(table)")
    }

    @Test("of a whole store: everything, to the byte")
    func whole() async throws {
        try await recorded()
        let outcomes = try StoreRescue(of: folder.store, into: rescued).run()
        #expect(outcomes.allSatisfy { $0.gaps == 0 && $0.refused == 0 })
        for outcome in outcomes {
            #expect(
                try lines(folder.store, "SELECT * FROM \(outcome.table)")
                    == lines(rescued, "SELECT * FROM \(outcome.table)"))
        }
        let frames = "SELECT hex(levels) FROM frame ORDER BY at_us"
        #expect(try lines(folder.store, frames) == lines(rescued, frames))
        #expect(try count(rescued, "frame") == 3_000)
        #expect(try StoreInvariants(path: rescued).faults() == [])
    }

    @Test(
        "of a store with damaged pages of frames: every frame but theirs",
        arguments: [[0], [3], [3, 4], [2, 7], [-1]])
    func damagedFrames(places: [Int]) async throws {
        try await recorded()
        let leaves = try DamagedStore.leaves(of: "frame", in: folder.store)
        try #require(leaves.count > 10)
        let each = 3_000 / leaves.count
        for place in places {
            try DamagedStore.spoil(page: leaves[(place + leaves.count) % leaves.count], of: folder.store)
        }
        let outcomes = try StoreRescue(of: folder.store, into: rescued).run()
        let frames = try #require(outcomes.first { $0.table == "frame" })
        #expect(frames.gaps >= 1)
        // A page more or less: the last one of a table is not full.
        #expect(frames.rows >= 3_000 - (each + each / 2 + 1) * places.count && frames.rows < 3_000)
        #expect(try Int(count(rescued, "frame")) == frames.rows)
        #expect(outcomes.filter { $0.table != "frame" }.allSatisfy { $0.gaps == 0 })
        let store = try StoreInvariants(path: rescued)
        #expect(try store.faults() == [])
        // What is missing is told: the minutes' counts say how many there were.
        let samples = try #require(StoreInvariants.all.first { $0.subject == "samples" })
        #expect(try store.violations(of: samples).count > 0)
    }

    @Test("a unit whose row is lost has its samples under a name of its own")
    func lostProcessor() async throws {
        try await recorded()
        for page in try DamagedStore.leaves(of: "processor", in: folder.store) {
            try DamagedStore.spoil(page: page, of: folder.store)
        }
        _ = try StoreRescue(of: folder.store, into: rescued).run()
        #expect(try lines(rescued, "SELECT DISTINCT processor FROM meter_samples") == ["rescued 1"])
        #expect(try count(rescued, "meter_samples") == 60_000)
    }

    @Test("where not even the tables are known it says so and makes nothing; what exists is not written over")
    func hopeless() async throws {
        try await recorded()
        try Data("mine".utf8).write(to: URL(fileURLWithPath: rescued))
        #expect(throws: StoreError.self) { try StoreRescue(of: folder.store, into: rescued) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: rescued)) == Data("mine".utf8))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.store))
        try file.seek(toOffset: 100)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 3_996))
        try file.close()
        let new = folder.path + "/new.sqlite"
        #expect {
            _ = try StoreRescue(of: folder.store, into: new)
        } throws: { error in
            (error as? StoreError)?.kind == .beyondRescue
        }
        #expect(!FileManager.default.fileExists(atPath: new))
    }
}
