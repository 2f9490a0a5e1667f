import Testing

@testable import RecorderStore
@testable import Reporting

/// What a report says of time of which something was removed.
struct RetentionReportTests {
    private let store: HandMadeStore

    init() throws {
        store = try HandMadeStore()
        try store.states([("up", nil)])
        try store.states([("up", nil)], link: "meters")
    }

    private func cut(_ kind: String, at seconds: Double, reason: String = "age") throws {
        try store.run(
            """
            INSERT INTO retained (kind, before_us, removed, reason, at_us)
            VALUES ('\(kind)', \(HandMadeStore.at(seconds)), 1234, '\(reason)', \(HandMadeStore.at(9_000)))
            """)
    }

    @Test(
        "a window that begins before the cut says so, one after it does not",
        arguments: [(999.0, true), (1_000, false)])
    func window(since: Double, isTold: Bool) throws {
        try cut("samples", at: 1_000)
        let summary = try store.summary(since, 5_000)
        #expect(summary.removed.map(\.kind) == (isTold ? [.samples] : []))
        let page = summary.text(
            Style(isColoured: false, isUnicode: false), try Timeline(store.reader(), summary.question))
        #expect(page.contains("Removed     samples before ") == isTold)
        #expect(page.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(summary.json().contains("\"kind\": \"samples\"") == isTold)
    }

    @Test(
        "the words say what is left", arguments: [("samples", "minutes and hours are left"), ("events", "not known")])
    func words(kind: String, says: String) throws {
        try cut(kind, at: 1_000)
        #expect(try store.summary(0, 5_000).removed.first?.words.contains(says) == true)
    }

    @Test("before the cut of events nothing counts as recorded: --fail-on cannot tell")
    func failOn() throws {
        try cut("events", at: 1_000)
        try store.run("UPDATE recorder_passage SET from_us = \(HandMadeStore.at(1_000))")
        let condition = FailCondition.code("EADDRINUSE")
        #expect(try store.summary(0, 900).verdict(on: [condition], causes: []) == .couldNotTell)
        #expect(
            try store.summary(400, 5_000).verdict(on: [condition], causes: []) == .notFound(unrecorded: 600_000_000))
        #expect(try store.summary(1_000, 5_000).verdict(on: [condition], causes: []) == .notFound(unrecorded: 0))
    }

    @Test(
        "of a minute whose samples are gone the summary counts what lies in the window, both sides of a split together all"
    )
    func samplesOfACutMinute() throws {
        try cut("samples", at: 6_000)
        for minute in 0..<60 {
            try store.run(
                "INSERT INTO sample_minute VALUES (\(HandMadeStore.at(Double(minute) * 60)), 1, 601, 0, 601, 601)")
        }
        func samples(_ since: Double, _ until: Double) throws -> Int64 {
            try store.summary(since, until).processors[0].samples
        }
        #expect(try samples(0, 3_600) == 36_060)
        for split in [0.000_001, 1, 59.9, 60, 61, 1_799.5, 3_599.999] {
            #expect(try samples(0, split) + samples(split, 3_600) == 36_060, "\(split)")
            #expect(try abs(samples(0, split) - Int64(split * 601 / 60)) <= 1, "\(split)")
        }
        #expect(try samples(70, 100) == 300)
    }

    @Test("report store: the kinds and what is free are the file, and the limit is reached in so many days")
    func storeReport() throws {
        for hour in 0..<48 {
            try store.run(
                "INSERT INTO sample_hour VALUES (\(HandMadeStore.at(Double(hour) * 3_600) / 3_600_000_000 * 3_600_000_000), 1, 100000)"
            )
        }
        try store.run(
            "INSERT INTO event (at_us, event) SELECT \(HandMadeStore.at(10)), 'connected' FROM pragma_function_list LIMIT 100"
        )
        try store.run("UPDATE recorder_run SET max_bytes = 1000000000")
        let question = store.question(0, 172_800)
        let table = try Report.compiledIn("store").run(on: store.reader(), question)
        func value(_ kind: String, _ column: String) -> SQLValue {
            table.rows.indices.first { table.value($0, "kind") == .text(kind) }.map { table.value($0, column) } ?? .null
        }
        #expect(table.rows.count == 6)
        #expect(value("samples", "count") == .integer(4_800_000))
        #expect(value("samples", "a_day") == .integer(2_400_000))
        #expect(value("events", "count") == .integer(100 + 2 + 1 + 48))
        func bytes(_ kind: String) -> Int64 { if case .integer(let bytes) = value(kind, "bytes") { bytes } else { 0 } }
        let sum = ["samples", "minutes", "events", "free", "log"].reduce(0) { $0 + bytes($1) }
        #expect(abs(sum - bytes("store")) <= 3)
        #expect(value("store", "limit_bytes") == .integer(1_000_000_000))
        guard case .real(let days) = value("store", "days_to_limit"),
            case .integer(let growth) = value("store", "bytes_a_day")
        else {
            Issue.record("no forecast: \(table)")
            return
        }
        #expect(abs(days - Double(1_000_000_000 - bytes("store")) / Double(growth)) < 0.06 * days)
    }
}
