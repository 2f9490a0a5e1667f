import Testing

@testable import RecorderStore
@testable import Reporting

@Suite struct BalanceTests {
    @Test("the balance counts whole minutes, says what is missing, and not of time when nobody counted")
    func balance() throws {
        let store = try HandMadeStore(["A", "B", "C"])
        let at = HandMadeStore.at
        try store.run(
            """
            INSERT INTO sample_minute (start_us, processor_id, stored, duplicate, datagrams, received) VALUES
              (\(at(0)), 1, 90, 3, 10, 100), (\(at(60)), 1, 50, 0, 5, 50), (\(at(120)), 1, 1, 0, 1, 1),
              (\(at(60)), 2, 40, 0, 4, 41), (\(at(60)), 3, 40, 0, NULL, NULL)
            """)
        try store.run(
            """
            INSERT INTO sample_loss (processor_id, reason, from_us, until_us, datagrams, samples) VALUES
              (1, 'store_refused', \(at(10)), \(at(20)), 0, 7), (1, 'kernel_drop', \(at(30)), \(at(40)), 5, NULL),
              (1, 'parameters_dropped', \(at(30)), \(at(40)), 9, NULL), (NULL, 'kernel_drop', \(at(50)), \(at(50)), 9, NULL),
              (1, 'queue_full', \(at(121)), \(at(121)), 0, 1000)
            """)
        let report = try #require(Report(named: "balance"))
        func lines(_ question: Question) throws -> [String] {
            try report.run(on: store.reader(), question).rows.map { $0.map(\.plain).joined(separator: "|") }
        }
        #expect(
            try lines(store.question(59, 61)) == [
                "A|15|150|140|3|7|0|5", "B|4|41|40|0|0|1|0", "C|0||40|0|0||0",
            ])
        #expect(try lines(store.question(60, 120, "A")) == ["A|5|50|50|0|0|0|0"])
        let view = "SELECT processor, start_us, received, stored + duplicate + lost FROM sample_counts ORDER BY 2, 1"
        let counts = try store.rows(view).map { $0.map(\.plain).joined(separator: "|") }
        #expect(
            counts == [
                "A|\(at(0))|100|100", "A|\(at(60))|50|50", "B|\(at(60))|41|40", "C|\(at(60))||40",
                "A|\(at(120))|1|1001",
            ])
    }

    @Test("what waited when the recorder was killed is not called none")
    func killed() throws {
        let store = try HandMadeStore()
        let at = HandMadeStore.at
        let question = store.question(0, 100)
        func said() throws -> Bool {
            let reader = try store.reader()
            let style = Style(isColoured: false, isUnicode: true)
            return try Summary(reader, question).text(style, Timeline(reader, question)).contains("none lost")
        }
        let before = try said()
        try store.run(
            """
            INSERT INTO sample_loss (reason, from_us, until_us, datagrams) VALUES ('recorder_killed', \(at(50)), \(at(50)), 0)
            """)
        let after = try said()
        #expect(before && !after)
    }
}
