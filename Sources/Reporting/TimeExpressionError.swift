import WallTime

/// A time or duration that the user gave and that cannot be used. Callers print it and exit 64.
package struct TimeExpressionError: Error, CustomStringConvertible, Equatable {
    package enum Kind: Sendable {
        case notUnderstood  // no form of ours
        case outOfRange  // a form of ours with a field that no clock shows, or outside 1970...9999
        case inFuture  // --since after now
        case emptyWindow  // --until not after --since
        case splitOutsideWindow
        case notPositive  // a duration of nothing
    }
    package let kind: Kind
    package let flag: String  // "--since"
    package let given: String  // as typed; `description` shortens it and escapes what a terminal would obey
    package let reason: String
    package let forms: String

    package var description: String {
        "\(flag) '\(shown)': \(reason). \(remedy)"
    }

    private var remedy: String {
        switch kind {
        case .notUnderstood, .outOfRange, .notPositive: "These work: \(forms)."
        case .inFuture: "Give a time before now. These work: \(forms)."
        case .emptyWindow: "Give an earlier --since or a later --until. These work: \(forms)."
        case .splitOutsideWindow:
            "Give a time between --since and --until, or move those. These work: \(forms)."
        }
    }

    private var shown: String {
        let limit = 60
        let safe = given.unicodeScalars.prefix(limit).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
                scalar.escaped(asASCII: true)
            default: String(scalar)
            }
        }
        return safe.joined() + (given.unicodeScalars.dropFirst(limit).isEmpty ? "" : "…")
    }
}
