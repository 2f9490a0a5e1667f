import NIOCore
import Recorder
import Testing

@testable import WebServer

/// What the page's readers are told, from the feed's lines to the events.
struct LiveBoardTests {
    /// What a recorder shows, by place.
    private struct Shown: Levels {
        var levels: [Int: Float] = [:]
        subscript(place: Int) -> Float? { levels[place] }
    }

    private func name(_ processor: String, _ meter: String, _ label: String? = nil) -> FeedDecoder.MeterName {
        FeedDecoder.MeterName(processor: processor, meter: meter, label: label)
    }
    private func text(_ buffer: ByteBuffer?) -> String? { buffer.map { String(buffer: $0) } }
    private let all = LiveBoard.Scope(processor: nil)
    private static let up = LiveBoard.Link(state: "up", cause: nil, since: 0)
    private static let down = LiveBoard.Link(state: "down", cause: "silent", since: 0)

    /// With meters of these names, whose levels have their numbers as places.
    private func board(_ names: [FeedDecoder.MeterName]) -> LiveBoard {
        var board = LiveBoard()
        for (place, name) in names.enumerated() {
            board.take(link: "meters", of: name.processor, Self.up)
            board.name(name, at: place)
        }
        return board
    }

    @Test("names come once, levels by their numbers, and only what is new")
    func levels() {
        var board = board([
            name("Bar", "SourceMeter_0"), name("Bar", "ZoneMeter_10"), name("Bar", "ZoneMeter_2", "Patio"),
        ])
        var shown = Shown(levels: [0: -20.14, 2: -10.06])
        var changed = board.takeChanged(from: shown, at: 0)
        #expect(text(board.levels(of: changed, for: all)) == "event: levels\ndata: [0,-201,2,-101]\n\n")
        shown.levels[2] = -10.08  // a tenth of dB is what can be seen
        #expect(board.takeChanged(from: shown, at: 0) == [])
        #expect(board.levels(of: [], for: all) == nil)
        shown.levels[1] = 0
        changed = board.takeChanged(from: shown, at: 0)
        #expect(text(board.levels(of: changed, for: all)) == "event: levels\ndata: [1,0]\n\n")
        // In the order in which a person looks for them.
        #expect(
            board.names(for: all) == """
                event: names
                data: [{"name":"Bar","count":3,"meters":[[2,"ZoneMeter_2","Patio"],[1,"ZoneMeter_10",null],[0,"SourceMeter_0",null]]}]


                """)
    }

    @Test("a meter is shown from its first level on, which is news even where it is silent")
    func unheard() {
        var board = board([name("Bar", "ZoneMeter_0"), name("Bar", "ZoneMeter_1")])
        let naming = board.naming
        #expect(board.takeChanged(from: Shown(), at: 0) == [] && board.naming == naming)
        #expect(board.names(for: all).contains(#""count":0,"meters":[]"#))
        #expect(board.takeChanged(from: Shown(levels: [1: -80]), at: 0) == [1] && board.naming > naming)
        #expect(board.names(for: all).contains(#""count":1,"meters":[[1,"ZoneMeter_1",null]]"#))
    }

    @Test("what a unit sent last is not what is: without its meters' link nothing is looked at")
    func standing() {
        var board = board([name("Bar", "ZoneMeter_0"), name("Patio", "ZoneMeter_0")])
        board.take(link: "meters", of: "Bar", Self.down)
        var shown = Shown(levels: [0: -20, 1: -30])
        #expect(board.takeChanged(from: shown, at: 0) == [1])
        board.take(link: "meters", of: "Bar", Self.up)
        #expect(board.takeChanged(from: shown, at: 0) == [0])
        board.silence = Self.down
        shown.levels = [0: -1, 1: -1]
        #expect(board.takeChanged(from: shown, at: 0) == [])
    }

    @Test(
        "a meter that is called otherwise keeps its number, and the names are told again, also of a label that comes back"
    )
    func renamed() {
        var board = board([name("Bar", "ZoneMeter_0", "Old")])
        let shown = Shown(levels: [0: -20])
        #expect(board.takeChanged(from: shown, at: 0) == [0])
        for label in ["New \"Ñ\"\n", "Old"] {
            let before = board.naming
            board.name(name("Bar", "ZoneMeter_0", label), at: 0)
            #expect(board.naming > before && board.meters.count == 1)
            #expect(board.takeChanged(from: shown, at: 0) == [])
            // One line, whatever the label holds.
            #expect(board.names(for: all).split(separator: "\n").count == 2)
            let naming = board.naming
            board.name(name("Bar", "ZoneMeter_0", label), at: 0)
            #expect(board.naming == naming)
        }
        #expect(board.names(for: all).contains(#"[0,"ZoneMeter_0","Old"]"#))
    }

    @Test("a feed that begins again has numbers of its own, and units that do not come again are gone")
    func again() {
        var board = board([name("Bar", "ZoneMeter_0"), name("Patio", "ZoneMeter_1")])
        _ = board.takeChanged(from: Shown(levels: [0: -20, 1: -20]), at: 0)
        let naming = board.naming
        board = LiveBoard(after: board)
        board.take(link: "meters", of: "Patio", Self.up)
        board.name(name("Patio", "ZoneMeter_1"), at: 1)
        let changed = board.takeChanged(from: Shown(levels: [1: -33]), at: 0)
        #expect(board.naming > naming && board.units.map(\.name) == ["Patio"])
        #expect(text(board.levels(of: changed, for: all)) == "event: levels\ndata: [0,-330]\n\n")
    }

    @Test("a reader of one unit hears of no other's meters; without a choice of thousands nobody hears")
    func scopes() {
        let names = (0..<3_000).map { name($0 < 10 ? "Bar" : "Unit \($0 / 50)", "ZoneMeter_\($0 % 50)") }
        var board = board(names)
        let few = Shown(levels: Dictionary(uniqueKeysWithValues: (0..<2_000).map { ($0, -20) }))
        // What is known of a store and was not heard does not count.
        var changed = board.takeChanged(from: few, at: 0)
        #expect(board.levels(of: changed, for: all) != nil)
        changed = board.takeChanged(
            from: Shown(levels: Dictionary(uniqueKeysWithValues: names.indices.map { ($0, -21) })), at: 0)
        #expect(board.levels(of: changed, for: all) == nil)
        let bar = LiveBoard.Scope(processor: "Bar")
        #expect(text(board.levels(of: changed, for: bar))?.split(separator: ",").count == 20)
        #expect(board.names(for: bar).contains(#"{"name":"Unit 1","count":50,"meters":[]}"#))
    }

    @Test("levels that no meter has do not trap", arguments: [Float.nan, .infinity, -.infinity, 1e30, -1e30])
    func madeUp(_ level: Float) {
        var board = board([name("Bar", "ZoneMeter_0")])
        #expect(board.takeChanged(from: Shown(levels: [0: level]), at: 0) == [0])
    }

    @Test("time is counted by state, up to now; a clock that is set back takes nothing away")
    func times() {
        var times = LinkTimes()
        let place = LinkTimes.Place(processor: "Bar", link: "meters")
        #expect(times.seconds(of: place, in: "up", now: 5) == 0)
        times.change(place, to: "up", at: 1_000_000)
        times.change(place, to: "down", at: 4_500_000)
        times.change(place, to: "down", at: 5_000_000)
        #expect(times.seconds(of: place, in: "up", now: 9_000_000) == 3.5)
        #expect(times.seconds(of: place, in: "down", now: 9_000_000) == 4.5)
        times.change(place, to: "up", at: 2_000_000)
        #expect(times.seconds(of: place, in: "up", now: 1_000_000) == 3.5)
        #expect(times.seconds(of: place, in: "down", now: 9_000_000) == 0.5)
    }
}
