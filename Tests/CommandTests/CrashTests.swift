import Foundation
import Testing

/// A recorder that is killed with -9 at random moments; by hand, scripts/crash-test does it a thousand times.
@Suite(.timeLimit(.minutes(5)))
struct CrashTests {
    @Test("after 50 kills under load: a store that is whole, every printed event in it, and a second lost at most")
    func kills() async throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "scripts/crash-test").path
        let result = try await Running(["50", "--recorder", Program.path], executable: script).end()
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        print(result.output)
    }
}
