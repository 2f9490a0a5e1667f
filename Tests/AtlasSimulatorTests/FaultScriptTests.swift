import Testing

@testable import AtlasSimulator

struct FaultScriptTests {
    @Test(
        "a step has a time, a fault, and perhaps a unit and an end",
        arguments: [
            ("at 10s wedge for 30s", nil as Int?, Duration.seconds(10), Fault.wedge, Duration.seconds(30) as Duration?),
            ("unit 2 at 5s refuse for 10s", 2, .seconds(5), .refuse, .seconds(10)),
            ("at 500ms reset", nil, .milliseconds(500), .reset, nil),
            ("  at 1.5h  silent-udp ", nil, .seconds(5400), .silentUDP, nil),
            ("at 2m ACCEPTANDCLOSE", nil, .seconds(120), .acceptAndClose, nil),
            ("at 0s rename 1 Late Bar for 2", nil, .zero, .rename(zone: 1, name: "Late Bar for 2"), nil),
            ("at 1s renumber 3", nil, .seconds(1), .renumber(withoutZone: 3), nil),
            ("at 1s recall scene 2", nil, .seconds(1), .set(parameter: "RecallScene_2", value: 1), nil),
            ("at 1s recall message 0", nil, .seconds(1), .set(parameter: "PlayMessage_0", value: 1), nil),
            ("at 1s gain 1 -12.5", nil, .seconds(1), .set(parameter: "ZoneGain_1", value: -12.5), nil),
            ("at 1s mute 0 on", nil, .seconds(1), .set(parameter: "ZoneMute_0", value: 1), nil),
            ("at 1s mute 7 off", nil, .seconds(1), .set(parameter: "ZoneMute_7", value: 0), nil),
            ("at 1s set GpoState_1 1", nil, .seconds(1), .set(parameter: "GpoState_1", value: "1"), nil),
            (
                "at 1s set FirmwareVersion '4.10 beta' ", nil, .seconds(1),
                .set(parameter: "FirmwareVersion", value: "4.10 beta"), nil
            ),
            ("unit 0 at 1s rename 0 \"Terraza Ñandú\"", 0, .seconds(1), .rename(zone: 0, name: "Terraza Ñandú"), nil),
        ])
    func steps(text: String, unit: Int?, at: Duration, fault: Fault, lasting: Duration?) throws {
        let script = try FaultScript.parse(text)
        #expect(script.steps == [FaultScript.Step(unit: unit, at: at, fault: fault, lasting: lasting)])
    }

    @Test("every fault has a name that the script knows")
    func names() throws {
        for (name, fault) in Fault.named { #expect(try FaultScript.parse("at 1s \(name)").steps[0].fault == fault) }
    }

    @Test(
        "what cannot be read is refused with the place and the rule",
        arguments: [
            ("", "the text ends there"), ("wedge", "found 'wedge'"), ("at 10 wedge", "found '10'"),
            ("at wedge", "found 'wedge'"), ("at 10s", "the text ends there"), ("at 10s wegde", "found 'wegde'"),
            ("at 10s wedge until 20s", "found 'until'"), ("at 10s wedge for", "the text ends there"),
            ("at 10s wedge for 10x", "found '10x'"), ("at 10s wedge for 10s 5", "found '5'"),
            ("at 10s reset for 5s", "takes no 'for TIME'"), ("unit x at 1s reset", "found 'x'"),
            ("unit -1 at 1s reset", "found '-1'"), ("at 1e9s reset", "found '1e9s'"),
            ("at 99999h reset", "found '99999h'"),
            ("at 1s recall 2", "found '2'"), ("at 1s recall scene", "the text ends there"),
            ("at 1s recall dream 2", "needs scene, routine, message or gpo"), ("at 1s gain 0", "the text ends there"),
            ("at 1s gain 0 6", "dB from -80 to 0"), ("at 1s gain -80", "found '-80'"),
            ("at 1s mute 0 1", "'on' or 'off'"),
            ("at 1s set ZoneGain_0", "needs a value"), ("at 1s set", "the text ends there"),
            ("at 1s gain 0 -3 for 5s", "takes no 'for TIME'"), ("at 1s renumber x", "found 'x'"),
            ("at 1s sing", "gain ZONE DB"), ("at 1s rename Bar", "found 'Bar'"),
            ("at 1s rename 0 ''", "needs the new name"),
        ])
    func refusals(text: String, part: String) {
        let error = #expect(throws: FaultScriptError.self) { try FaultScript.parse(text) }
        #expect(error?.description.contains(part) == true)
        #expect(error?.description.hasPrefix("cannot read the fault '\(text)': ") == true)
    }

    @Test("a script for units, zones, parameters or values that are not there is refused before anything starts")
    func outOfRange() async throws {
        for text in [
            "unit 1 at 1s wedge", "at 1s rename 8 Bar", "at 1s renumber 8", "at 1s recall scene 4", "at 1s gain 8 -3",
            "at 1s set GpoState_0 5", "at 1s set Weather rain",
        ] {
            var configuration = SimulatorConfiguration()
            configuration.script = try FaultScript.parse(text)
            #expect(throws: SimulatorError.self) { try configuration.validate() }
        }
    }

    @Test("addresses count upward and carry")
    func addresses() throws {
        var configuration = SimulatorConfiguration()
        configuration.units = 300
        configuration.firstAddress = "127.0.0.250"
        try configuration.validate()
        #expect(
            try [0, 5, 6, 299].map { try configuration.address(ofUnit: $0) }
                == ["127.0.0.250", "127.0.0.255", "127.0.1.0", "127.0.2.37"])
        configuration.firstAddress = "127.255.255.1"
        #expect(throws: SimulatorError.self) { try configuration.validate() }
        for address in ["127.0.0", "bar", "1.2.3.256", "1..2.3"] {
            configuration.firstAddress = address
            #expect(throws: SimulatorError.self) { try configuration.validate() }
        }
    }
}
