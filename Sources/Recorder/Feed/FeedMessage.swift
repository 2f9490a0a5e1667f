/// What a line of the feed says (docs/feed.md).
package enum FeedMessage: Equatable, Sendable {
    /// Who speaks: the recorder's version and its store.
    case hello(recorder: String, store: String)
    /// `since`: microseconds since 1970 UTC.
    case link(processor: String, link: String, state: String, cause: String?, since: Int64)
    /// `meter`: an index into the decoder's `meters`; dB; `at`: microseconds since 1970 UTC.
    case value(meter: Int, level: Double, at: Int64)
    /// A meter that there is, and its place in the memory of levels.
    case meter(FeedDecoder.MeterName, place: Int)
    /// How the recorder does.
    case status(Status)
    /// This reader was too slow for so many values; 0: only for changes.
    case missed(Int)
    /// The recorder's words, after which it ends the feed.
    case error(String)
    /// No line of the feed, or one of a kind that is not known yet.
    case unreadable
}

extension FeedMessage {
    /// What the recorder's process has stored since it began, and how it does (`Feed.Status`).
    package struct Status: Equatable, Sendable {
        package let at: Int64  // microseconds since 1970 UTC
        package let samples, duplicates, lostSamples, lostDatagrams, commits: Int64
        /// Microseconds of all commits together, and of the longest of the last second.
        package let commitTime, longestCommit: Int64
        package let queueBytes, entriesWaiting: Int64
        /// By socket, operation and code with a space between them: `udp bind EADDRINUSE`.
        package let errors: [String: Int64]

        init?(_ members: JSONMembers, at: Int64) {
            func count(_ name: String) -> Int64? { members.integer(name) }
            guard let commits = count("commits"), let commitTime = count("commit_us"), let samples = count("samples")
            else { return nil }
            (self.at, self.samples, self.commits, self.commitTime) = (at, samples, commits, commitTime)
            (duplicates, lostSamples) = (count("duplicates") ?? 0, count("lost_samples") ?? 0)
            (lostDatagrams, longestCommit) = (count("lost_datagrams") ?? 0, count("longest_commit_us") ?? 0)
            (queueBytes, entriesWaiting) = (count("queue_bytes") ?? 0, count("entries_waiting") ?? 0)
            var errors: [String: Int64] = [:]
            if let object = members.object("errors") {
                for name in object.names { errors[name] = object.integer(name) }
            }
            self.errors = errors
        }
    }
}
