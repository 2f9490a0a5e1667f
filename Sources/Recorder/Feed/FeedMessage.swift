/// What a line of the feed says (docs/feed.md).
package enum FeedMessage: Equatable, Sendable {
    /// Who speaks: the recorder's version and its store.
    case hello(recorder: String, store: String)
    /// `since`: microseconds since 1970 UTC.
    case link(processor: String, link: String, state: String, cause: String?, since: Int64)
    /// `meter`: an index into the decoder's `meters`; dB; `at`: microseconds since 1970 UTC.
    case value(meter: Int, level: Double, at: Int64)
    /// This reader was too slow for so many values; 0: only for changes.
    case missed(Int)
    /// The recorder's words, after which it ends the feed.
    case error(String)
    /// No line of the feed, or one of a kind that is not known yet.
    case unreadable
}
