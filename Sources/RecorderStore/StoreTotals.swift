/// What this process has stored since it opened the store: only what is committed.
package struct StoreTotals: Sendable, Equatable {
    /// An error that is counted on its own: `socket` and `operation` as in `socket_errors`.
    package struct ErrorKind: Hashable, Sendable {
        package let code, socket, operation: String

        package init(code: String, socket: String, operation: String) {
            (self.code, self.socket, self.operation) = (code, socket, operation)
        }
    }

    package var samples = 0
    package var duplicates = 0
    /// Samples that did not become rows, and datagrams of which nobody knows how many samples they held.
    package var lostSamples = 0
    package var lostDatagrams = 0
    package var errors: [ErrorKind: Int] = [:]
    package var commits = 0
    /// Microseconds that commits took, and the longest of them since `takeLongest`.
    package var commitTime: Int64 = 0
    package private(set) var longestCommit: Int64 = 0

    package init() {}

    mutating func add(_ block: FrameBlock) {
        samples += block.samples
        for tally in block.tallies { duplicates += tally.duplicates }
        for loss in block.losses { add(loss) }
    }

    mutating func add(_ loss: Loss) {
        if let samples = loss.samples { lostSamples += samples } else { lostDatagrams += loss.datagrams }
    }

    mutating func add(_ entry: Entry) {
        switch entry {
        case .fault(let fault):
            let kind = ErrorKind(
                code: fault.code, socket: fault.socket.rawValue, operation: fault.operation.rawValue)
            errors[kind, default: 0] += fault.count
        case .loss(let loss): add(loss)
        case .event, .change, .clockSet, .paused, .recovered, .parameter, .seen: break
        }
    }

    /// A commit that took so many microseconds.
    package mutating func committed(in time: Int64) {
        commits += 1
        commitTime += time
        longestCommit = max(longestCommit, time)
    }

    package mutating func takeLongest() -> Int64 {
        defer { longestCommit = 0 }
        return longestCommit
    }
}
