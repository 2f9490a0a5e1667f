/// What a key holds, and where that begins.
struct Value {
    enum Content {
        case text(String)
        case whole(Int)
        case decimal(Double)
        case flag(Bool)
        /// A date, a time, or both: no key of ours is one.
        case moment(String)
        case list([Value])
        case table(TOMLTable)
    }
    let content: Content
    let position: Position

    init(_ content: Content, at position: Position) { (self.content, self.position) = (content, position) }

    /// In double quotes and on one line, whatever is in it.
    static func quoted(_ text: String) -> String { "\"\(onOneLine(text, quotes: true))\"" }

    static func onOneLine(_ text: String, quotes: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"" where quotes, "\\" where quotes: result += "\\\(scalar)"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.properties.generalCategory == .control: result += "\\u\(scalar.hexadecimal)"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func shortened(_ text: String) -> String { text.count > 40 ? text.prefix(40) + "…" : text }
}

extension Value: CustomStringConvertible {
    /// What follows "is".
    var description: String {
        switch content {
        case .text(let text): "the text \(Self.quoted(Self.shortened(text)))"
        case .whole(let number): "\(number)"
        case .decimal(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        case .moment: "a date or time"
        case .list: "a list"
        case .table: "a table"
        }
    }
}
