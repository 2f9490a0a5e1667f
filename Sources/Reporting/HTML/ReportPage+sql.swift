import WallTime

/// How somebody else gets the same figures: the command, and what it asks of the store.
extension ReportPage {
    var reproduction: HTML {
        let inquiry = Inquiry(.compiledIn("summary"), question, split: split, format: .html)
        let statements = inquiry.statements.map { statement -> HTML in
            """
            <details><summary>\(statement.title)</summary>
            <pre tabindex="0"><code>\(statement.sql)</code></pre></details>

            """
        }
        return """
            <p>This page is what one command prints:</p>
            <pre tabindex="0"><code>\(command)</code></pre>
            <p>What it asks, for <code>sqlite3 -readonly \(Self.shellQuoted(summary.store))</code>: first the parameters, then any \
            of the statements. <code>atlas-recorder report --show-sql</code> prints them all.</p>
            \(statements)
            """
    }

    private var command: String {
        var words = ["atlas-recorder report", "--format html", "--store \(Self.shellQuoted(summary.store))"]
        words.append("--since \(LocalTime.iso8601(question.since)) --until \(LocalTime.iso8601(question.until))")
        if let processor = question.processor { words.append("--processor \(Self.shellQuoted(processor))") }
        if let split { words.append("--split \(LocalTime.iso8601(split))") }
        return words.joined(separator: " ") + " > report.html"
    }

    /// A word of the shell's, POSIX 2.2.2.
    private static func shellQuoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "/._-".utf8.contains(byte)
            }
        if isPlain { return text }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
