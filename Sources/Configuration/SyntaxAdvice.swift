/// What somebody who does not write TOML every day most likely did, from the line that is no TOML.
enum SyntaxAdvice {
    static func fault(_ fault: TOMLFault, in text: String) -> ConfigurationFault {
        // By bytes: a new line ends a line, with or without a carriage return before it, and nothing else does.
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let line = String(decoding: lines[fault.position.line - 1], as: UTF8.self).trimming { $0.isWhitespace }
        let message = advice(fault.kind, line).map { "\(fault.message). \($0)" } ?? fault.message
        return ConfigurationFault(at: fault.position, message)
    }

    private static let header = "Each processor begins with [[processor]], in two pairs of brackets."

    private static func advice(_ kind: TOMLFault.Kind, _ line: String) -> String? {
        switch kind {
        case .other: nil
        case .again where line.hasPrefix("["):
            line.contains("processor") ? header : "A table stands once; put all its keys below one header."
        case .again: "A key stands once; of two, which one was meant?"
        case .quote: "Is a quote missing?"
        case .header: line.contains("processor") ? header : nil
        case .key, .equals, .value, .ending: advice(line)
        }
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
        guard let first = value.first else { return nil }
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
