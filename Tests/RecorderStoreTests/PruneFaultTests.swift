import Foundation
import Testing

@testable import RecorderStore

/// Pruning while a system call or an allocation fails, at each of some points: `EveryFaultTests` for what it deletes.
@Suite(.timeLimit(.minutes(60)))
struct PruneFaultTests: PruningBench {
    let folder = TemporaryFolder()
    private static let limit = ProcessInfo.processInfo.environment["ATLAS_FAULT_POINTS"].flatMap { Int($0) } ?? 10
    private static let retention = Retention(
        samples: 2 * Retention.day, minutes: 3 * Retention.day, events: 4 * Retention.day, size: nil)
    private static let end = start + 10 * Retention.day

    @Test(
        "whatever fails while it is pruned, the store is whole, and in the end the same went",
        arguments: Fault.allCases, [false, true])
    func sweep(fault: Fault, lasting: Bool) async throws {
        try await liveThroughDays()
        let (points, _, wanted) = try await prune(Injection(fault, lasting: lasting, atPoint: 0))
        #expect(points > 10, "\(fault.rawValue) has no points: is something not replaced?")
        let step = max(1, points / Self.limit)
        for point in stride(from: Int.random(in: 1...step), through: points, by: step) {
            let place: Comment = "\(fault.rawValue), \(lasting ? "lasting" : "once"), point \(point) of \(points)"
            do {
                let (_, hits, found) = try await prune(Injection(fault, lasting: lasting, atPoint: point))
                #expect(hits > 0, place)
                if found != wanted { Issue.record("\(place): \(found.difference(from: wanted))") }
            } catch {
                Issue.record("\(place): \(error)")
            }
        }
        print("pruning, \(fault.rawValue), \(lasting ? "lasting" : "once"): \(points) points")
    }

    /// Prunes a copy of the store with the fault under it; gives what is left in it.
    private func prune(_ injection: Injection) async throws -> (points: Int, hits: Int, contents: [String]) {
        let copy = TemporaryFolder()
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: folder.store + suffix) {
            try FileManager.default.copyItem(atPath: folder.store + suffix, toPath: copy.store + suffix)
        }
        var injection = injection
        let recording = try await Recording(copy.store, at: Self.end)
        await recording.writer.retain(Self.retention, lived: 0)
        var failures = 0
        let lived = RetentionPlan.settling
        _ = try await recording.writer.pruned(at: Self.end, lived: lived)  // policy
        _ = try await recording.writer.pruned(at: Self.end, lived: lived)  // from here on age counts
        for _ in 0..<10_000 {
            let more = Box()
            let (next, failure) = await recording.writer.under(injection) { writer throws(StoreError) in
                more.outcome = try writer.pruned(at: Self.end, lived: lived + 400 * Retention.day)
            }
            (injection, failures) = (next, failures + (failure == nil ? 0 : 1))
            if failures >= FaultScript.patience { injection.lift() }
            if failure == nil, more.outcome == .done { break }
        }
        try await recording.writer.finish([], at: Self.end + second)
        try expectSound("\(injection.fault.rawValue)", path: copy.store)
        return (injection.passed, injection.hits, try await recording.writer.contents())
    }

    private final class Box: @unchecked Sendable { var outcome = PruneOutcome.more }
}
