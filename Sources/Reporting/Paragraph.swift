/// How a page about the host is written.
package enum PageFormat: String, CaseIterable, Sendable { case text, json }

/// A sentence broken into lines of a terminal's 80 columns.
enum Paragraph {
    /// Each line begins with `indent`, the first with `lead` in its place. A word that is longer than a line stays whole.
    static func lines(_ text: String, lead: String? = nil, indent: String, width: Int = 80) -> [String] {
        var lines: [String] = []
        var line = lead ?? indent
        var isEmpty = true
        for word in text.replacingControls().split(separator: " ") {
            if !isEmpty, TextTable.width(line.removingStyle()) + 1 + TextTable.width(String(word)) > width {
                lines.append(line)
                (line, isEmpty) = (indent, true)
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return lines + [line]
    }
}
