/// What a key holds.
enum Value: Equatable {
    case text(String)
    case whole(Int)
    case decimal(Double)
    case flag(Bool)
    /// A date, a time, or both: no key of ours is one.
    case moment
    case list([Value])
    case table([String: Value])

    /// On one line, whatever is in it.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.properties.generalCategory == .control:
                result +=
                    "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count)
                    + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension Value: CustomStringConvertible {
    /// What follows "is".
    var description: String {
        switch self {
        case .text(let text): "the text \(Self.quoted(text.count > 40 ? text.prefix(40) + "…" : text))"
        case .whole(let number): "\(number)"
        case .decimal(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        case .moment: "a date or time"
        case .list: "a list"
        case .table: "a table"
        }
    }
}
