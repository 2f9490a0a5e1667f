import TOMLKit

/// TOML 1.0 (https://toml.io/en/v1.0.0) into values of ours. All that is known of TOMLKit is in here.
///
/// TOMLKit hands texts over as C strings, so a zero byte, or `\u0000`, would end the file or a name early, unseen: both are
/// refused before. Two things end the process in the parser below it (toml++; in a release build they are undefined): a key
/// of 30,000 parts, and a `[` with something behind it that begins no name. So a line has few dots, and headers are looked at
/// first. TOMLKit never frees a tree, some kilobytes for each file that is read.
enum TOMLText {
    static func table(_ text: String) throws(ConfigurationFaults) -> [String: Value] {
        if let fault = zero(in: text) ?? depth(of: text) ?? header(in: text) { throw ConfigurationFaults([fault]) }
        do {
            return values(try TOMLTable(string: text), depth: 0)
        } catch let error as TOMLParseError {
            let (line, column) = (error.source.begin.line, error.source.begin.column)
            throw ConfigurationFaults([
                ConfigurationFault(
                    place: .position(line: line, column: column),
                    message: SyntaxAdvice.message(error.description, line: lineText(text, line)))
            ])
        } catch {
            throw ConfigurationFaults([ConfigurationFault(place: .file, message: "\(error)")])
        }
    }

    /// Deeper than any key of ours a table is only a table: `a.a.a.a…` for the length of a file must not end the stack.
    private static let deepest = 4

    private static func values(_ table: TOMLTable, depth: Int) -> [String: Value] {
        guard depth < deepest else { return [:] }
        var result: [String: Value] = [:]
        for key in table.keys { result[key] = table[key].map { value($0, depth: depth) } }
        return result
    }

    private static func value(_ node: any TOMLValueConvertible, depth: Int) -> Value {
        switch node.type {
        case .string: .text(node.string ?? "")
        case .int: .whole(node.int ?? 0)
        case .double: .decimal(node.double ?? 0)
        case .bool: .flag(node.bool ?? false)
        case .date, .time, .dateTime: .moment
        case .table: .table(node.table.map { values($0, depth: depth + 1) } ?? [:])
        case .array: .list(depth < deepest ? (node.array.map { $0.map { value($0, depth: depth + 1) } } ?? []) : [])
        }
    }

    /// Lines as TOML has them: a new line ends one, with or without a carriage return before it, and nothing else does.
    private static func lines(_ text: String) -> [Substring.UTF8View] {
        text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { $0 }
    }

    private static func lineText(_ text: String, _ number: Int) -> String {
        let lines = lines(text)
        return lines.indices.contains(number - 1) ? String(decoding: lines[number - 1], as: UTF8.self) : ""
    }

    /// The longest host name has 126 dots.
    private static let mostDots = 128

    private static func depth(of text: String) -> ConfigurationFault? {
        let index = lines(text).firstIndex { $0.count { $0 == UInt8(ascii: ".") } > mostDots }
        return index.map {
            ConfigurationFault(
                place: .position(line: $0 + 1, column: 1),
                message: "a line with over \(mostDots) dots; no key and no host has so many")
        }
    }

    /// A line that begins with `[` and goes on with what can be in no header. It may be within a list or a long text, too,
    /// and is refused there as well: no key of ours has such a line.
    private static func header(in text: String) -> ConfigurationFault? {
        let space = [UInt8](" \t".utf8)
        let begins = [UInt8]("\"'-_]".utf8)
        for (index, line) in lines(text).enumerated() {
            var rest = line.drop { space.contains($0) }
            guard rest.first == UInt8(ascii: "[") else { continue }
            rest = rest.dropFirst().drop { space.contains($0) }
            if rest.first == UInt8(ascii: "[") { rest = rest.dropFirst().drop { space.contains($0) } }
            if let byte = rest.first {
                let scalar = Unicode.Scalar(byte)
                let isDigitOrLetter = scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                if begins.contains(byte) || scalar.isASCII && isDigitOrLetter { continue }
            }
            let before = String(decoding: line[..<rest.startIndex], as: UTF8.self).unicodeScalars.count
            return ConfigurationFault(
                place: .position(line: index + 1, column: before + 1),
                message: "no name begins like this; a header is [[processor]], in two pairs of brackets")
        }
        return nil
    }

    private static func zero(in text: String) -> ConfigurationFault? {
        for (index, line) in lines(text).enumerated() {
            for form in ["\0", "\\u0000", "\\U00000000"] {
                guard let range = line.firstRange(of: form.utf8) else { continue }
                let before = String(decoding: line[..<range.lowerBound], as: UTF8.self)
                return ConfigurationFault(
                    place: .position(line: index + 1, column: before.unicodeScalars.count + 1),
                    message: "a character 0 can be in no name and in no path; is this a text file?")
            }
        }
        return nil
    }
}
