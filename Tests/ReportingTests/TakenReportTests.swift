import Testing

@testable import RecorderStore
@testable import Reporting

/// Who took the meters, and how often.
@Suite struct TakenReportTests {
    private func takes(_ store: HandMadeStore, _ takes: [(at: Double, by: String)], processor: Int = 1) throws {
        for take in takes {
            try store.run(
                """
                INSERT INTO event (at_us, processor_id, link, event, cause, detail)
                VALUES (\(HandMadeStore.at(take.at)), \(processor), 'meters', 'taken', 'taken', '\(take.by)')
                """)
        }
    }

    @Test("programs are told apart by name, the latest first, each with its times and the time it cost")
    func whoAndHowOften() throws {
        let store = try HandMadeStore()
        try store.states(
            [("up", 10), ("down:taken", 10), ("up", 50), ("down:taken", 3), ("up", 7), ("down:taken", 1), ("up", nil)],
            link: "meters")
        try takes(
            store,
            [
                (10, "node (pid 2211)"), (70, "node (pid 2300); not taken back before 16:31:10"),
                (80.5, "python3 (pid 7)"),
            ])
        let thieves = try store.summary(0, 100).thieves
        #expect(thieves.map(\.program) == ["python3", "node"])
        #expect(thieves.map(\.times) == [1, 2])
        #expect(thieves.map(\.lastBy) == ["python3 (pid 7)", "node (pid 2300)"])
        #expect(thieves.map(\.seconds) == [1, 13])
        #expect(thieves.map(\.first) == [HandMadeStore.at(80.5), HandMadeStore.at(10)])
        #expect(thieves.map(\.last) == [HandMadeStore.at(80.5), HandMadeStore.at(70)])
        #expect(try store.summary(75, 100).thieves.map(\.program) == ["python3"])
        #expect(try store.summary(0, 72).thieves.map(\.seconds) == [12])
        #expect(try store.summary(0, 9).thieves.isEmpty)
    }

    @Test("who took it together is told as it was, and each unit has its own rows")
    func together() throws {
        let store = try HandMadeStore(["A", "B"])
        try takes(store, [(10, "node (pid 1), python3 (pid 2)"), (12, "uid 1000")])
        try takes(store, [(11, "node (pid 1)")], processor: 2)
        let thieves = try store.summary(0, 100).thieves
        #expect(thieves.map(\.program) == ["uid 1000", "node", "node (pid 1), python3 (pid 2)"])
        #expect(try store.summary(0, 100, processor: "B").thieves.map(\.processor) == ["B"])
    }

    @Test("the page of text says so, and says nothing where nobody did")
    func page() throws {
        let store = try HandMadeStore()
        #expect(try store.summary(0, 60).takenText(.plain) == nil)
        try takes(store, [(1, "node (pid 2211)"), (2, "node (pid 2211)")])
        let line = try #require(try store.summary(0, 60).takenText(.plain))
        #expect(line.hasPrefix("2 times, last ") && line.hasSuffix("by node (pid 2211)"), "\(line)")
    }

    @Test("a year's events are not searched for it")
    func usesItsIndex() throws {
        let store = try HandMadeStore()
        let report = try #require(Report(named: "taken"))
        var parameters = store.question(0, 60).parameters
        parameters = parameters.filter { report.sql.contains($0.key) }
        let plan = try store.reader().query("EXPLAIN QUERY PLAN " + report.sql, parameters).rows.map { "\($0)" }
        #expect(plan.contains { $0.contains("event_taken") }, "\(plan)")
    }
}
