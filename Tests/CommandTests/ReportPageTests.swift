import Foundation
import Testing

/// `report --format html`, as a browser gets it.
@Suite(.timeLimit(.minutes(2)))
struct ReportPageTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let evening = ["--since", "2025-10-21 15:30", "--until", "2025-10-22 01:30"]

    /// Debian's tidy has nothing to say of the page.
    private func expectTidy(_ page: String, in folder: Folder) async throws {
        let file = folder.file("\(UUID().uuidString).html")
        try page.write(toFile: file, atomically: true, encoding: .utf8)
        let result = try await Program.tool("tidy", ["-quiet", "-errors", file])
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors.prefix(2_000))")
    }

    @Test(
        "the page of an evening is valid HTML",
        arguments: [
            ["report"], ["report", "--split", "16:30"], ["report", "--processor", "Patio"], ["report", "errors"],
            ["report", "outages", "--split", "16:30"],
        ])
    func evening(arguments: [String]) async throws {
        let folder = Folder()
        let store = folder.file("sample.sqlite")
        let made = try await Program.tool("\(Self.root.path)/scripts/sample-store", [store])
        try #require(made.status == 0, "\(made.errors)")
        let result = try await Running(
            arguments + Self.evening + ["--store", store, "--format", "html"],
            environment: ["TZ": "America/Chicago"]
        ).end()
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(result.output.hasPrefix("<!DOCTYPE html>\n") && result.output.hasSuffix("</html>\n"))
        try await expectTidy(result.output, in: folder)
    }

    @Test("the page of what was just recorded is valid HTML, and says that it is up")
    func recorded() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let run = try await Program.run("run", "--simulate", "--store", store, "--for", "3s")
        try #require(run.status == 0, "\(run.errors)")
        let result = try await Program.run("report", "--store", store, "--since", "1m", "--format", "html")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("<b>0</b> never seen in this store"))
        try await expectTidy(result.output, in: folder)
    }

    @Test("the exit code of --fail-on does not depend on the format", arguments: [("EADDRINUSE", 2), ("ENOBUFS", 0)])
    func failOn(code: String, status: Int32) async throws {
        let folder = Folder()
        let store = folder.file("sample.sqlite")
        let made = try await Program.tool("\(Self.root.path)/scripts/sample-store", [store])
        try #require(made.status == 0, "\(made.errors)")
        let result = try await Running(
            ["report"] + Self.evening + ["--store", store, "--format", "html", "--fail-on", code],
            environment: ["TZ": "America/Chicago"]
        ).end()
        #expect(result.status == status, "\(result.errors)")
        #expect(result.output.hasSuffix("</html>\n"))
    }
}
