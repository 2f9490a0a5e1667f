import AtlasProtocol
import RecorderStore

/// JSON in the order it is written in (RFC 8259): `JSONEncoder` keeps no order, and a report's reader does.
indirect enum JSONText {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case array([JSONText])
    case object([(String, JSONText)])

    static func boolean(_ value: Bool?) -> JSONText { value.map { .boolean($0) } ?? .null }
    static func text(_ value: String?) -> JSONText { value.map { .text($0) } ?? .null }
    static func number(_ value: Double?) -> JSONText { value.map { .number($0) } ?? .null }
    static func integer(_ value: Int64?) -> JSONText { value.map { .integer($0) } ?? .null }

    /// Objects in arrays stand on a line each, so that a person can read it and a diff is short.
    func written(indent: String = "") -> String {
        switch self {
        case .null: return "null"
        case .boolean(let value): return value ? "true" : "false"
        case .integer(let value): return "\(value)"
        case .number(let value): return value.isFinite ? Self.written(value) : "null"
        case .text(let value): return value.jsonQuoted
        case .array(let values):
            guard !values.isEmpty else { return "[]" }
            if case .object = values[0] {
                let inner = indent + "  "
                return "[\n" + values.map { inner + $0.written(indent: inner) }.joined(separator: ",\n")
                    + "\n\(indent)]"
            }
            return "[" + values.map { $0.written(indent: indent) }.joined(separator: ", ") + "]"
        case .object(let members):
            let inner = indent + "  "
            let lines = members.map { "\($0.0.jsonQuoted): \($0.1.written(indent: inner))" }
            let line = "{" + lines.joined(separator: ", ") + "}"
            guard line.utf8.count + indent.utf8.count > 100 || line.utf8.contains(0x0A) else { return line }
            return "{\n" + lines.map { inner + $0 }.joined(separator: ",\n") + "\n\(indent)}"
        }
    }

    private static func written(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}

extension SQLValue {
    var json: JSONText {
        switch self {
        case .null: .null
        case .integer(let value): .integer(value)
        case .real(let value): .number(value)
        case .text(let value): .text(value)
        }
    }

    /// For tables of text, CSV and Markdown.
    var plain: String {
        switch self {
        case .null: ""
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let value): value
        }
    }
}
