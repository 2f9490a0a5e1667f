import NIOCore
import Recorder
import Testing

@testable import WebServer

/// What the page's readers are told, from the feed's lines to the events.
struct LiveBoardTests {
    private func name(_ processor: String, _ meter: String, _ label: String? = nil) -> FeedDecoder.MeterName {
        FeedDecoder.MeterName(processor: processor, meter: meter, label: label)
    }
    private func text(_ buffer: ByteBuffer?) -> String? { buffer.map { String(buffer: $0) } }
    private let all = LiveBoard.Scope(processor: nil)

    @Test("names come once, levels by their numbers, of each meter only the last, and only what is new")
    func levels() {
        var board = LiveBoard()
        let names = [name("Bar", "SourceMeter_0"), name("Bar", "ZoneMeter_10"), name("Bar", "ZoneMeter_2", "Patio")]
        board.take(-20.14, of: 0, named: names)
        board.take(-30, of: 2, named: names)
        board.take(-10.06, of: 2, named: names)
        #expect(text(board.levels(of: board.takeChanged(), for: all)) == "event: levels\ndata: [0,-201,2,-101]\n\n")
        #expect(board.takeChanged() == [])
        #expect(board.levels(of: [], for: all) == nil)
        // In the order in which a person looks for them.
        #expect(
            board.names(for: all) == """
                event: names
                data: [{"name":"Bar","count":3,"meters":[[2,"ZoneMeter_2","Patio"],[1,"ZoneMeter_10",null],[0,"SourceMeter_0",null]]}]


                """)
    }

    @Test("a meter that is called otherwise keeps its number, and the names are told again")
    func renamed() {
        var board = LiveBoard()
        let names = [name("Bar", "ZoneMeter_0", "Old"), name("Bar", "ZoneMeter_0", "New \"Ñ\"\n")]
        board.take(-20, of: 0, named: names)
        let before = board.naming
        board.take(-21, of: 1, named: names)
        #expect(board.naming > before && board.meters.count == 1)
        #expect(board.takeChanged() == [0])
        // One line, whatever the label holds.
        #expect(board.names(for: all).split(separator: "\n").count == 2)
        #expect(board.names(for: all).contains(#"New \"Ñ\"\n"#))
    }

    @Test("a label that comes back is told again, too")
    func backAgain() {
        var board = LiveBoard()
        let names = [name("Bar", "ZoneMeter_0", "A"), name("Bar", "ZoneMeter_0", "B")]
        for number in [0, 1, 0] { board.take(-20, of: number, named: names) }
        #expect(board.names(for: all).contains(#"[0,"ZoneMeter_0","A"]"#))
        let naming = board.naming
        board.take(-21, of: 0, named: names)
        #expect(board.naming == naming)
    }

    @Test("a feed that begins again has numbers of its own, and units that do not come again are gone")
    func again() {
        var board = LiveBoard()
        board.take(-20, of: 0, named: [name("Bar", "ZoneMeter_0")])
        board.take(-20, of: 1, named: [name("Bar", "ZoneMeter_0"), name("Patio", "ZoneMeter_1")])
        let naming = board.naming
        board = LiveBoard(after: board)
        board.take(-33, of: 0, named: [name("Patio", "ZoneMeter_1")])
        #expect(board.naming > naming && board.units.map(\.name) == ["Patio"])
        #expect(text(board.levels(of: board.takeChanged(), for: all)) == "event: levels\ndata: [0,-330]\n\n")
    }

    @Test("a reader of one unit hears of no other's meters; without a choice of thousands nobody hears")
    func scopes() {
        var board = LiveBoard()
        let names = (0..<3_000).map { name($0 < 10 ? "Bar" : "Unit \($0 / 50)", "ZoneMeter_\($0 % 50)") }
        for meter in names.indices { board.take(-20, of: meter, named: names) }
        let changed = board.takeChanged()
        #expect(board.levels(of: changed, for: all) == nil)
        let bar = LiveBoard.Scope(processor: "Bar")
        #expect(text(board.levels(of: changed, for: bar))?.split(separator: ",").count == 20)
        #expect(board.names(for: bar).contains(#"{"name":"Unit 1","count":50,"meters":[]}"#))
    }

    @Test("levels that no meter has do not trap", arguments: [Double.nan, .infinity, -.infinity, 1e300, -1e300])
    func madeUp(_ level: Double) {
        var board = LiveBoard()
        board.take(level, of: 0, named: [name("Bar", "ZoneMeter_0")])
        #expect(board.takeChanged() == [0])
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
