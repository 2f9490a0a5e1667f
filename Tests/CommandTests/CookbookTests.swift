import Foundation
import Testing

/// docs/sql.md is run as it is printed: every query and every command, on the store that scripts/sample-store makes.
@Suite(.timeLimit(.minutes(2)))
struct CookbookTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A block of the page: SQL with its answer, or a session with a shell.
    struct Block: Sendable, CustomTestStringConvertible {
        let question: String
        let language: String
        let text: String
        let answer: String
        var testDescription: String { question }
    }

    static let blocks: [Block] = {
        let page = (try? String(contentsOf: root.appending(path: "docs/sql.md"), encoding: .utf8)) ?? ""
        var (blocks, question, open): ([Block], String, (language: String, lines: [String])?) = ([], "", nil)
        for line in page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("```"), let (language, lines) = open {
                let text = lines.joined(separator: "\n")
                if language == "text", let asked = blocks.popLast() {
                    blocks.append(
                        Block(question: asked.question, language: asked.language, text: asked.text, answer: text))
                } else {
                    blocks.append(Block(question: question, language: language, text: text, answer: ""))
                }
                open = nil
            } else if line.hasPrefix("```") {
                open = (String(line.dropFirst(3)), [])
            } else if open != nil {
                open!.lines.append(line)
            } else if line.hasPrefix("### ") {
                question = String(line.dropFirst(4))
            }
        }
        return blocks
    }()

    /// Runs a script with bash in `folder`, with our program in the path, in the page's zone.
    private func run(_ script: String, in folder: Folder) async throws -> Program.Result {
        let programs = URL(fileURLWithPath: Program.path).deletingLastPathComponent().path
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        // HOME: whoever runs the tests may have a .sqliterc.
        return try await Running(
            ["-c", "cd '\(folder.path)' && \(script)"], executable: "/bin/bash",
            environment: ["TZ": "America/Chicago", "PATH": "\(programs):\(path)", "HOME": folder.path]
        ).end()
    }

    private func makeStore(in folder: Folder) async throws {
        let made = try await run("'\(Self.root.path)/scripts/sample-store' >/dev/null", in: folder)
        try #require(made.status == 0, "\(made.errors)")
    }

    /// The sqlite3 program pads the last column.
    private func trimmed(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var line = line
            while line.last == " " { line.removeLast() }
            return String(line)
        }.joined(separator: "\n").trimmingCharacters(in: .newlines)
    }

    @Test("the page answers at least fifteen questions, each with a query or a command")
    func extent() throws {
        let page = try String(contentsOf: Self.root.appending(path: "docs/sql.md"), encoding: .utf8)
        let questions = page.split(separator: "\n").filter { $0.hasPrefix("### ") }
        #expect(questions.count >= 15)
        #expect(questions.map { String($0.dropFirst(4)) } == Self.blocks.map(\.question))
        #expect(Self.blocks.allSatisfy { ["sql", "console"].contains($0.language) })
    }

    @Test("every query of the page gives the answer that the page prints")
    func queries() async throws {
        let folder = Folder()
        try await makeStore(in: folder)
        for block in Self.blocks where block.language == "sql" {
            try #require(!block.answer.isEmpty, "\(block.question): no answer is printed")
            try block.text.write(toFile: folder.file("query.sql"), atomically: true, encoding: .utf8)
            let result = try await run(
                "sqlite3 -readonly -batch -bail -header -column sample.sqlite <query.sql", in: folder)
            #expect(result.status == 0 && result.errors.isEmpty, "\(block.question): \(result.errors)")
            #expect(trimmed(result.output) == trimmed(block.answer), "\(block.question)")
        }
    }

    @Test("every command of the page prints what the page says", arguments: blocks.filter { $0.language == "console" })
    func commands(block: Block) async throws {
        let folder = Folder()
        try await makeStore(in: folder)
        var (commands, printed): ([String], [String]) = ([], [])
        for line in block.text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("$ ") {
                commands.append(String(line.dropFirst(2)))
            } else if line.hasPrefix("> ") {
                commands.append(String(line.dropFirst(2)))
            } else {
                printed.append(String(line))
            }
        }
        let result = try await run(commands.joined(separator: "\n"), in: folder)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(trimmed(result.output) == trimmed(printed.joined(separator: "\n")))
    }

    @Test("the sample store is one that the program reads, without a hole, and every sample is counted")
    func sampleStore() async throws {
        let folder = Folder()
        try await makeStore(in: folder)
        let again = try await run("'\(Self.root.path)/scripts/sample-store'", in: folder)
        #expect(again.status == 1 && again.errors.contains("sample.sqlite is there already"))
        let report = try await run(
            "atlas-recorder report --store sample.sqlite --since '2025-10-21 15:30' --until '2025-10-22 01:30' --format json",
            in: folder)
        #expect(report.status == 0, "\(report.errors)")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(report.output.utf8)) as? [String: Any])
        let processors = try #require(json["processors"] as? [[String: Any]])
        #expect(processors.compactMap { $0["processor"] as? String } == ["Main Bar", "Patio"])
        for (name, sql) in [
            (
                "a hole between two rows",
                """
                SELECT count(*) FROM (SELECT ended_us, lead(started_us) OVER (PARTITION BY processor, link ORDER BY started_us)
                       AS next FROM link_states) WHERE ended_us <> next
                """
            ),
            (
                "a sample while the link was not up",
                """
                SELECT count(*) FROM meter_samples m JOIN link_states s ON s.processor = m.processor AND s.link = 'meters'
                   AND m.at_us >= s.started_us AND m.at_us < coalesce(s.ended_us, 1 << 62) WHERE s.state <> 'up'
                """
            ),
            (
                "a sample that was not counted",
                "SELECT (SELECT count(*) FROM meter_samples) - (SELECT sum(stored) FROM sample_minute)"
            ),
            ("a sample without a label", "SELECT count(*) FROM meter_samples WHERE label IS NULL"),
            (
                "a minute with more than it holds",
                "SELECT count(*) FROM meter_minutes WHERE seconds > 60 OR silent_seconds > seconds"
            ),
            (
                "an error that its minutes do not have",
                "SELECT (SELECT sum(count) FROM socket_errors) - (SELECT sum(count) FROM socket_error_minutes)"
            ),
        ] {
            try sql.write(toFile: folder.file("query.sql"), atomically: true, encoding: .utf8)
            let result = try await run("sqlite3 -readonly -batch -bail sample.sqlite <query.sql", in: folder)
            #expect(result.output == "0\n", "\(name): \(result.output)\(result.errors)")
        }
    }
}
