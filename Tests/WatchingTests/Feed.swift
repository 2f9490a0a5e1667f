@testable import Watching

/// A feed that says what a test wants, its clocks, and the view of it.
final class Feed {
    static let begin: Int64 = 1_795_000_000_000_000
    var watch: Watch
    private(set) var now = Moment(steady: 1_000_000, wall: begin)

    init(
        only: String? = nil, columns: Int = 80, rows: Int = 24, _ look: Look = ScreenTests.look, hasKeys: Bool = true
    ) {
        watch = Watch(only: only, size: Screen.Size(columns: columns, rows: rows), look: look, hasKeys: hasKeys)
    }

    var picture: FeedPicture {
        get { watch.picture }
        set { watch.picture = newValue }
    }

    func wait(_ seconds: Double) {
        let length = Int64(seconds * 1e6)
        now = Moment(steady: now.steady + length, wall: now.wall + length)
    }
    @discardableResult func say(_ line: String) -> Feed {
        _ = picture.line(Array(line.utf8), at: now)
        return self
    }
    @discardableResult func hello() -> Feed { say(#"{"feed":1,"recorder":"0.1.0","store":"/a.sqlite"}"#) }
    @discardableResult func link(
        _ unit: String, _ link: String, _ state: String, _ cause: String? = nil, since: Int64 = begin
    ) -> Feed {
        let cause = cause.map { "\"\($0)\"" } ?? "null"
        return say(
            #"{"time":"x","at_us":\#(since),"processor":"\#(unit)","link":"\#(link)","state":"\#(state)","cause":\#(cause)}"#
        )
    }
    @discardableResult func value(
        _ unit: String, _ meter: String, _ level: Double, _ label: String? = nil, at: Int64 = begin + 1
    ) -> Feed {
        let label = label.map { "\"\($0)\"" } ?? "null"
        return say(
            #"{"time":"x","at_us":\#(at),"processor":"\#(unit)","meter":"\#(meter)","label":\#(label),"level_db":\#(level)}"#
        )
    }

    /// A unit whose links are up, with so many zones at -40, -39, … dB.
    @discardableResult func unit(_ name: String, zones: Int) -> Feed {
        link(name, "control", "up").link(name, "meters", "up")
        for zone in 0..<zones { value(name, "ZoneMeter_\(zone)", -40 + Double(zone), "Zone \(zone)") }
        return self
    }

    func press(_ keys: Key...) { for key in keys { _ = watch.press(key) } }

    /// The page's rows, as text.
    func rows() -> [String] {
        let page = watch.page(at: now)
        return (0..<page.size.rows).map { page.text(row: $0) }
    }
}
