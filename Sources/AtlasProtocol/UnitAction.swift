/// What a unit can be told to do by name. Such a parameter has no state: a unit sends its value when somebody fires it
/// (manual ATS006993, "Parameters with Special Handling"), whatever the value, and once as the first value of a
/// subscription.
package enum UnitAction: CaseIterable, Sendable {
    case scene, routine, message, gpoPreset

    /// The parameter that fires it, up to its number: `RecallScene` of `RecallScene_2`.
    package var parameter: String {
        switch self {
        case .scene: "RecallScene"
        case .routine: "RecallRoutine"
        case .message: "PlayMessage"
        case .gpoPreset: "RecallGpoPreset"
        }
    }

    /// The parameter that names it: `SceneName`.
    package var nameParameter: String {
        switch self {
        case .scene: "SceneName"
        case .routine: "RoutineName"
        case .message: "MessageName"
        case .gpoPreset: "GpoPresetName"
        }
    }

    /// Whether a parameter of this name, `RecallScene_2` or `RecallScene`, fires something.
    package static func isFired(by parameter: String) -> Bool {
        allCases.contains { parameter.hasPrefix($0.parameter) && parameter.isNumbered($0.parameter) }
    }
}

extension String {
    /// Whether it is `stem` or `stem_…`.
    fileprivate func isNumbered(_ stem: String) -> Bool {
        utf8.count == stem.utf8.count || utf8.dropFirst(stem.utf8.count).first == UInt8(ascii: "_")
    }
}
