import CSockets
import CTerminal
import Glibc
import Recorder
import Watching

/// `watch` on a terminal: waits for lines, keys, signals and figures, and draws what has changed, 20 times a second at most.
final class WatchScreen {
    /// Microseconds between two redraws.
    private static let frame: Int64 = 50_000

    private var feed: WatchFeed
    private var watch: Watch
    private let figures: FigureSource
    private let signals: Int32
    /// The terminal; a write there never waits.
    private let output: Int32
    private var input: Int32
    private var keys = KeyReader()
    /// What the terminal shows once `pending` is written; nil: nobody knows.
    private var shown: Screen?
    private var pending: ArraySlice<UInt8> = []
    private var isDirty = true
    private var nextFrame: Int64 = 0
    private var second: Int64 = 0

    private struct NoTerminal: Error, CustomStringConvertible {
        let doing: String
        let code: Int32
        var description: String {
            "cannot \(doing): \(String(cString: strerror(-code))). For lines without a terminal: atlas-recorder watch | cat"
        }
    }

    init(_ reader: consuming FeedReader, store: String, processor: String?, _ look: Look) throws {
        feed = WatchFeed(consume reader, store: store)
        watch = Watch(
            only: processor, size: Self.size, look: look, hasKeys: isatty(STDIN_FILENO) == 1)
        try feed.begin(&watch.picture)
        signals = cterminal_signals()  // before there are other threads
        guard signals >= 0 else { throw NoTerminal(doing: "take signals", code: signals) }
        let own = cterminal_open_output(STDOUT_FILENO)
        output = own >= 0 ? own : STDOUT_FILENO
        input = watch.hasKeys ? STDIN_FILENO : -1
        figures = try FigureSource(store: store, processor: processor)
    }

    private static var size: Screen.Size {
        var (columns, rows): (Int32, Int32) = (0, 0)
        let isKnown = cterminal_size(STDOUT_FILENO, &columns, &rows) == 0 && columns > 0 && rows > 0
        return isKnown ? Screen.Size(columns: Int(columns), rows: Int(rows)) : Screen.Size(columns: 80, rows: 24)
    }

    func run() throws {
        let code = cterminal_take(input, output)
        guard code == 0 else { throw NoTerminal(doing: "set the terminal", code: code) }
        defer { cterminal_give_back() }
        while true {
            var ready = [
                pollfd(fd: feed.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: input, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: figures.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: output, events: pending.isEmpty ? 0 : Int16(POLLOUT), revents: 0),
            ]
            poll(&ready, nfds_t(ready.count), Int32((wait(at: .now) + 999) / 1_000))
            let now = Moment.now
            if ready[2].revents != 0, !answerSignals() { return }
            if ready[1].revents != 0, !readKeys(at: now) { return }
            if !press(keys.timeOut(at: now.steady)) { return }
            if ready[0].revents != 0 {
                feed.read(into: &watch.picture, at: now)
                isDirty = true
            }
            feed.open(&watch.picture, at: now)
            if ready[3].revents != 0 {
                watch.figures = figures.take()
                isDirty = true
            }
            guard flush() else { return }
            if watch.picture.tick(now) || second != now.wall / 1_000_000 { isDirty = true }
            if watch.isMoving(at: now) { isDirty = true }
            guard isDirty, pending.isEmpty, now.steady >= nextFrame else { continue }
            draw(now)
            guard flush() else { return }
        }
    }

    /// Microseconds until there is something to do, if nothing comes.
    private func wait(at now: Moment) -> Int64 {
        var wait = 1_000_000 - now.wall % 1_000_000  // the clock on the page
        if isDirty || watch.isMoving(at: now), pending.isEmpty { wait = min(wait, nextFrame - now.steady) }
        if !feed.isOpen { wait = min(wait, feed.nextTry - now.steady) }
        if let deadline = keys.deadline { wait = min(wait, deadline - now.steady) }
        return min(max(0, wait), 1_000_000)
    }

    private func draw(_ now: Moment) {
        let page = watch.page(at: now)
        pending = page.bytes(after: shown, watch.look)[...]
        shown = page
        isDirty = false
        second = now.wall / 1_000_000
        nextFrame = now.steady + Self.frame
    }

    /// False: the terminal is gone.
    private func flush() -> Bool {
        while !pending.isEmpty {
            let count = pending.withUnsafeBytes { write(output, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return true }
            guard count > 0 else { return false }
            pending = pending.dropFirst(count)
        }
        return true
    }

    /// False: it is to end.
    private func readKeys(at now: Moment) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(input, &bytes, bytes.count)
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        // With nothing to read it would not be ready: the terminal's other end is gone.
        return count > 0 && press(keys.read(bytes[..<count], at: now.steady))
    }

    /// False: it is to end.
    private func press(_ keys: [Key]) -> Bool {
        for key in keys where watch.press(key) == .quit { return false }
        if !keys.isEmpty { isDirty = true }
        return true
    }

    /// False: it is to end.
    private func answerSignals() -> Bool {
        while case let signal = cterminal_next_signal(signals), signal != 0 {
            switch signal {
            case SIGINT, SIGTERM, SIGHUP: return false
            case SIGTSTP: cterminal_suspend()
            case SIGCONT: cterminal_take_again()  // stopped by somebody else: who knows what the terminal is now
            default: break
            }
            watch.size = Self.size
            if signal != SIGWINCH { (shown, pending) = (nil, []) }
            isDirty = true
        }
        return true
    }
}
