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
            ("at 1s rename Bar", "found 'Bar'"), ("at 1s rename 0 ''", "needs the new name"),
        ])
    func refusals(text: String, part: String) {
        let error = #expect(throws: FaultScriptError.self) { try FaultScript.parse(text) }
        #expect(error?.description.contains(part) == true)
        #expect(error?.description.hasPrefix("cannot read the fault '\(text)': ") == true)
    }

    @Test("a script for units or zones that are not there is refused before anything starts")
    func outOfRange() async throws {
        for text in ["unit 1 at 1s wedge", "at 1s rename 8 Bar"] {
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
