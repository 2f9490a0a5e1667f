import AtlasProtocol
import Recorder

/// What the feed has told, and whether that still holds: one answer for the page, the metrics and `/healthz`. Pure.
struct FeedView {
    struct Moment {
        /// Microseconds of a clock that nobody sets.
        let steady: Int64
        /// Microseconds since 1970 UTC.
        let wall: Int64
    }

    /// Microseconds without a word after which nobody knows how it is: a recorder says something each second.
    static let patience: Int64 = 5_000_000

    private(set) var board = LiveBoard()
    private(set) var times = LinkTimes()
    private(set) var status: FeedMessage.Status?
    private(set) var version: String?
    /// Why the recorder does not tell, in its words.
    private(set) var words: String?
    private var heard: Int64?
    /// Whether the recorder shows levels where they can be looked at.
    private var showsLevels = true

    var isRecording: Bool { heard != nil && board.silence == nil }

    // What follows returns the events that the page's readers get.

    mutating func began(levels: Bool) {
        showsLevels = levels
        heard = nil
    }

    mutating func ended(at now: Moment) -> String {
        heard = nil
        status = nil
        // While nobody serves the feed it is tried again and again.
        return board.silence == nil ? fall(silent: "recorder_stopped", since: now.wall, at: now) : ""
    }

    mutating func take(_ message: FeedMessage, at now: Moment) -> String {
        switch message {
        case .meter(let name, let place):
            board.name(name, at: place)
            return ""
        case .link(let processor, let link, let state, let cause, let since):
            let new = LiveBoard.Link(state: state, cause: cause, since: since)
            board.take(link: link, of: processor, new)
            guard board.silence == nil else { return "" }
            times.change(.init(processor: processor, link: link), to: state, at: now.steady)
            return LiveBoard.event(link, of: processor, new)
        case .status(let new):
            status = new
            return hear(at: now)
        case .hello(let recorder, _):
            version = recorder
            board = LiveBoard(after: board)
            return hear(at: now)
        case .error(let words):
            self.words = words
            return ""
        case .value, .missed, .unreadable: return ""
        }
    }

    /// Asked again and again: a recorder may stand still without its feed's end.
    mutating func look(at now: Moment) -> String {
        guard let heard, now.steady - heard > Self.patience, board.silence == nil else { return "" }
        status = nil
        return fall(silent: Self.stalled, since: now.wall - (now.steady - heard), at: now)
    }

    mutating func takeChanged(from levels: some Levels, at now: Moment) -> [Int] {
        board.takeChanged(from: levels, at: now.wall)
    }

    private static let noLevels =
        "This recorder shows no levels: its log says why, or it is of another version than the page. All else is live."

    /// Whether a recorder tells, for the page; where none does why, and since when (microseconds since 1970 UTC), as far as that
    /// is known.
    var recorderEvent: String {
        var members = ["\"state\":\"\(isRecording ? "recording" : "gone")\""]
        if let silence = board.silence {
            members += ["\"cause\":\(silence.cause?.jsonQuoted ?? "null")", "\"since_us\":\(silence.since)"]
        }
        if let words = isRecording ? (showsLevels ? nil : Self.noLevels) : words {
            members.append("\"words\":\(words.jsonQuoted)")
        }
        return "event: recorder\ndata: {\(members.joined(separator: ","))}\n\n"
    }

    /// Whether a recorder was heard that says nothing any more, and has not ended its feed.
    var isStalled: Bool { board.silence?.cause == Self.stalled }
    private static let stalled = "recorder_stalled"

    private mutating func hear(at now: Moment) -> String {
        let wasRecording = isRecording
        (heard, words) = (now.steady, nil)
        guard !wasRecording else { return "" }
        board.silence = nil
        noteTimes(at: now)
        return recorderEvent + board.links()
    }

    private mutating func fall(silent cause: String, since: Int64, at now: Moment) -> String {
        board.silence = LiveBoard.Link(state: "unknown", cause: cause, since: since)
        noteTimes(at: now)
        return recorderEvent + board.links()
    }

    private mutating func noteTimes(at now: Moment) {
        for unit in board.units {
            for (name, link) in unit.links {
                times.change(.init(processor: unit.name, link: name), to: board.shown(link).state, at: now.steady)
            }
        }
    }
}
