import AtlasProtocol
import Testing

@testable import RecorderStore

@Suite struct ParameterTests {
    private let folder = TemporaryFolder()

    /// `at` and `since` are seconds after `start`; with `since` the value was told without a change.
    private func told(
        _ id: Int32, _ name: String, _ value: SQLValue, at: Double, since: Double? = nil
    ) -> Entry {
        func time(_ seconds: Double) -> Int64 { start + Int64(seconds * 1e6) }
        return .parameter(
            processor: id, at: time(at), name: name, value: value,
            told: since.map { .standing(since: time($0)) } ?? .changed)
    }

    private func changes() throws -> [String] {
        try lines(
            folder.store,
            "SELECT (at_us - \(start)) / 1000000, parameter, label, value, previous FROM parameter_changes ORDER BY at_us"
        )
    }

    // MARK: actions

    @Test("every firing of an action is a row with its name, also if the value repeats; its first value is none")
    func firings() async throws {
        let recording = try await Recording(folder.store)
        let id = recording.id
        try await recording.commit(
            [
                told(id, "SceneName_2", .text("Late Night"), at: 1, since: 0),
                told(id, "RecallScene_2", .integer(0), at: 1, since: 0),
                told(id, "RecallScene_2", .integer(1), at: 10), told(id, "RecallScene_2", .integer(1), at: 20),
                // Connected again.
                told(id, "SceneName_2", .text("Late Night"), at: 31, since: 30),
                told(id, "RecallScene_2", .integer(1), at: 31, since: 30),
                told(id, "RecallScene_2", .integer(1), at: 40),
            ], at: start)
        #expect(
            try changes() == [
                "1|SceneName_2|Late Night|Late Night|", "10|RecallScene_2|Late Night|1|0",
                "20|RecallScene_2|Late Night|1|1", "40|RecallScene_2|Late Night|1|1",
            ])
    }

    @Test(
        "what was fired or chosen has the name that it had then",
        arguments: [
            ("RoutineName_1", "RecallRoutine_1", SQLValue.integer(1)), ("MessageName_0", "PlayMessage_0", .integer(1)),
            ("GpoPresetName_3", "RecallGpoPreset_3", .text("on")), ("SceneName_7", "RecallScene", .integer(7)),
            ("MessageName_12", "PlayMessage", .integer(12)), ("BellScheduleName_1", "TodaysBellSchedule", .integer(1)),
            ("BellScheduleName_4", "TodaysBellSchedule_0", .integer(4)),
        ])
    func names(name: String, parameter: String, value: SQLValue) async throws {
        let recording = try await Recording(folder.store)
        let id = recording.id
        try await recording.commit(
            [
                told(id, name, .text("Before"), at: 1, since: 0), told(id, parameter, value, at: 2),
                told(id, name, .text("After"), at: 3), told(id, parameter, value, at: 4),
                told(id, parameter, .integer(99), at: 5),
            ], at: start)
        let labels = try lines(
            folder.store, "SELECT label FROM parameter_changes WHERE parameter = '\(parameter)' ORDER BY at_us")
        // A bell schedule that is still the same is no change.
        let last = parameter.contains("_") && !parameter.hasPrefix("Todays") ? "After" : ""
        #expect(labels == (parameter.hasPrefix("Todays") ? ["Before", last] : ["Before", "After", last]))
        #expect(
            try lines(folder.store, "SELECT label FROM parameter_changes WHERE at_us = \(start + 3 * second)") == [
                "After"
            ])
    }

    @Test("after a restart the first value of an action is no firing, and the next one knows what came before")
    func firingAfterRestart() async throws {
        for round in 0..<2 {
            let now = Double(round) * 3_600
            await waitUntilFree(folder.store)
            let recording = try await Recording(folder.store, at: start + Int64(round) * hour)
            let id = recording.id
            try await recording.commit(
                [
                    told(id, "RecallScene_0", .integer(0), at: now + 1, since: now),
                    told(id, "RecallScene_0", .integer(1), at: now + 2),
                ], at: start + Int64(round) * hour)
            try await recording.writer.finish([], at: start + Int64(round) * hour + 5 * second)
        }
        #expect(try changes() == ["2|RecallScene_0||1|0", "3602|RecallScene_0||1|0"])
    }

    // MARK: labels

    /// Samples of ZoneMeter_0 at these seconds, with what each is called.
    private func labels(_ recording: Recording, at seconds: [Double]) async throws -> [String] {
        recording.feed(seconds.map { (Meter(.zone, 0), -20, start + Int64($0 * 1e6)) })
        try await recording.commit([], at: start)
        return try lines(folder.store, "SELECT label FROM meter_samples ORDER BY at_us")
    }

    @Test("a name that a connection tells first counts since the connection began, a rename since it was told")
    func namesLearntLate() async throws {
        let recording = try await Recording(folder.store)
        let id = recording.id
        try await recording.commit(
            [
                told(id, "ZoneName_0", .text("Main Bar"), at: 4, since: 2),
                // The unit was configured anew while it was away.
                told(id, "ZoneName_0", .text("Terrace"), at: 104, since: 100),
                told(id, "ZoneName_0", .text("Garden"), at: 150),
                // Connected again, nothing new.
                told(id, "ZoneName_0", .text("Garden"), at: 204, since: 200),
            ], at: start)
        let read = try await labels(recording, at: [1, 2, 3, 99.9, 100, 103, 149.9, 150, 199, 201])
        #expect(
            read == [
                "", "Main Bar", "Main Bar", "Main Bar", "Terrace", "Terrace", "Terrace", "Garden", "Garden", "Garden",
            ])
        #expect(
            try lines(folder.store, "SELECT (at_us - \(start)) / 1000000, detail FROM connection_events") == [
                "104|ZoneMeter_0: Main Bar -> Terrace", "150|ZoneMeter_0: Terrace -> Garden",
            ])
    }

    @Test("a unit that was configured anew while no recorder ran has its new names from the first sample on")
    func renumberedWhileStopped() async throws {
        for (round, name) in ["Main Bar", "Terrace"].enumerated() {
            let now = start + Int64(round) * hour
            await waitUntilFree(folder.store)
            let recording = try await Recording(folder.store, at: now)
            recording.feed([(Meter(.zone, 0), -20, now + second), (Meter(.zone, 0), -20, now + 4 * second)])
            let (at, since) = (Double(round * 3_600 + 2), Double(round * 3_600))
            try await recording.commit([told(recording.id, "ZoneName_0", .text(name), at: at, since: since)], at: now)
            try await recording.writer.finish([], at: now + 5 * second)
        }
        #expect(
            try lines(folder.store, "SELECT label FROM meter_samples ORDER BY at_us") == [
                "Main Bar", "Main Bar", "Terrace", "Terrace",
            ])
    }

    @Test("a name that is told again after the clock was set back counts from then on, also if it is the same")
    func clockSetBack() async throws {
        let recording = try await Recording(folder.store)
        let id = recording.id
        try await recording.commit([told(id, "ZoneName_0", .text("Bar"), at: 3_600, since: 3_600)], at: start)
        try await recording.commit([told(id, "ZoneName_0", .text("Bar"), at: 10, since: 5)], at: start)
        #expect(try await labels(recording, at: [4, 5, 3_700]) == ["", "Bar", "Bar"])
        // A clock that was wrong for a while costs no history.
        try await recording.commit([told(id, "ZoneName_0", .text("Terrace"), at: 7_200)], at: start)
        try await recording.commit([told(id, "ZoneName_0", .text("Terrace"), at: -100, since: -101)], at: start)
        #expect(
            try lines(folder.store, "SELECT (from_us - \(start)) / 1000000, label FROM meter_label ORDER BY from_us")
                == [
                    "-101|Terrace", "5|Bar", "3600|Bar", "7200|Terrace",
                ])
        #expect(try lines(folder.store, "SELECT detail FROM connection_events") == ["ZoneMeter_0: Bar -> Terrace"])
    }

    // MARK: firmware

    @Test("the processor has the firmware of its last update, and the change says which it was before")
    func firmware() async throws {
        let recording = try await Recording(folder.store)
        let id = recording.id
        try await recording.commit(
            [
                told(id, "FirmwareVersion", .text("4.1.16"), at: 1, since: 0),
                told(id, "FirmwareVersion", .text("4.2.0"), at: 100, since: 99),
            ], at: start)
        #expect(try lines(folder.store, "SELECT firmware FROM processors") == ["4.2.0"])
        #expect(
            try changes() == ["1|FirmwareVersion||4.1.16|", "100|FirmwareVersion||4.2.0|4.1.16"])
    }
}
