/// One thing that is wrong with a configuration file: where, what, and what would be right.
package struct ConfigurationFault: Error, Equatable, Sendable {
    /// nil: it is about the file as a whole.
    package let position: Position?
    /// `processor[2].port`: processors are counted from 1, in the order of the file. nil: the text is no TOML.
    package let key: String?
    package let message: String

    package init(at position: Position? = nil, key: String? = nil, _ message: String) {
        // It may quote the file, and what is in that must not steer a terminal.
        (self.position, self.key, self.message) = (position, key, Value.onOneLine(message))
    }

    /// One line, in the form that editors and compilers know.
    package func line(file: String) -> String {
        let place = position.map { ":\($0.line):\($0.column)" } ?? ""
        return "\(file)\(place): " + (key.map { "\($0): " } ?? "") + message
    }
}

/// All that is wrong with a file, so that it is mended in one go.
package struct ConfigurationFaults: Error {
    package let faults: [ConfigurationFault]
    /// The file could not be read at all: what is in it may be right.
    package let isUnread: Bool

    package init(_ faults: [ConfigurationFault], isUnread: Bool = false) {
        (self.faults, self.isUnread) = (faults, isUnread)
    }
}
