import Testing

@testable import AtlasSimulator

/// What somebody changes at the unit itself.
@Suite(.timeLimit(.minutes(1)))
struct ChangeTests {
    @Test("a gain, a mute, a firing and any other parameter are told to who subscribed; a firing each time")
    func changes() async throws {
        try await Bench.run { bench in
            let client = try await bench.connect()
            try await client.send(subscribe(["ZoneGain_1", "ZoneMute_1", "RecallScene_2", "GpoState_1"]))
            _ = await client.line()
            for (words, told) in [
                ("gain 1 -80", #""ZoneGain_1","val":-80.0"#), ("mute 1 on", #""ZoneMute_1","val":1"#),
                ("recall scene 2", #""RecallScene_2","val":1"#), ("recall scene 2", #""RecallScene_2","val":1"#),
                ("set GpoState_1 1", #""GpoState_1","val":1"#),
            ] {
                try await bench.simulator.inject(FaultScript.parse("at 0s \(words)").steps[0].fault)
                #expect(await client.line()?.contains(told) == true, "\(words)")
            }
            try await client.send(subscribe(["ZoneMeter_1"]))
            _ = await bench.meters.next { values($0)["ZoneMeter_1"] == "-80.0" }
            await #expect(throws: SimulatorError.self) {
                try await bench.simulator.inject(.set(parameter: "ZoneGain_1", value: "loud"))
            }
        }
    }

    @Test("a unit that renumbers ends its connections; the zones move down with what is theirs, the last is gone")
    func renumber() async throws {
        try await Bench.run { bench in
            try await bench.simulator.inject(.set(parameter: "ZoneGain_3", value: -17))
            let before = try await bench.connect()
            try await before.send(subscribe(["ZoneName_2", "ZoneGain_2"], "str"))
            #expect(await before.line()?.contains("Terraza Ñandú") == true)
            try await bench.simulator.inject(.renumber(withoutZone: 2))
            #expect(await before.next() == .finished)
            let after = try await bench.connect()
            try await after.send(subscribe(["ZoneName_1", "ZoneName_2", "ZoneName_6", "ZoneGain_2"], "str"))
            let told = await after.line()
            for part in [
                #""ZoneName_1","str":"Patio""#, #""ZoneName_2","str":"Dance Floor""#, #""ZoneName_6","str":"Kitchen""#,
                #""ZoneGain_2","str":"-17.0""#,
            ] {
                #expect(told?.contains(part) == true, "\(part) in \(told ?? "nothing")")
            }
            try await after.send(subscribe(["ZoneName_7"], "str", id: 1), subscribe(["ZoneMeter_7"], id: 2))
            #expect(await after.line()?.contains("-32604") == true)
            #expect(await after.line()?.contains("-32604") == true)
            for zone in (0..<7).reversed() { try await bench.simulator.inject(.renumber(withoutZone: zone)) }
            await #expect(throws: SimulatorError.self) {
                try await bench.simulator.inject(.renumber(withoutZone: 0))
            }
            await #expect(throws: SimulatorError.self) {
                try await bench.simulator.inject(.rename(zone: 0, name: "nobody's"))
            }
        }
    }
}
