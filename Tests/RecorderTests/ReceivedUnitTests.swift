import AtlasProtocol
import RecorderStore
import Testing

@testable import Recorder

@Suite struct ReceivedUnitTests {
    @Test("a frame ends with its minute, so that each minute's counts agree")
    func minuteEdge() async throws {
        let store = Rig.newStore()
        defer { Rig.remove(store) }
        let (queue, minute) = (FrameQueue(), Int64(60_000_000))
        let start = 29_351_070 * minute
        let writer = try StoreWriter(path: store, holder: "test", queue: queue) { _ in }
        let processors = try await writer.begin(
            RunStart(version: "test", pid: 1, host: "test"),
            processors: [ProcessorSpec(name: "Bar", host: "192.0.2.1", controlPort: 5321)], at: start)
        let unit = ReceivedUnit(processors[0], UnitStatus())
        var block = FrameBlock()
        // Ten values within 20 ms, four of them before the minute's end; then a minute later two, and the clock set back.
        for (at, meters) in [(minute - 8_000, 0..<4), (minute + 2_000, 4..<10), (2 * minute, 0..<2), (5, 0..<3)] {
            let readings = meters.map { Reading(meter: Meter(.zone, UInt8($0)), level: -1) }
            readings.withUnsafeBufferPointer { unit.take($0, at: start + at, into: &block) { false } }
        }
        let isAll = unit.intake.handOverCounts(into: &block)
        #expect(!isAll, "three values wait in the open frame")
        block = queue.exchange(block)
        try await writer.commit([], samples: true, at: start + 2 * minute)
        func counts() throws -> [[SQLValue]] {
            try StoreReader(path: store).query(
                "SELECT (start_us - \(start)) / 60000000, received, stored FROM sample_counts ORDER BY 1"
            ).rows
        }
        func row(_ values: Int64...) -> [SQLValue] { values.map { .integer($0) } }
        #expect(try counts() == [row(0, 4, 4), row(1, 6, 6), row(2, 2, 2)])
        unit.intake.assembler.close(into: &block)
        let isRest = unit.intake.handOverCounts(into: &block)
        #expect(isRest)
        _ = queue.exchange(block)
        try await writer.commit([], samples: true, at: start + 2 * minute)
        #expect(try counts().first == row(0, 7, 7))
    }
}
