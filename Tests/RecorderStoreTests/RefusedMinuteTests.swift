import AtlasProtocol
import Testing

@testable import RecorderStore

private let bar = Meter(.zone, 0)

/// Levels that are none, and minutes that the store does not take.
@Suite struct RefusedMinuteTests: MinuteBench {
    let folder = TemporaryFolder()

    @Test(
        "what an older version stored as a level, and is none, is passed over: in a frame and alone, in the levels too")
    func noLevel() async throws {
        let recording = try await begin()
        let other = Meter(.zone, 1)
        recording.feed([(bar, -20, at(10)), (other, -20, at(10))])  // a frame of both, then rows of one
        recording.feed([(bar, 1e308, at(20)), (other, 5, at(20))])
        recording.feed([(bar, -1e308, at(30)), (bar, 1_000.1, at(31)), (bar, -1_000, at(40)), (bar, 1e308, at(50))])
        try await recording.commit([up(5)], at: at(190))
        while try await recording.writer.countMinutes() {}
        let held = [(-20.0, 30.0), (-1_000.0, 20.0)].reduce(0) { $0 + $1.0 * $1.1 } / 50
        #expect(
            try minutes() == [
                "0|2|-1000.0|\(held)|-20.0|0.0|50.0", "60|0|-1000.0|-1000.0|-1000.0|0.0|60.0",
                "120|0|-1000.0|-1000.0|-1000.0|0.0|60.0",
            ])
        #expect(try minutes("ZoneMeter_1").first == "0|2|-20.0|0.0|5.0|0.0|50.0")
        try expectMinutes(folder.store, until: at(180), "no level")
    }

    @Test("an hour passes over the minutes that an older version counted from what is no level")
    func noLevelInHour() async throws {
        let recording = try await begin(at: -1_800)
        recording.feed([(bar, -20, at(-1_790)), (Meter(.zone, 1), -30, at(-1_790))])
        try await recording.commit([up(-1_800)], at: at(1_700))
        while try await recording.writer.countMinutes() {}
        for (minute, sum) in [(-60.0, "9e999"), (0, "-9e999"), (60, "1e300")] {
            try await recording.writer.execute(
                "UPDATE meter_minute SET level_us = \(sum) WHERE meter_id = 1 AND start_us = \(at(minute))")
        }
        try await recording.commit([], at: at(1_900))
        while try await recording.writer.countMinutes() {}
        #expect(try minutes(of: "meter_hours").first == "-1800|1|-20.0|-20.0|-20.0|0.0|3410.0")
        #expect(try minutes("ZoneMeter_1", of: "meter_hours").first == "-1800|1|-30.0|-30.0|-30.0|0.0|3590.0")
    }

    @Test("a minute or an hour of a meter that the store refuses is left out, told of once, and holds up nothing else")
    func refused() async throws {
        let recording = try await begin(at: -1_800)
        recording.feed([(bar, -20, at(-1_790)), (Meter(.zone, 1), -30, at(-1_790))])
        try await recording.writer.execute(
            """
            CREATE TRIGGER no_minute BEFORE INSERT ON meter_minute WHEN NEW.meter_id = 1 AND NEW.start_us = \(at(0))
            BEGIN SELECT RAISE(ABORT, 'not this one'); END;
            CREATE TRIGGER no_hour BEFORE INSERT ON meter_hour BEGIN SELECT RAISE(ABORT, 'no hours'); END;
            """)
        try await recording.commit([up(-1_800)], at: at(1_900))
        while try await recording.writer.countMinutes() {}
        let leftOut = await recording.writer.takeMinutesLeftOut()
        #expect(leftOut?.count == 2 && leftOut?.first == at(0))
        #expect(leftOut.map { "\($0.error)".contains("not this one") } == true)
        #expect(await recording.writer.takeMinutesLeftOut() == nil)
        #expect(try minutes().count == 29 + 1 && minutes("ZoneMeter_1").count == 61)
        #expect(try !minutes().contains { $0.hasPrefix("0|") })
        try await recording.writer.execute("DROP TRIGGER no_minute; DROP TRIGGER no_hour")
        try await recording.writer.finish([], at: at(1_950))
        #expect(await recording.writer.takeMinutesLeftOut() == nil)
    }
}
