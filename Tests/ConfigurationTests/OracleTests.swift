import Foundation
import Testing

@testable import Configuration

/// Our reader against Python's `tomllib`, which is not ours: the same texts accepted, with the same values.
struct OracleTests {
    /// Reads a JSON list of texts in base64; writes a line for each: its values, or `refused`. A whole number of over 64 bits
    /// is refused: TOML lets a reader do so, Python's holds any.
    private static let script = """
        import base64, datetime, json, struct, sys, tomllib
        def line(value):
            if isinstance(value, bool): return str(value).lower()
            if isinstance(value, int):
                if not -2**63 <= value < 2**63: raise ValueError
                return f"i{value}"
            if isinstance(value, float): return "nan" if value != value else "f" + struct.pack(">d", value).hex()
            if isinstance(value, str): return "s" + value.encode().hex()
            if isinstance(value, list): return "[" + ",".join(map(line, value)) + "]"
            if isinstance(value, dict):
                return "{" + ",".join(sorted(key.encode().hex() + ":" + line(v) for key, v in value.items())) + "}"
            assert isinstance(value, (datetime.date, datetime.time))
            return "moment"
        for text in json.load(open(sys.argv[1])):
            try: print(line(tomllib.loads(base64.b64decode(text).decode("utf-8-sig"))))
            except ValueError: print("refused")
        """

    private func oracle(_ texts: [[UInt8]]) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "atlas-oracle-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output) = (folder.appending(path: "texts.json"), folder.appending(path: "lines.txt"))
        try JSONEncoder().encode(texts.map { Data($0).base64EncodedString() }).write(to: input)
        try Data().write(to: output)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script, input.path]
        let handle = try FileHandle(forWritingTo: output)
        (process.standardOutput, process.standardError) = (handle, handle)
        try process.run()
        process.waitUntilExit()
        let text = try String(contentsOf: output, encoding: .utf8)
        try #require(
            process.terminationStatus == 0, "is there a python3 of 3.11 or later, with tomllib? \(text.suffix(500))")
        return text.split(separator: "\n").map(String.init)
    }

    private func ours(_ bytes: [UInt8]) -> String {
        guard let text = try? ConfigurationFile.text(bytes), let table = try? TOMLReader.table(text) else {
            return "refused"
        }
        return line(.table(table))
    }

    private func line(_ content: Value.Content) -> String {
        switch content {
        case .text(let text): "s" + hex(text.utf8)
        case .whole(let number): "i\(number)"
        case .decimal(let number) where number.isNaN: "nan"
        case .decimal(let number): "f" + hex(withUnsafeBytes(of: number.bitPattern.bigEndian) { Array($0) })
        case .flag(let flag): "\(flag)"
        case .moment: "moment"
        case .list(let items): "[" + items.map { line($0.content) }.joined(separator: ",") + "]"
        case .table(let table):
            "{"
                + table.entries.map { hex($0.key.text.utf8) + ":" + line($0.value.content) }.sorted().joined(
                    separator: ",")
                + "}"
        }
    }

    private func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("made-up texts, right and wrong, are read as Python reads them", arguments: [1, 2, 3, 4])
    func madeUp(seed: UInt64) throws {
        var generator = TOMLGenerator(seed: seed)
        let texts = (0..<2_000).map { _ in generator.document() }
        let theirs = try oracle(texts)
        try #require(theirs.count == texts.count)
        for (text, theirs) in zip(texts, theirs) {
            #expect(ours(text) == theirs, "seed \(seed): \(Value.quoted(String(decoding: text, as: UTF8.self)))")
        }
        // Neither answer may become rare, or nothing would be compared.
        let refused = theirs.count { $0 == "refused" }
        #expect((400...1_600).contains(refused), "\(refused) of \(texts.count) refused")
    }

    /// What the generator seldom makes; the rules are TOML's own (toml.io, "Keys", "Table", "Array of Tables").
    @Test("tables that are begun twice, gone on with, or closed are told apart as Python does")
    func tables() throws {
        let texts = [
            "[a.b.c]\n[a]\n[a.b]", "[a]\n[a]", "[a.b]\n[a]\n[a.b]", "a.b = 1\n[a]", "[a]\nb.c = 1\n[a.b]",
            "[a]\nb.c = 1\n[a.b.d]", "[a.b]\nc = 1\n[a]\nb.d = 1", "[a.b.c]\nx = 1\n[a]\nb.y = 1", "a = 1\na.b = 1",
            "a.b = 1\na = 1", "a.b = 1\na.c = 1", "a = {}\na.b = 1", "a = {}\n[a.b]", "a = {b = {}}\n[a.b.c]",
            "a = {b.c = 1, b.d = 2}", "a.b = {}\na.c = 1", "[a]\nb.c = {}\nb.d = 1", "a = {b = {c = 1}, b.d = 2}",
            "a = {b.c = 1, b = 2}", "a = []\n[[a]]",
            "a = [{}]\n[[a]]", "a = [{}]\n[a.b]", "a = [{}]\na.b = 1", "[[a]]\n[a]",
            "[[a]]\n[[a]]\n[a.b]\n[[a]]\n[a.b]",
            "[[a.b]]\n[a]", "[a]\n[[a.b]]\n[[a.b]]\n[a.b.c]", "[a.b]\n[[a]]", "[[a]]\nb.c = 1\n[[a]]\nb.c = 2\n[a.b]",
            "[[a.b]]\n[a]\nb.c = 1", "[[a]]\n[[a.b]]\n[[a]]\n[[a.b]]", "a.\"b\" = 1\na.b = 2", "\"\" = 1\n'' = 2",
            "\"é\" = 1\n\"e\\u0301\" = 2", "a = {b = 1,}", "a = {b = 1\n}", "a = [1,\n2,\n]", "a = [,]",
            "a = \"\"\"\"\"\"\"\"", "a = \"\"\"\"\"\"\"\"\"", "a = ''''''''''", "a = \"\"\"\\", "a = \"\"\"\\ x\"\"\"",
            "\u{FEFF}a = 1", "a = 1\r", "a = 1 \r\n", "# \r", "a = \"\"\"\r\n\r\n\"\"\"", "[a]b = 1", "a = 1 b = 2",
        ].map { Array($0.utf8) }
        for (text, theirs) in zip(texts, try oracle(texts)) {
            #expect(ours(text) == theirs, "\(Value.quoted(String(decoding: text, as: UTF8.self)))")
        }
    }
}
