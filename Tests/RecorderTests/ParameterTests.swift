import AtlasProtocol
import AtlasSimulator
import RecorderStore
import Testing

@testable import Recorder

/// What is not a meter: names, gains, mutes, scenes, firmware, the whole way over real sockets.
@Suite(.timeLimit(.minutes(2)))
struct ParameterTests {
    private static let firings =
        "SELECT parameter, label, value FROM parameter_changes WHERE parameter GLOB 'Recall*' OR parameter GLOB 'Play*' ORDER BY at_us"

    private func count(_ rig: Rig, _ parameter: String) throws -> Int {
        try rig.integer("SELECT count(*) FROM parameter_changes WHERE parameter = '\(parameter)'")
    }

    @Test("each firing of a scene is a row, also the same again; connecting, reconnecting and a wedge fire nothing")
    func firings() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        var seen = await rig.line("subscribed")
        let recall = try FaultScript.parse("at 0s recall scene 2").steps[0].fault
        for _ in 0..<2 { try await simulator.inject(recall) }
        try await eventually { try count(rig, "RecallScene_2") == 2 }
        try await simulator.inject(.dropConnections)
        seen = await rig.line("subscribed", after: seen)
        try await simulator.inject(.set(parameter: "PlayMessage_0", value: 1))
        try await eventually { try count(rig, "PlayMessage_0") == 1 }
        try await simulator.inject(.wedge)
        seen = await rig.line("control down: wedged", after: seen)
        try await simulator.inject(.clear)
        await rig.line("subscribed", after: seen)
        try await simulator.inject(.set(parameter: "RecallRoutine_1", value: 1))
        try await eventually { try count(rig, "RecallRoutine_1") == 1 }
        try await rig.stop()
        #expect(
            try rig.texts(Self.firings) == [
                "RecallScene_2 Late Night 1", "RecallScene_2 Late Night 1", "PlayMessage_0 Last Call 1",
                "RecallRoutine_1 Closing Down 1",
            ])
        try await simulator.shutdown()
    }

    @Test("what changes is a row with the value before; a connection made again adds none")
    func changes() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port)
        var seen = await rig.line("subscribed")
        try await eventually { try count(rig, "TodaysBellSchedule") == 1 && count(rig, "BellScheduleName_1") == 1 }
        let known = try rig.integer("SELECT count(*) FROM parameter_changes")
        for (parameter, value) in [
            ("ZoneGain_0", -80.0), ("ZoneMute_3", 1), ("ZoneSource_1", -1), ("ZoneGrouped_2", 1), ("GroupActive_1", 1),
            ("GpoState_1", 1), ("LoudNoise", 1), ("TodaysBellSchedule", 1), ("SourceGain_13", -6),
        ] {
            try await simulator.inject(.set(parameter: parameter, value: .number(value)))
        }
        try await simulator.inject(.set(parameter: "FirmwareVersion", value: "4.2.0"))
        try await eventually { try count(rig, "FirmwareVersion") == 2 }
        try await simulator.inject(.dropConnections)
        seen = await rig.line("subscribed", after: seen)
        // The last of all that is told: when it is there, the first values of this connection are in.
        try await simulator.inject(.set(parameter: "SourceGain_13", value: -7))
        try await eventually { try count(rig, "SourceGain_13") == 3 }
        try await rig.stop()
        let changes = try rig.texts(
            "SELECT parameter, label, previous, value FROM parameter_changes WHERE previous IS NOT NULL ORDER BY at_us")
        #expect(
            changes.sorted() == [
                "FirmwareVersion - 4.1.16 4.2.0", "GpoState_1 - 0 1", "GroupActive_1 Indoors 0 1", "LoudNoise - 0 1",
                "SourceGain_13 Café Loop -6 -7", "SourceGain_13 Café Loop 0 -6", "TodaysBellSchedule Weekends 0 1",
                "ZoneGain_0 Main Bar 0 -80", "ZoneGrouped_2 Terraza Ñandú 0 1", "ZoneMute_3 Dance Floor 0 1",
                "ZoneSource_1 Patio 1 -1",
            ])
        #expect(try rig.integer("SELECT count(*) FROM parameter_changes") == known + changes.count)
        #expect(try rig.texts("SELECT firmware FROM processors") == ["4.2.0"])
        try await simulator.shutdown()
    }

    @Test("a unit that renumbers its zones: every sample has the name of its time, over reconnect and restart")
    func renumber() async throws {
        let port = freePort()
        let store = Rig.newStore()
        let (simulator, specs) = try await simulatedUnits(meterPort: port) { $0.updatesPerSecond = 100 }
        let first = Rig(specs, store: store, meterPort: port, removesStore: false)
        let seen = await first.line("subscribed")
        try await eventually { try await simulator.statistics().samples > 500 }
        try await simulator.inject(.renumber(withoutZone: 0))
        await first.line("subscribed", after: seen)
        let sent = try await simulator.statistics().samples
        try await eventually { try await simulator.statistics().samples > sent + 500 }
        try await first.stop()

        try await simulator.inject(.renumber(withoutZone: 0))
        let second = Rig(specs, store: store, meterPort: port)
        await second.line("subscribed")
        let again = try await simulator.statistics().samples
        try await eventually { try await simulator.statistics().samples > again + 500 }
        try await second.stop()
        // Every sample lies between two connections' begins; none of it is named wrong, none is without a name.
        let labels = try second.texts(
            """
            SELECT DISTINCT (SELECT count(*) FROM connection_events e WHERE e.event = 'connected' AND e.at_us <= s.at_us), label
              FROM meter_samples s WHERE meter = 'ZoneMeter_0' ORDER BY at_us
            """)
        #expect(labels == ["1 Main Bar", "2 Patio", "3 Terraza Ñandú"])
        let others = try second.texts(
            "SELECT DISTINCT label FROM meter_samples WHERE meter = 'ZoneMeter_5' ORDER BY at_us")
        #expect(others == ["Restrooms", "Entrance", "Kitchen"])
        let unnamed = try second.integer("SELECT count(*) FROM meter_samples WHERE label IS NULL")
        #expect(unnamed == 0)
        try await simulator.shutdown()
    }

    @Test("a name that the unit tells long after its meters names them since the connection began")
    func namesLate() async throws {
        let port = freePort()
        let unit = try await ScriptedUnit { line, id in
            line.contains("ZoneName_0")
                ? [
                    #"{"jsonrpc":"2.0","result":"OK","id":\#(id)}"#,
                    #"{"jsonrpc":"2.0","method":"update","params":{"param":"ZoneName_0","str":"Main Bar"}}"#,
                ]
                : line.contains("ZoneMeter_0")
                    ? [#"{"jsonrpc":"2.0","result":[{"param":"ZoneMeter_0","val":-41.5}],"id":\#(id)}"#]
                    : [#"{"jsonrpc":"2.0","result":"OK","id":\#(id)}"#]
        }
        let rig = Rig([unit.spec], meterPort: port)
        await rig.line("subscribed")
        try await eventually { try count(rig, "ZoneName_0") == 1 }
        try await rig.stop()
        #expect(
            try rig.texts(
                """
                SELECT s.label, min(s.at_us) < c.at_us FROM meter_samples s, parameter_changes c WHERE c.parameter = 'ZoneName_0'
                """) == ["Main Bar 1"])
        try await unit.stop()
    }

    @Test("that a zone went quiet and that its gain fell stand side by side in one query")
    func quietBecauseOfGain() async throws {
        let port = freePort()
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        try await simulator.set(parameter: "SourceMeter_0", value: -10)
        try await simulator.set(parameter: "ZoneGain_0", value: -18)
        let rig = Rig(specs, meterPort: port)
        await rig.line("subscribed")
        try await eventually { try rig.integer("SELECT count(*) FROM meter_samples WHERE meter = 'ZoneMeter_0'") > 5 }
        try await simulator.inject(FaultScript.parse("at 0s gain 0 -80").steps[0].fault)
        let quiet = "SELECT count(*) FROM meter_samples WHERE meter = 'ZoneMeter_0' AND level_db = -80"
        try await eventually { try rig.integer(quiet) > 5 }
        try await rig.stop()
        let pairs = try rig.texts(
            """
            SELECT q.label, q.level_db, c.parameter, c.previous, c.value
              FROM (SELECT *, lag(level_db) OVER (ORDER BY at_us) AS before FROM meter_samples
                     WHERE meter = 'ZoneMeter_0') q
              JOIN parameter_changes c ON c.label = q.label AND c.at_us BETWEEN q.at_us - 5000000 AND q.at_us + 5000000
             WHERE q.level_db <= -80 AND q.before > -80 AND c.previous IS NOT NULL
            """)
        #expect(pairs == ["Main Bar -80.0 ZoneGain_0 -18 -80"])
        try await simulator.shutdown()
    }
}
