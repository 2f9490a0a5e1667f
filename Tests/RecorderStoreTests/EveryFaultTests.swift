import Foundation
import Testing

@testable import RecorderStore

/// Every system call and allocation that SQLite makes for the recorder fails, one in each run of the script: of each kind
/// of fault as many points as ATLAS_FAULT_POINTS says, evenly spread; other ones each time.
@Suite(.timeLimit(.minutes(60)))
struct EveryFaultTests {
    /// As many as half a minute allows.
    private static let limit = ProcessInfo.processInfo.environment["ATLAS_FAULT_POINTS"].flatMap { Int($0) } ?? 25

    @Test("each call fails once: recording goes on as if nothing had been", arguments: Fault.allCases)
    func once(fault: Fault) async throws { try await sweep(fault, lasting: false) }

    @Test(
        "each call fails, and all after it for a while: recording resumes, and the ledger has the hole",
        arguments: Fault.allCases)
    func lasting(fault: Fault) async throws { try await sweep(fault, lasting: true) }

    private func sweep(_ fault: Fault, lasting: Bool) async throws {
        let undisturbed = TemporaryFolder()
        var script = FaultScript(undisturbed.store, Injection(fault, lasting: lasting, atPoint: 0))
        try await script.run()
        try script.expectWhole("undisturbed")
        let (points, wanted) = (script.injection.passed, try script.contents())
        #expect(points > 10, "\(fault.rawValue) has no points: is something not replaced?")
        let step = max(1, points / Self.limit)
        var (runs, identical, restarted, holed) = (0, 0, 0, 0)
        for point in stride(from: Int.random(in: 1...step), through: points, by: step) {
            let place: Comment = "\(fault.rawValue), \(lasting ? "lasting" : "once"), point \(point) of \(points)"
            let folder = TemporaryFolder()
            var script = FaultScript(folder.store, Injection(fault, lasting: lasting, atPoint: point))
            do {
                try await script.run()
                try script.expectWhole(place)
                #expect(script.injection.hits > 0, place)
                let hasHole = try script.hasLostSamples
                if script.restarts == 0, !hasHole {
                    let found = try script.contents()
                    if found != wanted {
                        Issue.record(
                            "\(place): \(found.difference(from: wanted)) after \(String(describing: script.lastFailure))"
                        )
                    }
                    identical += 1
                }
                (runs, restarted, holed) = (
                    runs + 1, restarted + (script.restarts > 0 ? 1 : 0), holed + (hasHole ? 1 : 0)
                )
            } catch {
                Issue.record("\(place): \(error)")
            }
        }
        print(
            "\(fault.rawValue), \(lasting ? "lasting" : "once"): \(runs) of \(points) points, \(identical) as if nothing had been, "
                + "\(restarted) begun again, \(holed) with a hole on record")
    }
}
