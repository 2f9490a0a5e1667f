import Testing
import WallTime

@testable import Watching

@Suite struct PlainLineTests {
    @Test("a line has both links, the rate, and how loud it is")
    func line() {
        let feed = Feed()
        feed.hello().unit("Bar", zones: 2).value("Bar", "SourceMeter_0", -80)
        let clock = LocalTime.text(feed.now.wall).dropFirst(11).prefix(8)
        #expect(
            PlainLine.text(feed.picture.units[0], at: feed.now.wall)
                == "\(clock)  Bar  control up  meters up  0 samples/s  3 meters, 1 silent, loudest ZoneMeter_1 (Zone 1) -39.0 dB"
        )
        feed.link("Bar", "meters", "down", "taken").link("Bar", "control", "unknown", "recorder_starting")
        #expect(
            PlainLine.text(feed.picture.units[0], at: feed.now.wall)
                == "\(clock)  Bar  control unknown recorder_starting  meters down taken  0 samples/s")
    }

    @Test("today begins at midnight, and is never empty")
    func midnight() {
        let now = Feed.begin
        let begin = DayFigures.midnight(before: now)
        #expect(LocalTime.text(begin).hasSuffix("00:00:00.000") && begin < now && now - begin < 26 * 3_600_000_000)
        #expect(DayFigures.midnight(before: begin) == begin - 1)
    }
}
