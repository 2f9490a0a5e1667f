import Recorder
import Testing

@testable import Watching

/// What the feed says, line by line, and what is known after it.
@Suite struct PictureTests {
    @Test("links, meters and labels are known as they were told last")
    func told() {
        let feed = Feed()
        feed.hello().link("Bar", "control", "up").link("Bar", "meters", "down", "EADDRINUSE", since: 5)
        feed.value("Bar", "SourceMeter_3", -20).value("Bar", "ZoneMeter_1", -30, "Patio").value(
            "Bar", "ZoneMeter_1", -31, "Terrace")
        let unit = feed.picture.units[0]
        #expect(unit.control == .init(state: "up", cause: nil, since: Feed.begin))
        #expect(unit.meters == .init(state: "down", cause: "EADDRINUSE", since: 5))
        #expect(unit.channels.map(\.tag) == ["S3", "Z1"])
        #expect(unit.channels.map(\.level) == [-20, -31] && unit.channels.map(\.label) == [nil, "Terrace"])
        #expect(!unit.isCurrent && !unit.isWell)
    }

    @Test("samples a second are those of the second that ended, without the greeting's")
    func rate() {
        let feed = Feed()
        feed.hello()
        _ = feed.picture.tick(feed.now)
        feed.value("Bar", "ZoneMeter_0", -30, at: Feed.begin - 1)
        for _ in 0..<25 { feed.value("Bar", "ZoneMeter_0", -30, at: Feed.begin + 1) }
        feed.wait(0.9)
        #expect(!feed.picture.tick(feed.now) && feed.picture.units[0].rate == 0)
        feed.wait(0.1)
        #expect(feed.picture.tick(feed.now) && feed.picture.units[0].rate == 25)
        feed.wait(2)
        feed.value("Bar", "ZoneMeter_0", -30, at: Feed.begin + 1)
        #expect(feed.picture.tick(feed.now) && feed.picture.units[0].rate == 1)
    }

    @Test("after an end everything stays until another recorder speaks")
    func end() {
        let feed = Feed()
        feed.hello().link("Bar", "control", "up").link("Patio", "control", "up")
        feed.picture.ended("the recorder has ended the feed", at: feed.now)
        let ended = feed.now.wall
        feed.wait(3)
        feed.picture.ended("64 readers are connected: close one", at: feed.now)
        #expect(feed.picture.connection == .ended(at: ended, reason: "64 readers are connected: close one"))
        feed.picture.opened()
        #expect(feed.picture.connection == .ended(at: ended, reason: "64 readers are connected: close one"))
        #expect(feed.picture.units.count == 2)
        feed.hello().link("Bar", "control", "unknown", "recorder_starting")
        #expect(feed.picture.connection == .speaking && feed.picture.units.map(\.name) == ["Bar"])
    }

    @Test("a recorder that tells each second how it does and then says nothing stands still, until it says something")
    func silent() {
        let feed = Feed()
        feed.hello().unit("Bar", zones: 1)
        feed.wait(60)
        // One of before does not tell how it does: nothing moves, that is all.
        _ = feed.picture.tick(feed.now)
        #expect(feed.picture.connection == .speaking)
        let status = #"{"time":"x","at_us":1,"samples":1,"commits":1,"commit_us":1,"errors":{}}"#
        feed.say(status)
        let said = feed.now.wall
        feed.wait(5)
        _ = feed.picture.tick(feed.now)
        #expect(feed.watch.isSpeaking)
        feed.wait(1)
        _ = feed.picture.tick(feed.now)
        #expect(feed.picture.connection == .silent(since: said))
        #expect(feed.watch.notice(feed.now)?.text.contains("the recorder stands still") == true)
        feed.say(status)
        #expect(feed.watch.isSpeaking && feed.watch.notice(feed.now) == nil)
    }

    @Test("only one unit is looked at where one is named; and that it is not there is said")
    func only() {
        let feed = Feed(only: "Bar")
        feed.hello()
        #expect(feed.picture.nobody == "the recorder has named no processor yet")
        feed.link("Patio", "control", "up").value("Patio", "ZoneMeter_0", -3).value("Patio", "ZoneMeter_0", -4)
        #expect(feed.picture.nobody == "no processor is called 'Bar'; there are Patio")
        feed.value("Bar", "ZoneMeter_0", -3)
        #expect(feed.picture.nobody == nil && feed.picture.units.map(\.name) == ["Bar"])
    }

    @Test("what was missed, what refuses and what cannot be read")
    func others() {
        let feed = Feed()
        feed.hello().say(#"{"missed":12}"#).say(#"{"missed":3}"#).say("nonsense").say("")
        #expect(feed.picture.missed == 15 && feed.picture.missedAt == feed.now.wall)
        #expect(feed.picture.line(Array(#"{"error":"64 readers"}"#.utf8), at: feed.now) == "64 readers")
    }

    @Test("a peak stands, then falls, and a level above it takes its place")
    func peak() {
        var peak = PeakHold(-10, at: 0)
        #expect(peak.shown(at: 1_500_000) == -10 && peak.shown(at: 2_000_000) == -20)
        #expect(peak.isFalling(over: -30, at: 2_000_000) && !peak.isFalling(over: -30, at: 1_000_000))
        #expect(!peak.isFalling(over: -20, at: 2_000_000) && !peak.isFalling(over: -80, at: 60_000_000))
        peak.take(-21, at: 2_000_000)
        #expect(peak.shown(at: 2_000_000) == -20)
        peak.take(-20, at: 2_000_000)
        #expect(peak.shown(at: 3_500_000) == -20)
    }
}
