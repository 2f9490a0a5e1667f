import Glibc

/// Where the file is, and its text.
package enum ConfigurationFile {
    package static let variable = "ATLAS_RECORDER_CONFIG"
    package static let name = "atlas-recorder.toml"
    /// A thousand processors take about 100 KiB.
    package static let largest = 1024 * 1024

    /// Files that are read although nobody named one, in this order: systemd's ConfigurationDirectory=, then /etc.
    package static func usual(_ environment: [String: String]) -> [String] {
        // systemd gives a list where a unit has several; the first is the unit's own.
        let folder = environment["CONFIGURATION_DIRECTORY"]?.split(separator: ":").first.map(String.init)
        return [folder, "/etc"].compactMap { $0 }.map { "\($0)/\(name)" }
    }

    /// The file that a flag or the variable names; nil: none does.
    package static func named(_ flag: String?, _ environment: [String: String]) -> String? {
        [flag, environment[variable]].compactMap { $0 }.first { !$0.isEmpty }
    }

    static func text(of path: String) throws(ConfigurationFaults) -> String { try text(bytes(path)) }

    /// UTF-8, with or without a mark at its beginning (which Windows programs write).
    static func text(_ bytes: [UInt8]) throws(ConfigurationFaults) -> String {
        guard !bytes.starts(with: [0xFF, 0xFE]), !bytes.starts(with: [0xFE, 0xFF]) else {
            throw ConfigurationFaults([ConfigurationFault("is in UTF-16; save it as UTF-8")])
        }
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        // What precedes the first wrong byte is what repairing leaves alone.
        let repaired = String(decoding: bytes, as: UTF8.self)
        let count = zip(repaired.utf8, bytes).prefix { $0 == $1 }.count
        let sound = bytes.prefix(count)
        let line = String(
            decoding: sound[(sound.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? sound.startIndex)...],
            as: UTF8.self)
        throw ConfigurationFaults([
            ConfigurationFault(
                at: Position(
                    line: sound.count { $0 == UInt8(ascii: "\n") } + 1, column: line.unicodeScalars.count + 1),
                "a byte that is no UTF-8; save the file as UTF-8")
        ])
    }

    private static func bytes(_ path: String) throws(ConfigurationFaults) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unread(errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unread(errno) }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= largest else {
                throw ConfigurationFaults([
                    ConfigurationFault(
                        "has over \(largest / 1024) KiB, more than any configuration; is it the right file?")
                ])
            }
        }
    }

    static func unread(_ code: Int32) -> ConfigurationFaults {
        let remedy =
            switch code {
            case ENOENT: "write one (docs/configuration.md), or name another"
            case EACCES: "let the user that the recorder runs as read it, and enter its folders"
            case EISDIR: "name the file in it"
            default: "try to read it with cat"
            }
        return ConfigurationFaults(
            [
                ConfigurationFault("cannot be read: \(String(cString: strerror(code))); \(remedy)")
            ],
            isUnread: true)
    }
}
