/// What somebody who does not write TOML every day most likely did, from the line that is no TOML.
enum SyntaxAdvice {
    static func message(_ error: String, line: String) -> String {
        // "Error while parsing value: …" says where, and the position does that.
        let isWhere = error.hasPrefix("Error while parsing ")
        let parts = error.split(separator: ":", maxSplits: 1)
        let error = isWhere && parts.count == 2 ? parts[1].trimming { $0.isWhitespace } : error
        let advice = error.hasPrefix("cannot redefine") ? again(line) : advice(line.trimming { $0.isWhitespace })
        return advice.map { "\(error). \($0)" } ?? error
    }

    private static let header = "Each processor begins with [[processor]], in two pairs of brackets."

    private static func again(_ line: String) -> String {
        line.contains("[") ? header : "A key stands once; of two, which one was meant?"
    }

    private static func advice(_ line: String) -> String? {
        if line.contains(where: { "“”„‘’".contains($0) }) { return "Quotes are straight: \" and not “ or ”." }
        if line.hasPrefix("["), line.contains("processor") { return header }
        if !line.count(where: { $0 == "\"" }).isMultiple(of: 2) { return "Is a quote missing?" }
        guard let equals = line.firstIndex(of: "=") else {
            return line.contains(":") ? "Write = between a key and its value, not a colon." : nil
        }
        let key = line[..<equals].trimming { $0.isWhitespace }
        if key.contains(where: { $0 == " " }), !key.contains("\"") {
            return "A key has no spaces: \(key.split(separator: " ").joined(separator: "_"))."
        }
        let value = String(line[line.index(after: equals)...].prefix { $0 != "#" }).trimming { $0.isWhitespace }
        if ["yes", "no", "on", "off", "True", "False", "TRUE", "FALSE"].contains(value) {
            return "Write true or false."
        }
        guard let first = value.first else { return "A value is missing behind the =." }
        let isAddress = value.count(where: { $0 == "." }) > 1
        guard first.isLetter || first == "/" || first == "~" || isAddress, !value.contains("\"") else { return nil }
        return "Text is in quotes: \(key) = \(Value.quoted(value))"
    }
}

extension StringProtocol {
    fileprivate func trimming(_ isEdge: (Character) -> Bool) -> String {
        var rest = self[...]
        while let first = rest.first, isEdge(first) { rest.removeFirst() }
        while let last = rest.last, isEdge(last) { rest.removeLast() }
        return String(rest)
    }
}
