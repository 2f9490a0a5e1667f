import Foundation
import Testing

/// The pages in a real browser: Debian's Chromium, without a window. Its pictures are kept in .build/pictures.
@Suite(.timeLimit(.minutes(4)))
struct BrowserTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Browser")
    static let pictures = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: ".build/pictures").path

    /// What a script of Tests/CommandTests/Browser found.
    static func look(_ script: String, arguments: [String]) async throws -> [String: Any] {
        // Debian's, which has python3-selenium.
        let run = try await Running(
            [folder.appending(path: script).path] + arguments, executable: "/usr/bin/python3"
        ).end()
        guard let object = try? JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any] else {
            Issue.record("\(run.output)\(run.errors)")
            throw CancellationError()
        }
        return object
    }

    @Test("meters move, an outage appears on the timeline, and everybody can read and reach it")
    func live() async throws {
        let folder = Folder()
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(folder.file("s.sqlite"), "--http", "127.0.0.1:0")
        let page = try await Served(recorder)
        try await recorder.line("Bar  subscribed")
        let found = try await Self.look(
            "live.py",
            arguments: [
                "http://127.0.0.1:\(page.port)/?since=15m", "\(unit.process.pid)", "\(recorder.pid)", Self.pictures,
            ])
        print("outage on the timeline after", found["on_timeline"] ?? "-", "s")
        #expect(found["moved"] as? Bool == true)
        #expect(found["names"] as? [String] == [])
        for scheme in ["light", "dark"] {
            let contrast = (found["contrast"] as? [String: [String: Any]])?[scheme]
            #expect((contrast?["count"] as? Int ?? 0) > 50)
            #expect(contrast?["low"] as? [String] == [])
        }
        // The fields, the button and what opens are reached, and it is seen where the keyboard is.
        let seen = (found["seen"] as? [[String]] ?? []).map { $0.joined(separator: " ") }
        #expect(seen.contains("INPUT ask-since") && seen.contains("BUTTON Show") && seen.contains("SUMMARY In numbers"))
        #expect((found["unseen"] as? [Any])?.isEmpty == true)
        #expect((found["state"] as? String)?.hasPrefix("control down") == true)
        #expect(found["is_open"] as? Bool == true)
        // All sections go on, at each refresh.
        let agreement = found["agreement"] as? [String: Int] ?? [:]
        #expect(agreement["changes", default: 0] > 0 && agreement["apart"] == 0, "\(agreement)")
        // Nothing refused by the page's own policy, no error in the script.
        #expect(found["complaints"] as? [String] == [], "\(found)")
        #expect((found["title"] as? String)?.hasPrefix(found["headline"] as? String ?? "-") == true, "\(found)")
        #expect((found["still"] as? String)?.hasPrefix("Nothing was heard from the server since") == true)
        #expect((found["alarm"] as? String)?.hasPrefix("Nothing was heard from the server since") == true)
        #expect((found["silent_title"] as? String)?.hasPrefix("? ") == true)
        _ = try await recorder.end()
        _ = try await unit.process.end()
    }

    @Test(
        "a recorder that stands still, and one that is killed, are said above everything, and no answer is left that was before"
    )
    func gone() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store)
        try await recorder.line("Bar  subscribed")
        let serve = try Running(["serve", "--store", store, "--http", "127.0.0.1:0"])
        let page = try await Served(serve)
        let found = try await Self.look(
            "gone.py", arguments: ["http://127.0.0.1:\(page.port)/?since=15m", "\(recorder.pid)", Self.pictures])
        #expect(
            (found["stalled"] as? String)?.hasPrefix("The recorder stands still: it has said nothing since ") == true)
        #expect((found["killed"] as? String)?.hasPrefix("No recorder writes this store since ") == true)
        #expect((found["title"] as? String)?.hasPrefix("? ") == true)
        #expect(found["answer"] as? String == "Not known now" && found["opacity"] as? String == "1")
        #expect(found["complaints"] as? [String] == [], "\(found)")
        serve.send(SIGTERM)
        #expect(try await serve.end().status == 0)
        _ = try await recorder.end()
        try await unit.stop()
    }

    @Test("a report's page, and one with a split, can be read and reached at any width, in the light and in the dark")
    func report() async throws {
        let root = Self.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let folder = Folder()
        let store = folder.file("sample.sqlite")
        let made = try await Program.tool(root.appending(path: "scripts/sample-store").path, [store])
        #expect(made.status == 0, "\(made.errors)")
        var pages: [String] = []
        for (name, more) in [("evening", []), ("split", ["--split", "2025-10-21 16:30:30"])] {
            let command =
                ["report", "--store", store, "--since", "2025-10-21 15:30", "--until", "2025-10-22 01:30"]
                + ["--format", "html"] + more
            let page = try await Running(command, environment: ["TZ": "America/Chicago"]).end()
            #expect(page.status == 0, "\(page.errors)")
            try page.output.write(toFile: folder.file("\(name).html"), atomically: true, encoding: .utf8)
            pages.append("\(name)=\(folder.file("\(name).html"))")
        }
        let found = try await Self.look("static.py", arguments: [Self.pictures] + pages)
        for name in ["evening", "split"] {
            let page = try #require(found[name] as? [String: Any])
            #expect(page["names"] as? [String] == [])
            let contrast = try #require(page["contrast"] as? [String: [String: Any]])
            #expect(contrast.count == 4)
            for (place, result) in contrast {
                #expect((result["count"] as? Int ?? 0) > 200, "\(place)")
                #expect(result["low"] as? [String] == [], "\(place)")
            }
            #expect((page["seen"] as? [Any])?.count == 20)
            #expect((page["unseen"] as? [Any])?.isEmpty == true)
            #expect(page["complaints"] as? [String] == [])
        }
    }
}
