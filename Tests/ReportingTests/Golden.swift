import Foundation
import Testing

/// Whole pages, compared with files under `Golden/`. To renew them after a change that is meant, run
///
///     RENEW_GOLDEN=1 scripts/test --filter GoldenTests
///
/// read `git diff Tests/ReportingTests/Golden`, and commit. That run writes the files and fails, so it cannot pass unseen.
enum Golden {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    static func expect(_ text: String, is name: String) throws {
        let file = folder.appending(path: name)
        if ProcessInfo.processInfo.environment["RENEW_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
            Issue.record("\(name) was written anew: read the difference, then run the tests without RENEW_GOLDEN")
            return
        }
        guard let wanted = try? String(contentsOf: file, encoding: .utf8) else {
            Issue.record("there is no \(file.path): make it with RENEW_GOLDEN=1, read it, and commit it")
            return
        }
        guard text != wanted else { return }
        let (ours, theirs) = (lines(text), lines(wanted))
        let line =
            zip(ours, theirs).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            ?? min(ours.count, theirs.count)
        func shown(_ lines: [Substring]) -> String { line < lines.count ? "'\(lines[line])'" : "nothing" }
        Issue.record("\(name), line \(line + 1): \(shown(ours)), where the file has \(shown(theirs))\n\(text)")
    }

    private static func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }
}
