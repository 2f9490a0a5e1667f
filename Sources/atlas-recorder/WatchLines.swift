import Glibc
import Recorder
import WallTime
import Watching

/// `watch` where nothing can be drawn: a line a second for each unit, until nobody reads them.
final class WatchLines {
    private var feed: WatchFeed
    private var picture: FeedPicture
    private var wasSpeaking = true
    private var toldMissed = 0

    init(_ reader: consuming FeedReader, store: String, processor: String?) {
        feed = WatchFeed(consume reader, store: store)
        picture = FeedPicture(only: processor)
    }

    func run() throws {
        try feed.begin(&picture)
        var next = Moment.now.steady + 1_000_000
        _ = picture.tick(.now)
        while true {
            var ready = [
                pollfd(fd: feed.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: STDOUT_FILENO, events: 0, revents: 0),
            ]
            let wait = max(0, next - Moment.now.steady)
            poll(&ready, 2, Int32(wait / 1_000 + 1))
            if ready[1].revents != 0, !Console.hasReader { return }
            let now = Moment.now
            if ready[0].revents != 0 { feed.read(into: &picture, at: now) }
            feed.open(&picture, at: now)
            guard now.steady >= next else { continue }
            next = max(next + 1_000_000, now.steady)
            _ = picture.tick(now)
            guard write(at: now) else { return }
        }
    }

    /// False: nobody reads any more.
    private func write(at now: Moment) -> Bool {
        let clock = LocalTime.text(now.wall).dropFirst(11).prefix(8)
        if case .ended(_, let reason) = picture.connection {
            defer { wasSpeaking = false }
            return !wasSpeaking || Console.follows("\(clock)  \(reason); tried again each second")
        }
        if case .silent = picture.connection {
            return Console.follows("\(clock)  the recorder says nothing: it stands still")
        }
        wasSpeaking = true
        if picture.missed > toldMissed {
            defer { toldMissed = picture.missed }
            let count = picture.missed - toldMissed
            guard Console.follows("\(clock)  missed \(count) values: this reader was too slow") else { return false }
        }
        if let words = picture.nobody { return Console.follows("\(clock)  \(words)") }
        return picture.units.allSatisfy { Console.follows(PlainLine.text($0, at: now.wall)) }
    }
}
