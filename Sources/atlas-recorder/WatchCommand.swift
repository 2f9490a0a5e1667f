import ArgumentParser
import Glibc
import Recorder
import Reporting
import Watching

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Look at the meters and the links of a running recorder, live in the terminal.",
        discussion: """
            Each unit's links: state, since when, uptime and outages today. Each meter: a bar from -80 to 0 dB, its peak \
            of the last seconds, its label and level. What the recorder hears comes over its feed (docs/feed.md), what was \
            today from its store. When the recorder stops that is said in place, and it is tried again each second.

            Keys: left and right (or tab, [ and ], 1 to 9) choose a processor, a shows all in a list, o changes the order \
            (by meter, by name, by level; of processors: trouble first), up, down and page keys scroll or choose, ? helps, \
            q or Ctrl-C ends.

            Where stdout is no terminal, or TERM is dumb, it writes a line a second for each processor: time, name, both \
            links with what they are down of, samples a second, how many meters there are, how many of them are silent, \
            and the loudest. Colour: unless NO_COLOR is set. Blocks: where the locale is UTF-8.

            Examples:
              atlas-recorder watch
              atlas-recorder watch --processor 'Main Bar'
              atlas-recorder watch | tee levels.log
            """)

    @Option(help: ArgumentHelp("The store of the running recorder (default: as report).", valueName: "FILE"))
    var store: String?

    @Option(help: ArgumentHelp("Only this processor.", valueName: "NAME"))
    var processor: String?

    func run() throws {
        let path = try Console.storeToRead(flag: store).path
        do {
            let reader = try FeedReader(store: path)
            let environment = Console.environment
            let drawsOn = isatty(STDOUT_FILENO) == 1 && !["", "dumb"].contains(environment["TERM", default: ""])
            guard drawsOn else { return try WatchLines(reader, store: path, processor: processor).run() }
            let look = Look(isColoured: Console.showsColour, isUnicode: Style.isUnicode(environment))
            try WatchScreen(reader, store: path, processor: processor, look).run()
        } catch {
            throw Console.failure(error)
        }
    }
}

/// The feed as `watch` reads it: when it ends it is opened again, tried once a second.
struct WatchFeed: ~Copyable {
    /// What the recorder says instead of its feed, at the very start.
    struct Refused: Error, CustomStringConvertible {
        let words: String
        var description: String { "cannot read the feed: \(words)" }
    }

    private static let pause: Int64 = 1_000_000
    private let store: String
    private var reader: FeedReader?
    /// Steady microseconds.
    private(set) var nextTry: Int64 = 0

    init(_ reader: consuming FeedReader, store: String) {
        descriptor = reader.descriptor
        self.reader = consume reader
        self.store = store
    }

    /// For poll(2), which passes over -1.
    private(set) var descriptor: Int32
    var isOpen: Bool { descriptor >= 0 }

    /// Waits for the first line, two seconds at most: what refuses us says so at once.
    mutating func begin(_ picture: inout FeedPicture) throws {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, 2_000) > 0 else { return }
        if let words = read(into: &picture, at: .now) { throw Refused(words: words) }
    }

    /// Reads what is there. Returns the recorder's words where it refuses.
    @discardableResult
    mutating func read(into picture: inout FeedPicture, at now: Moment) -> String? {
        var words: String?
        let goesOn = reader?.read { line in
            if let error = picture.line(line, at: now) { words = error }
        }
        guard goesOn != true || words != nil else { return nil }
        reader = nil
        descriptor = -1
        nextTry = now.steady + Self.pause
        picture.ended(words ?? "the recorder has ended the feed", at: now)
        return words
    }

    /// Tries again, if it is time.
    mutating func open(_ picture: inout FeedPicture, at now: Moment) {
        guard !isOpen, now.steady >= nextTry else { return }
        nextTry = now.steady + Self.pause
        guard let new = try? FeedReader(store: store) else { return }
        descriptor = new.descriptor
        reader = consume new
        picture.opened()
    }
}

extension Moment {
    static var now: Moment {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Moment(steady: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000, wall: Console.now)
    }
}
