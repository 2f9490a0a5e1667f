import AtlasProtocol
import Synchronization
import Testing

@testable import RecorderStore

/// What the sweep over every fault (EveryFaultTests) has found, one by one.
@Suite(.timeLimit(.minutes(5)))
struct StoreFaultTests {
    private let folder = TemporaryFolder()

    @Test(
        "out of memory, so that not even ROLLBACK is possible: nothing is taken for stored that is not, and recording goes on"
    )
    func noMemoryToRollBack() async throws {
        let told = Mutex(0)
        let recording = try await Recording(folder.store) { entries in told.withLock { $0 += entries.count } }
        var (number, hits, point) = (Int64(0), 1, 1)
        while hits > 0 {
            number += 1
            let now = start + number * second
            let event = Entry.event(.init(processor: nil, at: now, link: nil, name: .clockStep))
            recording.feed([(Meter(.zone, 0), -1, now)])
            let outcome = await recording.writer.under(Injection(.noMemory, lasting: true, atPoint: point)) {
                writer throws(StoreError) in try writer.commit([event], samples: true, at: now)
            }
            (hits, point) = (outcome.0.hits, point + 1)
            try await recording.commit([], at: now)
            #expect(told.withLock { $0 } == Int(number), "point \(point)")
            #expect(try integer(folder.store, "SELECT count(*) FROM event") == number, "point \(point)")
            #expect(try integer(folder.store, "SELECT count(*) FROM meter_samples") == number, "point \(point)")
        }
        #expect(number > 20)
    }
}
