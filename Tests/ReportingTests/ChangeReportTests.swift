import Testing

@testable import RecorderStore
@testable import Reporting

@Suite struct ChangeReportTests {
    private let store: HandMadeStore

    init() throws {
        store = try HandMadeStore(["A", "B"])
        for (meter, from, label) in [
            ("ZoneMeter_0", 0, "Main Bar"), ("ZoneMeter_0", 100, "Terrace"), ("SourceMeter_3", 0, "Jukebox"),
            ("MixMeter_14", 0, "Live Band"), ("RecallScene_2", 0, "Late Night"),
            ("TodaysBellSchedule_1", 0, "Weekends"),
        ] {
            try store.run(
                "INSERT INTO meter_label VALUES (1, '\(meter)', \(HandMadeStore.at(Double(from))), '\(label)')")
        }
    }

    private func change(_ parameter: String, _ value: String, _ previous: String, at: Double, of processor: Int = 1)
        throws
    {
        try store.run(
            """
            INSERT INTO parameter_change (at_us, processor_id, parameter, value, previous)
            VALUES (\(HandMadeStore.at(at)), \(processor), '\(parameter)', \(value), \(previous))
            """)
    }

    private func report(_ since: Double, _ until: Double, _ processor: String? = nil) throws -> [String] {
        let report = try #require(Report(named: "changes"))
        let table = try report.run(on: store.reader(), store.question(since, until, processor))
        #expect(table.columns == ["time", "processor", "parameter", "label", "value", "previous", "at_us"])
        return table.rows.map { row in row[1...5].map(\.plain).joined(separator: "|") }
    }

    @Test(
        "values read as an operator says them",
        arguments: [
            ("ZoneGain_0", "-80", "-18.5", "Main Bar|-80 dB|-18.5 dB"), ("ZoneMute_0", "1", "0", "Main Bar|on|off"),
            ("ZoneSource_0", "3", "14", "Main Bar|Jukebox|Live Band"), ("ZoneSource_0", "-1", "9", "Main Bar|none|9"),
            ("GroupActive_1", "0", "1", "|off|on"), ("ZoneGrouped_0", "1", "0", "Main Bar|on|off"),
            ("GpoState_0", "1", "0", "|on|off"), ("LoudNoise", "1", "0", "|on|off"), ("LoudNoise", "2", "0", "|2|off"),
            ("RecallScene_2", "1", "1", "Late Night|fired|"), ("RecallScene_2", "1", "NULL", "Late Night|fired|"),
            ("RecallScene", "2", "NULL", "Late Night|fired|"), ("PlayMessage_0", "0", "NULL", "|fired|"),
            ("TodaysBellSchedule", "1", "0", "Weekends|Weekends|0"),
            ("FirmwareVersion", "'4.2.0'", "'4.1.16'", "|4.2.0|4.1.16"),
            ("ZoneName_0", "'Terrace'", "'Main Bar'", "Main Bar|Terrace|Main Bar"), ("Weather", "1", "0", "|1|0"),
        ])
    func readable(parameter: String, value: String, previous: String, line: String) throws {
        try change(parameter, value, previous, at: 10)
        #expect(try report(0, 60) == ["A|\(parameter)|\(line)"])
    }

    @Test("only changes of the window and the unit that is asked for, in order; what became known is none")
    func choice() throws {
        try change("ZoneGain_0", "-3", "NULL", at: 1)
        try change("ZoneGain_0", "-6", "-3", at: 10)
        try change("ZoneMute_0", "1", "0", at: 10)
        try change("ZoneGain_0", "-9", "-6", at: 10, of: 2)
        try change("ZoneGain_0", "-3", "-6", at: 120)
        let first = "A|ZoneGain_0|Main Bar|-6 dB|-3 dB"
        #expect(
            try report(0, 60) == [first, "A|ZoneMute_0|Main Bar|on|off", "B|ZoneGain_0||-9 dB|-6 dB"])
        #expect(try report(0, 10) == [])
        #expect(try report(10, 120, "B") == ["B|ZoneGain_0||-9 dB|-6 dB"])
        #expect(try report(120, 121) == ["A|ZoneGain_0|Terrace|-3 dB|-6 dB"])
    }
}
