import Foundation
import Testing

@testable import Reporting

/// docs/report.schema.json against what the program writes, by a validator that is not ours.
@Suite struct SchemaTests {
    /// `/usr/bin/python3` with Debian's python3-jsonschema. Reads an array of documents; writes a line for each: `ok`, or
    /// what is wrong with it. The published schema lets members be added; here each must be described.
    private static let script = """
        import json, sys
        from jsonschema import Draft202012Validator
        schema, documents = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
        Draft202012Validator.check_schema(schema)
        def close(node):
            if isinstance(node, dict):
                if node.get("type") == "object" and "properties" in node:
                    node["additionalProperties"] = False
                for value in node.values(): close(value)
            elif isinstance(node, list):
                for value in node: close(value)
        close(schema)
        validator = Draft202012Validator(schema)
        for document in documents:
            errors = ["/".join(map(str, e.absolute_path)) + ": " + e.message for e in validator.iter_errors(document)]
            print(" | ".join(errors)[:500].replace("\\n", " ") or "ok")
        """

    private func validate(_ documents: [String]) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "atlas-schema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output) = (folder.appending(path: "documents.json"), folder.appending(path: "result.txt"))
        try Data("[\(documents.joined(separator: ","))]".utf8).write(to: input)
        try Data().write(to: output)
        let schema = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/report.schema.json").standardized
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", Self.script, schema.path, input.path]
        let handle = try FileHandle(forWritingTo: output)
        (process.standardOutput, process.standardError) = (handle, handle)
        try process.run()
        process.waitUntilExit()
        let text = try String(contentsOf: output, encoding: .utf8)
        try #require(process.terminationStatus == 0, "is python3-jsonschema installed? scripts/test does it. \(text)")
        return text.split(separator: "\n").map(String.init)
    }

    @Test("every page's JSON is what the schema says")
    func documents() throws {
        let pages = GoldenTests.pages.filter { $0.report == "summary" }
        let results = try validate(pages.map { try $0.text(.json) })
        #expect(results.count == pages.count)
        for (page, result) in zip(pages, results) { #expect(result == "ok", "\(page.name)") }
    }

    @Test("the schema refuses what is no report")
    func refusals() throws {
        let page = try #require(GoldenTests.pages.first { $0.name == "mended-split" })
        let good = try page.text(.json)
        let changes = [
            ("\"version\": 1", "\"version\": 2"), ("\"code\": \"EADDRINUSE\"", "\"code\": \"EADDRNOTAVAIL\""),
            ("\"before\": {", "\"earlier\": {"), ("\"uptime_percent\": 100", "\"uptime_percent\": 100.01"),
            ("\"state\": \"up\"", "\"state\": \"fine\""), ("\"per_hour\": ", "\"hourly\": "), ("-05:00\"", "Z\""),
            ("\"recorded_seconds\": ", "\"recorded_seconds\": -"), ("\"link\": \"meters\"", "\"link\": \"udp\""),
            ("\"samples_lost\": ", "\"more\": 1, \"samples_lost\": "), ("\"causes\": [", "\"causes\": [], \"was\": ["),
        ]
        let broken = changes.map { good.replacingOccurrences(of: $0.0, with: $0.1) }
        for (change, document) in zip(changes, broken) { #expect(document != good, "\(change.0) is not in the page") }
        let results = try validate([good] + broken)
        #expect(results.first == "ok" && results.count == broken.count + 1)
        for (change, result) in zip(changes, results.dropFirst()) { #expect(result != "ok", "\(change.1)") }
    }

    @Test("in the JSON, too, before and after are the whole")
    func halves() throws {
        for page in GoldenTests.pages where page.report == "summary" && page.split != nil {
            let data = Data(try page.text(.json).utf8)
            let whole = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            let split = try #require(whole["split"] as? [String: Any])
            let before = try #require(split["before"] as? [String: Any])
            let after = try #require(split["after"] as? [String: Any])
            #expect(before["since"] as? String == whole["since"] as? String)
            #expect(before["until"] as? String == split["time"] as? String)
            #expect(after["since"] as? String == split["time"] as? String)
            #expect(after["until"] as? String == whole["until"] as? String)
            for key in ["window_seconds", "recorded_seconds"] {
                let sum = try #require(before[key] as? Double) + #require(after[key] as? Double)
                #expect(try abs(sum - #require(whole[key] as? Double)) < 1e-6, "\(page.name) \(key)")
            }
            func count(_ side: [String: Any]) -> Int {
                (side["errors"] as? [[String: Any]] ?? []).reduce(0) { $0 + ($1["count"] as? Int ?? 0) }
            }
            #expect(count(before) + count(after) == count(whole), "\(page.name)")
        }
    }
}
