import AtlasProtocol
import CSQLite
import Migrations
import Testing

@testable import RecorderStore

private let bar = Meter(.zone, 0)

/// One unit, one or two meters, told as it happens. Times are seconds after `start`.
@Suite struct MinuteTests: MinuteBench {
    let folder = TemporaryFolder()

    @Test("a value holds until the next one, minute after minute, and the mean is weighted by time")
    func holds() async throws {
        let recording = try await begin()
        recording.feed([(bar, -20, at(10)), (bar, -80, at(40)), (bar, -30, at(90))])
        try await recording.commit([up(5)], at: at(190))
        #expect(try await !recording.writer.countMinutes())
        #expect(
            try minutes() == [
                "0|2|-80.0|-44.0|-20.0|20.0|50.0", "60|1|-80.0|-55.0|-30.0|30.0|60.0",
                "120|0|-30.0|-30.0|-30.0|0.0|60.0",
            ])
    }

    @Test("the minute that lasts is not there; what it has so far is in the levels")
    func running() async throws {
        let recording = try await begin()
        recording.feed([(bar, -20, at(10)), (bar, -40, at(70))])
        try await recording.commit([up(5)], at: at(80))
        _ = try await recording.writer.countMinutes()
        #expect(try minutes().map { $0.prefix(3) } == ["0|1"])
        let levels = try levels(folder.store, at(0), at(1_000))
        #expect(levels.values.map { $0.known } == [70 * second])  // up to the last commit
    }

    @Test("while the link is down nothing is known, and after it not until the next value")
    func outage() async throws {
        let recording = try await begin()
        recording.feed([(bar, -20, at(10)), (bar, -40, at(100))])
        try await recording.commit([up(5), down(30), up(80)], at: at(130))
        _ = try await recording.writer.countMinutes()
        #expect(try minutes() == ["0|1|-20.0|-20.0|-20.0|0.0|20.0", "60|1|-40.0|-40.0|-40.0|0.0|20.0"])
    }

    @Test(
        "a value of the second before the link is up counts from then on, an older one does not",
        arguments: [true, false])
    func early(isEarly: Bool) async throws {
        let recording = try await begin()
        recording.feed([(bar, -20, isEarly ? at(9) : at(9) - 1)])
        try await recording.commit([up(10)], at: at(70))
        _ = try await recording.writer.countMinutes()
        #expect(try minutes() == [isEarly ? "0|1|-20.0|-20.0|-20.0|0.0|50.0" : "0|1||||0.0|0.0"])
    }

    @Test("an outage that is noticed late takes back what was counted since it began")
    func noticedLate() async throws {
        let recording = try await begin()
        recording.feed([(bar, -20, at(10))])
        try await recording.commit([up(5)], at: at(310))
        _ = try await recording.writer.countMinutes()
        #expect(try minutes().count == 5)
        try await recording.commit([down(90)], at: at(311))
        #expect(try minutes().count == 1)  // at once, before anything is counted again
        _ = try await recording.writer.countMinutes()
        let wanted = ["0|1|-20.0|-20.0|-20.0|0.0|50.0", "60|0|-20.0|-20.0|-20.0|0.0|30.0"]
        #expect(try minutes() == wanted)
        try await recording.commit([change(.down(.taken), 90)], at: at(312))
        _ = try await recording.writer.countMinutes()
        #expect(try minutes() == wanted)
    }

    @Test("values that come to the store long after their time are counted")
    func lateValues() async throws {
        let recording = try await begin()
        recording.feed([(bar, -20, at(10))])
        try await recording.commit([up(5)], at: at(310))
        _ = try await recording.writer.countMinutes()
        recording.feed([(bar, -30, at(90))])
        try await recording.commit([], at: at(312))
        _ = try await recording.writer.countMinutes()
        #expect(
            try minutes().dropFirst() == [
                "60|1|-30.0|-25.0|-20.0|0.0|60.0", "120|0|-30.0|-30.0|-30.0|0.0|60.0",
                "180|0|-30.0|-30.0|-30.0|0.0|60.0", "240|0|-30.0|-30.0|-30.0|0.0|60.0",
            ])
    }

    @Test("a clock that is set forward ends no value: it holds on both sides of what was skipped")
    func clockSetForward() async throws {
        let recording = try await begin()
        recording.feed([(bar, -20, at(10))])
        try await recording.commit([up(5), .clockSet(at: at(1_000), by: 900 * second)], at: at(1_090))
        while try await recording.writer.countMinutes() {}
        #expect(
            try minutes() == [
                "0|1|-20.0|-20.0|-20.0|0.0|50.0", "60|0|-20.0|-20.0|-20.0|0.0|40.0",
                "960|0|-20.0|-20.0|-20.0|0.0|20.0", "1020|0|-20.0|-20.0|-20.0|0.0|60.0",
            ])
        let cut = try levels(folder.store, at(500), at(1_010))
        #expect(cut.values.map { $0.known } == [10 * second])
    }

    @Test("time that is lived twice is counted once, of the values of both passages")
    func clockSetBack() async throws {
        let recording = try await begin()
        recording.feed([(bar, -20, at(10)), (bar, -40, at(150))])
        try await recording.commit([up(5)], at: at(190))
        _ = try await recording.writer.countMinutes()
        #expect(try minutes().count == 3)
        try await recording.commit([.clockSet(at: at(70), by: -120 * second)], at: at(70))
        #expect(try minutes().count == 1)
        recording.feed([(bar, -60, at(90))])
        try await recording.commit([], at: at(190))
        _ = try await recording.writer.countMinutes()
        #expect(
            try minutes() == [
                "0|1|-20.0|-20.0|-20.0|0.0|50.0", "60|1|-60.0|-40.0|-20.0|0.0|60.0", "120|1|-60.0|-50.0|-40.0|0.0|60.0",
            ])
    }

    @Test("a clock set back and forward again leaves the minutes that were lived through, and no other")
    func clockSetBackAndForward() async throws {
        let recording = try await begin()
        recording.feed([(bar, -20, at(10))])
        try await recording.commit([up(5)], at: at(7_300))
        while try await recording.writer.countMinutes() {}
        #expect(try minutes().count == 121)
        #expect(try minutes(of: "meter_hours").count == 3)  // from 16:30
        try await recording.commit([.clockSet(at: at(90), by: -7_210 * second)], at: at(90))
        try await recording.commit([.clockSet(at: at(7_300), by: 7_200 * second)], at: at(7_400))
        while try await recording.writer.countMinutes() {}
        try expectMinutes(folder.store, until: at(7_380), "after both")
        // What the first passage knew fills the time that the clock skips again.
        #expect(try minutes().count >= 121 && minutes(of: "meter_hours").count >= 3)
    }

    @Test("after a clean stop the last minute is there; a run within the same minute adds to it")
    func stopAndStart() async throws {
        do {
            let recording = try await begin()
            recording.feed([(bar, -20, at(70))])
            try await recording.commit([up(65)], at: at(80))
            try await recording.writer.finish([], at: at(90))
        }
        #expect(try minutes() == ["60|1|-20.0|-20.0|-20.0|0.0|20.0"])
        await waitUntilFree(folder.store)
        let recording = try await begin(at: 95)
        recording.feed([(bar, -40, at(100))])
        try await recording.commit([up(97)], at: at(200))
        _ = try await recording.writer.countMinutes()
        #expect(try minutes() == ["60|2|-40.0|-30.0|-20.0|0.0|40.0", "120|0|-40.0|-40.0|-40.0|0.0|60.0"])
    }

    @Test("what a recorder that was killed had not counted, the next one does, up to the last heartbeat")
    func killed() async throws {
        do {
            let recording = try await begin()
            recording.feed([(bar, -20, at(10)), (bar, -30, at(100))])
            try await recording.commit([up(5)], at: at(70))
            _ = try await recording.writer.countMinutes()
            try await recording.commit([], at: at(110))
        }
        await waitUntilFree(folder.store)
        #expect(try minutes().count == 1)
        let recording = try await begin(at: 10_000)
        #expect(try minutes().count == 1)  // receiving begins first
        try await recording.commit([], at: at(10_100))
        _ = try await recording.writer.countMinutes()
        #expect(try minutes() == ["0|1|-20.0|-20.0|-20.0|0.0|50.0", "60|1|-30.0|-22.0|-20.0|0.0|50.0"])
    }

    @Test(
        "counting that is cut off at any point is done whole or not at all, and a retry completes it",
        .timeLimit(.minutes(5)))
    func cutOffAtAnyPoint() async throws {
        var check = 1
        var wanted: [String]?
        while check < 100_000 {
            let folder = TemporaryFolder()
            let recording = try await Recording(folder.store)
            recording.feed((0..<12).map { (Meter(.mix, UInt8($0)), -Double($0) - 0.003, at(10)) })
            recording.feed([(bar, -20, at(11)), (bar, -30, at(3_500))])
            try await recording.commit([up(5)], at: at(3_700))
            let before = try await recording.writer.contents()
            let outcome = await recording.writer.countMinutes(interruptedAtCheck: check)
            if wanted == nil { #expect(outcome.failure != nil) }
            if outcome.failure != nil { #expect(try await recording.writer.contents() == before) }
            while try await recording.writer.countMinutes() {}
            let after = try await recording.writer.contents()
            #expect(after == wanted ?? after, "check \(check)")
            wanted = after
            if outcome.isPast { return }
            check += check < 40 ? 1 : 1_777
        }
        Issue.record("never ran to the end")
    }

    @Test("units come and go: each has the minutes of the time when it was recorded")
    func configuration() async throws {
        do {
            let recording = try await begin()
            recording.feed([(bar, -20, at(10))])
            try await recording.commit([up(5)], at: at(100))
            try await recording.writer.finish([], at: at(120))
        }
        await waitUntilFree(folder.store)
        let recording = try await begin(at: 200, [patio])
        recording.feed([(bar, -30, at(210))])
        try await recording.commit(
            [.change(processor: 2, link: .meters, state: .up, since: at(205))], at: at(310))
        _ = try await recording.writer.countMinutes()
        #expect(
            try lines(
                folder.store, "SELECT processor, (start_us - \(start)) / 1000000, seconds FROM meter_minutes ORDER BY 2"
            )
                == ["Main Bar|0|50.0", "Main Bar|60|60.0", "Patio|180|30.0", "Patio|240|60.0"])
    }

    @Test("minutes whose samples may be gone are never counted again")
    func fixed() async throws {
        let recording = try await begin()
        recording.feed([(bar, -20, at(10)), (bar, -30, at(200))])
        try await recording.commit([up(5)], at: at(310))
        _ = try await recording.writer.countMinutes()
        try await recording.writer.execute(
            "DELETE FROM sample WHERE at_us < \(at(180)); UPDATE minute_coverage SET fixed_us = \(at(180))")
        try await recording.commit([down(30)], at: at(311))
        while try await recording.writer.countMinutes() {}
        #expect(try minutes().map { $0.suffix(4) } == ["50.0", "60.0", "60.0", "|0.0"])
    }

    @Test("the hour is summed when it is over; before, the minutes so far are the hour")
    func hours() async throws {
        let recording = try await begin(at: -600)
        recording.feed([(bar, -20, at(-500)), (bar, -80, at(1_800)), (bar, -40.003, at(5_400))])
        try await recording.commit([up(-550)], at: at(1_870))
        while try await recording.writer.countMinutes() {}
        #expect(
            try minutes(of: "meter_hours") == [
                "-1800|1|-20.0|-20.0|-20.0|0.0|2300.0", "1800|1|-80.0|-80.0|-80.0|60.0|60.0",
            ])
        try await recording.commit([], at: at(7_300))
        while try await recording.writer.countMinutes() {}
        #expect(
            try minutes(of: "meter_hours").dropFirst() == [
                "1800|1|-80.0|-80.0|-80.0|3600.0|3600.0", "5400|1|-40.003|-40.003|-40.003|0.0|1860.0",
            ])
        try expectMinutes(folder.store, until: at(7_260), "hours")
    }

    @Test(
        "the two hours that have one local time, where summer time ends, are two rows",
        .enabled(if: isExecutable("/usr/bin/sqlite3"), "sqlite3 is missing"))
    func summerTime() async throws {
        // 2025-10-26 00:00 UTC, 02:00 in Paris; at 01:00 UTC it is 02:00 again.
        let first: Int64 = 1_761_436_800_000_000
        let recording = try await Recording(folder.store, at: first)
        recording.feed([(bar, -20, first + second)])
        let up = Entry.change(processor: 1, link: .meters, state: .up, since: first + second)
        try await recording.commit([up], at: first + 2 * hour + minute)
        while try await recording.writer.countMinutes() {}
        let result = try run(
            "/usr/bin/sqlite3",
            ["-readonly", folder.store, "SELECT time, (start_us - \(first)) / 3600000000, seconds FROM meter_hours"],
            environment: ["TZ": "Europe/Paris"])
        #expect(result.output == "2025-10-26 02:00:00.000|0|3599.0\n2025-10-26 02:00:00.000|1|3600.0\n")
    }
}

extension MinuteTests {
}

extension StoreWriter {
    func execute(_ sql: String) throws { try database.execute(sql, doing: "write a test's store") }
}
