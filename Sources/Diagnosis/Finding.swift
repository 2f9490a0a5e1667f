/// One thing that `doctor` looked at.
package struct Finding: Equatable, Sendable {
    package enum Status: String, Sendable {
        case ok
        /// Works, or may work, but somebody should look at it.
        case attention
        /// Does not work.
        case problem
    }
    /// What was looked at: `sqlite`, `store`, `processor Main Bar`.
    package let subject: String
    package let status: Status
    /// What was found, and what it means.
    package let found: String
    /// What to do next; nil where there is nothing.
    package let remedy: String?

    package init(_ subject: String, _ status: Status, _ found: String, remedy: String? = nil) {
        (self.subject, self.status, self.found, self.remedy) = (subject, status, found, remedy)
    }
}

/// The page of `doctor`.
package struct Examination: Sendable {
    /// Microseconds since 1970 UTC.
    package let at: Int64
    package let host: String
    package let store: String
    package let findings: [Finding]

    package init(at: Int64, host: String, store: String, findings: [Finding]) {
        (self.at, self.host, self.store, self.findings) = (at, host, store, findings)
    }

    package var isWell: Bool { findings.allSatisfy { $0.status == .ok } }
}
