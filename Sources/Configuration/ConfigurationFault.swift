/// One thing that is wrong with a configuration file: where, what, and what would be right.
package struct ConfigurationFault: Error, Equatable, Sendable {
    package enum Place: Equatable, Sendable {
        case file
        /// Both from 1; the column counts characters, as editors do.
        case position(line: Int, column: Int)
        /// `processor[2].port`: processors are counted from 1, in the order of the file.
        case key(String)
    }
    package let place: Place
    package let message: String

    /// One line, in the form that editors and compilers know.
    package func line(file: String) -> String {
        switch place {
        case .file: "\(file): \(message)"
        case .position(let line, let column): "\(file):\(line):\(column): \(message)"
        case .key(let path): "\(file): \(path): \(message)"
        }
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
