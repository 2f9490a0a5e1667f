import Glibc

/// Where the store is, when no flag says so.
package enum StorePath {
    package static let variable = "ATLAS_RECORDER_STORE"
    private static let systemFolder = "/var/lib/atlas-recorder"
    private static let systemStore = systemFolder + "/atlas.sqlite"

    /// For commands that write: `--store`, else the variable, else what the configuration file says, else
    /// `$STATE_DIRECTORY` (systemd), else the user's state folder (XDG Base Directory Specification). `file`: the name in a
    /// folder of ours.
    package static func forWriting(
        flag: String?, configured: String? = nil, file: String = "atlas.sqlite", _ environment: [String: String]
    ) -> String {
        if let named = named(flag, environment) ?? configured { return named }
        // systemd gives a list where a unit has several; the first is the unit's own.
        if let state = environment["STATE_DIRECTORY"]?.split(separator: ":").first { return "\(state)/\(file)" }
        return "\(userFolder(environment))/\(file)"
    }

    /// For commands that read: the flag or the variable, else what the configuration file says, else the first of the
    /// system's and the user's store that exists. `isChosen` is false where the caller should say which one it took.
    package static func forReading(
        flag: String?, configured: String? = nil, _ environment: [String: String],
        exists: (String) -> Bool = { access($0, F_OK) == 0 }
    ) -> (path: String, isChosen: Bool) {
        if let named = named(flag, environment) { return (named, true) }
        if let configured { return (configured, false) }
        let candidates = [systemStore, forWriting(flag: nil, environment)]
        return (candidates.first(where: exists) ?? candidates[1], false)
    }

    /// The folder of the system's store, where it is there and this user may not look into it; else nil.
    package static var hidden: String? {
        access(systemFolder, F_OK) == 0 && access(systemFolder, X_OK) != 0 ? systemFolder : nil
    }

    /// Makes the folder of ours, where the path was not chosen by the user. Mode 0750.
    package static func makeFolder(
        for path: String, flag: String?, configured: String? = nil, _ environment: [String: String]
    ) {
        guard named(flag, environment) == nil, configured == nil, let slash = path.lastIndex(of: "/") else { return }
        var folder = ""
        for part in path[..<slash].split(separator: "/", omittingEmptySubsequences: false) {
            folder += "\(part)/"
            _ = mkdir(folder, 0o750)  // opening the store says what is wrong, if anything is
        }
    }

    /// The one that a flag or the variable names; nil: none does.
    package static func named(_ flag: String?, _ environment: [String: String]) -> String? {
        [flag, environment[variable]].compactMap { $0 }.first { !$0.isEmpty }
    }

    private static func userFolder(_ environment: [String: String]) -> String {
        // The specification wants relative paths ignored.
        let state = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (state ?? "\(environment["HOME"] ?? "")/.local/state") + "/atlas-recorder"
    }
}
