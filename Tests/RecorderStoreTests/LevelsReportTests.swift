import AtlasProtocol
import CSQLite
import Foundation
import Migrations
import Testing

@testable import RecorderStore

/// What `reports/levels.sql` answers of windows that are cut anywhere; that it agrees with the samples is tested at random
/// (`MinuteRandomTests`).
@Suite struct LevelsReportTests {
    private let folder = TemporaryFolder()

    /// Brings a store to a version before there were minutes, with one unit that was recorded for two hours.
    private func formerStore() throws {
        let former = Array(Migrations.files.prefix { $0.name < "0005" })
        let database = try Database(path: folder.store, mode: .readWrite)
        try database.prepare()
        try Schema.migrate(database, by: former)
        let end = start + 2 * hour
        try database.execute(
            """
            INSERT INTO recorder_run (started_us, ended_us, heartbeat_us, clean, version, pid, host)
            VALUES (\(start), \(end), \(end), 1, '0', 1, 'h');
            INSERT INTO processor (name, host, control_port) VALUES ('Main Bar', '192.0.2.1', 5321);
            INSERT INTO meter (processor_id, slot, name) VALUES (1, 1, 'ZoneMeter_0'), (1, 2, 'ZoneMeter_1');
            INSERT INTO link_state VALUES (1, 'meters', \(start), \(start + second), 'unknown', 'recorder_starting'),
                (1, 'meters', \(start + second), \(start + hour), 'up', NULL),
                (1, 'meters', \(start + hour), \(start + hour + minute), 'down', 'taken'),
                (1, 'meters', \(start + hour + minute), \(end), 'up', NULL);
            """, doing: "write a former store")
        let insert = try Statement("INSERT INTO sample (at_us, meter_id, level) VALUES (?, ?, ?)", on: database)
        var generator = SeededGenerator(seed: 5)
        for at in stride(from: start + 2 * second, to: end, by: 7_300_001) {
            try insert.run(
                .integer(at), .integer(Int64.random(in: 1...2, using: &generator)),
                .integer(Int64.random(in: -800...0, using: &generator)))
        }
    }

    @Test("what was recorded before there were minutes is answered from the samples, and costs the recorder nothing")
    func formerVersion() async throws {
        try formerStore()
        let began = start + 2 * hour + 20 * second
        let recording = try await Recording(folder.store, at: began)
        recording.feed([(Meter(.zone, 0), -12, began + 3 * second), (Meter(.zone, 1), -80, began + 100 * second)])
        try await recording.commit(
            [.change(processor: 1, link: .meters, state: .up, since: began + second)], at: began + 10 * minute)
        while try await recording.writer.countMinutes() {}
        let counted = try integer(folder.store, "SELECT min(start_us) FROM meter_minutes")
        #expect(counted == start + 2 * hour + minute)
        let replay = try Replay(folder.store)
        for (since, until) in [
            (start - hour, began + hour), (start, start + hour), (start + 1_234_567, start + hour + 30 * second),
            (start + hour + 59 * second, began + 90 * second), (began, began + 2 * minute),
            (began + 5 * second, began + 6 * second),
        ] {
            let found = try levels(folder.store, since, until)
            for key in replay.keys {
                let wanted = replay.tally(key, from: since, until: until)
                #expect(
                    found[key]?.agrees(with: wanted, within: 1e-6) == true, "\(key) \(since - start) \(until - start)")
            }
        }
    }

    @Test("every meter is there, with its names in the window, also one of which nothing is known")
    func labels() async throws {
        let recording = try await Recording(folder.store, [mainBar, patio])
        let tick = { (processor: Int) in
            recording.feed([2, 10, 1].map { (Meter(.zone, $0), -20.5, start + second) }, processor: processor)
        }
        tick(0)
        tick(1)
        func label(_ text: String, _ seconds: Int64) -> Entry {
            .parameter(processor: 1, at: start + seconds * second, name: "ZoneName_2", value: .text(text))
        }
        try await recording.commit(
            [
                .change(processor: 1, link: .meters, state: .up, since: start + second), label("Bar", 1),
                label("Lounge", 100), label("Patio", 200),
            ], at: start + 5 * minute)
        let report = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "reports/levels.sql")
        func answer(_ since: Int64, _ until: Int64, _ processor: String?) throws -> [String] {
            try lines(
                folder.store, String(contentsOf: report, encoding: .utf8),
                [
                    ":since_us": .integer(start + since * second), ":until_us": .integer(start + until * second),
                    ":processor": .text(processor),
                ])
        }
        #expect(
            try answer(90, 150, "Main Bar") == [
                "Main Bar|ZoneMeter_1||0|-20.5|-20.5|-20.5|0.0|60.0",
                "Main Bar|ZoneMeter_2|Bar / Lounge|0|-20.5|-20.5|-20.5|0.0|60.0",
                "Main Bar|ZoneMeter_10||0|-20.5|-20.5|-20.5|0.0|60.0",
            ])
        #expect(try answer(0, 60, "Patio").last == "Patio|ZoneMeter_10||0||||0.0|0.0")
        #expect(try answer(0, 60, nil).count == 6)
    }

    @Test(
        "it runs in the plain sqlite3 program, with times given as text too",
        .enabled(if: isExecutable("/usr/bin/sqlite3"), "sqlite3 is missing"))
    func plainProgram() async throws {
        let recording = try await Recording(folder.store)
        recording.feed([(Meter(.zone, 0), -20.5, start + second)])
        try await recording.commit(
            [.change(processor: 1, link: .meters, state: .up, since: start + second)], at: start + 5 * minute)
        while try await recording.writer.countMinutes() {}
        let report = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "reports/levels.sql")
        for quote in ["", "'"] {
            let result = try run(
                "/usr/bin/sqlite3",
                [
                    "-cmd", ".parameter set :since_us \(quote)\(start + 30 * second)\(quote)",
                    "-cmd", ".parameter set :until_us \(quote)\(start + 200 * second)\(quote)",
                    "-cmd", ".parameter set :processor NULL", folder.store, ".read '\(report.path)'",
                ])
            #expect(result.output == "Main Bar|ZoneMeter_0||0|-20.5|-20.5|-20.5|0.0|170.0\n", "\(result.errors)")
        }
    }
}
