import Testing

@testable import RecorderStore
@testable import Reporting

/// The report `hours`, one row for each hour of the day.
private struct Hours {
    let table: Table

    init(_ store: HandMadeStore, since: Int64, until: Int64, processor: String? = nil) throws {
        let question = Question(since: since, until: until, processor: processor, now: until)
        table = try #require(Report(named: "hours")).run(on: store.reader(), question)
        #expect(table.rows.map { $0[0].plain } == (0..<24).map { ($0 < 10 ? "0" : "") + "\($0):00" })
    }

    func seconds(_ column: String) -> [Double] {
        table.rows.indices.map { row in
            switch table.value(row, column) {
            case .real(let value): value
            case .integer(let value): Double(value)
            case .null, .text: -1
            }
        }
    }
    func total(_ column: String) -> Double { seconds(column).reduce(0, +) }
    func text(_ column: String, _ hour: Int) -> String { table.value(hour, column).plain }

    /// Hours of the day where a column is not 0.
    func hours(of column: String) -> [Int: Double] {
        Dictionary(uniqueKeysWithValues: seconds(column).enumerated().filter { $0.element != 0 }.map { ($0, $1) })
    }
}

extension TimeSuite {
    @Suite struct HourReportTests {
        /// 2025-10-21 16:30 UTC.
        private let begin = HandMadeStore.begin
        private func hours(_ store: HandMadeStore, _ since: Double, _ until: Double, _ processor: String? = nil) throws
            -> Hours
        {
            try Hours(store, since: HandMadeStore.at(since), until: HandMadeStore.at(until), processor: processor)
        }

        // MARK: local hours

        @Test(
            "a day on which the clocks change has the hours that it had",
            arguments: [
                ("America/Chicago", "2025-03-09T00:00:00-06:00", "2025-03-10T00:00:00-05:00", [2: 0.0]),
                ("America/Chicago", "2025-11-02T00:00:00-05:00", "2025-11-03T00:00:00-06:00", [1: 7_200]),
                ("Europe/Berlin", "2025-03-30T00:00:00+01:00", "2025-03-31T00:00:00+02:00", [2: 0]),
                ("Europe/Berlin", "2025-10-26T00:00:00+02:00", "2025-10-27T00:00:00+01:00", [2: 7_200]),
                // By half an hour; at midnight; at one minute past midnight.
                ("Australia/Lord_Howe", "2025-10-05T00:00:00+10:30", "2025-10-06T00:00:00+11:00", [2: 1_800]),
                ("Australia/Lord_Howe", "2025-04-06T00:00:00+11:00", "2025-04-07T00:00:00+10:30", [1: 5_400]),
                ("America/Havana", "2025-03-09T00:00:00-05:00", "2025-03-10T00:00:00-04:00", [0: 0]),
                ("America/Havana", "2025-11-02T00:00:00-04:00", "2025-11-03T00:00:00-05:00", [0: 7_200]),
                ("America/St_Johns", "2008-03-09T00:00:00-03:30", "2008-03-10T00:00:00-02:30", [0: 60, 1: 3_540]),
                ("America/St_Johns", "2008-11-02T00:00:00-02:30", "2008-11-03T00:00:00-03:30", [0: 3_660, 23: 7_140]),
                ("Asia/Kolkata", "2025-10-21T00:00:00+05:30", "2025-10-22T00:00:00+05:30", [:]),
                ("Asia/Kathmandu", "2025-10-21T00:00:00+05:45", "2025-10-22T00:00:00+05:45", [:]),
                ("UTC", "2025-10-21T23:59:30.25+00:00", "2025-10-22T23:59:59.75+00:00", [23: 3_629.5]),
            ] as [(String, String, String, [Int: Double])])
        func summerTime(zone: String, since: String, until: String, unusual: [Int: Double]) throws {
            let (since, until) = (try instant(since), try instant(until))
            let store = try HandMadeStore()
            let found = try inZone(zone) { try Hours(store, since: since, until: until) }
            #expect(found.seconds("seconds") == (0..<24).map { unusual[$0] ?? 3_600 })
        }

        @Test("faults of the hour that comes twice are told together, of the one that is skipped there are none")
        func faultsInSummerTime() throws {
            let store = try HandMadeStore(ended: 86_400 * 30)
            // 2025-11-02 01:30, both times it was half past one in Chicago.
            let first = try instant("2025-11-02T01:30:00-05:00")
            for at in [first, first + 3_600_000_000] {
                let (from, until) = (at, at + 10_000_000)
                try store.run(
                    "INSERT INTO link_state VALUES (1, 'control', \(from), \(until), 'down', 'refused'), (1, 'control', \(until), \(from + 3_600_000_000), 'up', NULL)"
                )
                try store.run(
                    "INSERT INTO socket_error (processor_id, socket, operation, code, first_us, last_us, count) VALUES (1, 'tcp', 'connect', 'ECONNREFUSED', \(from), \(until), 3)"
                )
                try store.run(
                    "INSERT INTO socket_error_minute SELECT \(from), max(id), 3 FROM socket_error")
            }
            let (since, until) = (try instant("2025-11-02T00:00:00-05:00"), try instant("2025-11-03T00:00:00-06:00"))
            try inZone("America/Chicago") {
                let found = try Hours(store, since: since, until: until)
                #expect(found.hours(of: "control_down") == [1: 20])
                #expect(found.hours(of: "control_outages") == [1: 2])
                #expect(found.hours(of: "errors") == [1: 6])
                #expect(found.hours(of: "control_up") == [1: 5_380, 2: 1_800])
                #expect(found.text("down_by_cause", 1) == "refused 20.0 s")
            }
        }

        // MARK: links

        @Test("an outage begins in one hour and lasts through others; its causes are there with their times")
        func outages() throws {
            let store = try HandMadeStore(ended: 20_000)
            try store.states([("up", 1_790), ("down:closed", 4), ("down:refused", 7_206), ("up", 11_000)])
            try store.states(
                [("up", 1_790), ("down:control_down", 7_210), ("down:EADDRINUSE", 30), ("up", 10_970)], link: "meters")
            try inZone("UTC") {
                let found = try hours(store, 0, 20_000)
                #expect(found.hours(of: "control_outages") == [16: 1])
                #expect(found.hours(of: "meters_outages") == [16: 1])
                #expect(found.hours(of: "control_down") == [16: 10, 17: 3_600, 18: 3_600])
                #expect(found.hours(of: "meters_down") == [16: 10, 17: 3_600, 18: 3_600, 19: 30])
                #expect(found.text("down_by_cause", 16) == "refused 6.0 s, closed 4.0 s")
                #expect(found.text("down_by_cause", 19) == "EADDRINUSE 30.0 s")
                // An outage that began before the window is not begun in it.
                #expect(try hours(store, 1_792, 20_000).total("control_outages") == 0)
                #expect(try hours(store, 1_790, 20_000).total("control_outages") == 1)
                #expect(try hours(store, 0, 1_790).total("control_outages") == 0)
            }
        }

        @Test("time without a recorder is neither up nor down nor recorded, and runs that overlap count once")
        func unrecorded() throws {
            let store = try HandMadeStore(ended: 1_000)
            try store.addRun(3_000, 5_400)
            try store.addRun(4_000, 6_000)
            try store.states([("up", 1_000), ("unknown:recorder_stopped", 2_000), ("up", 3_000)])
            try inZone("UTC") {
                let found = try hours(store, -600, 9_000)
                #expect(found.hours(of: "seconds") == [16: 2_400, 17: 3_600, 18: 3_600])
                #expect(found.hours(of: "recorded") == [16: 1_000, 17: 2_400, 18: 600])
                #expect(found.hours(of: "control_up") == [16: 1_000, 17: 2_400, 18: 600])
                #expect(found.total("control_down") == 0 && found.total("meters_up") == 0)
            }
        }

        @Test("errors are counted by code, EADDRINUSE in a column of its own, losses by what could be counted")
        func errorsAndLosses() throws {
            let store = try HandMadeStore(["A", "B"])
            for (processor, code, minute, count) in [
                ("NULL", "EADDRINUSE", 5, 30), ("1", "ECONNREFUSED", 5, 2), ("2", "ETIMEDOUT", 40, 7),
                ("1", "EADDRINUSE", 45, 1),
            ] {
                let at = HandMadeStore.at(Double(minute * 60))
                try store.run(
                    """
                    INSERT INTO socket_error (processor_id, socket, operation, code, first_us, last_us, count)
                    VALUES (\(processor), 'udp', 'bind', '\(code)', \(at + 10_000_000), \(at + 50_000_000), \(count))
                    """)
                try store.run("INSERT INTO socket_error_minute SELECT \(at), max(id), \(count) FROM socket_error")
            }
            for (processor, at, samples) in [
                ("1", 100.0, "NULL"), ("1", 200, "38"), ("2", 2_000, "5"), ("NULL", 2_000, "NULL"),
            ] {
                try store.run(
                    """
                    INSERT INTO sample_loss (processor_id, reason, from_us, until_us, datagrams, samples)
                    VALUES (\(processor), 'kernel_drop', \(HandMadeStore.at(at)), \(HandMadeStore.at(at + 20)), 9, \(samples))
                    """)
            }
            try inZone("UTC") {
                let all = try hours(store, 0, 3_600)
                #expect(all.hours(of: "errors") == [16: 32, 17: 8])
                #expect(all.hours(of: "EADDRINUSE") == [16: 30, 17: 1])
                #expect(all.text("errors_by_code", 16) == "EADDRINUSE 30, ECONNREFUSED 2")
                #expect(all.text("errors_by_code", 17) == "ETIMEDOUT 7, EADDRINUSE 1")
                #expect(all.hours(of: "samples_lost") == [16: 38, 17: 5])
                #expect(all.hours(of: "datagrams_lost") == [16: 9, 17: 9])
                let one = try hours(store, 0, 3_600, "A")
                #expect(one.hours(of: "errors") == [16: 32, 17: 1])
                #expect(one.hours(of: "samples_lost") == [16: 38] && one.hours(of: "datagrams_lost") == [16: 9, 17: 9])
                // What touches the window counts whole; what is over before it does not.
                #expect(try hours(store, 345, 3_600).total("errors") == 40)
                #expect(try hours(store, 355, 3_600).total("errors") == 8)
                #expect(try hours(store, 110, 130).total("datagrams_lost") == 9)
                #expect(try hours(store, 121, 130).total("datagrams_lost") == 0)
                #expect(try hours(store, 90, 101).total("datagrams_lost") == 9)
            }
        }

        @Test(
            "all hours together are what the summary says, for any window", arguments: 1...8 as ClosedRange<UInt64>)
        func sums(seed: UInt64) throws {
            var random = SeededGenerator(seed: seed)
            let store = try HandMadeStore(ended: seed.isMultiple(of: 3) ? nil : 90_000)
            let states = ["up", "up", "down:refused", "down:timeout", "down:control_down", "unknown:recorder_starting"]
            for link in ["control", "meters"] {
                var rows: [(String, Double?)] = []
                var length = 0.0
                while length < 80_000 {
                    rows.append(
                        (states.randomElement(using: &random)!, Double(Int.random(in: 1...9_000, using: &random))))
                    length += rows.last!.1!
                }
                rows[rows.count - 1].1 = nil
                try store.states(rows, link: link)
            }
            let zone = ["UTC", "America/Chicago", "Asia/Kolkata", "Australia/Lord_Howe"].randomElement(using: &random)!
            for _ in 0..<5 {
                let since = Double(Int.random(in: -5_000...70_000, using: &random)) + 0.123_457
                let until = since + Double(Int.random(in: 1...70_000, using: &random)) + 0.000_001
                let summary = try store.summary(since, until)
                let found = try inZone(zone) { try hours(store, since, until) }
                func microseconds(_ column: String) -> Int64 { Int64((found.total(column) * 1e6).rounded()) }
                for (name, link) in [("control", summary.link()), ("meters", summary.link("meters"))] {
                    #expect(microseconds("\(name)_up") == link.up, "seed \(seed)")
                    #expect(microseconds("\(name)_down") == link.down, "seed \(seed)")
                }
                #expect(microseconds("seconds") == HandMadeStore.at(until) - HandMadeStore.at(since), "seed \(seed)")
                #expect(microseconds("recorded") == summary.recorded, "seed \(seed)")
            }
        }

        @Test("a window that ends in an empty store, or before it began, has its seconds and nothing else")
        func empty() throws {
            let store = try HandMadeStore([])
            try inZone("UTC") {
                let found = try hours(store, -7_200, -1)
                #expect(found.total("seconds") == 7_199 && found.total("recorded") == 0)
                #expect(found.total("errors") == 0 && found.total("control_up") == 0)
            }
        }

        @Test("a year's link rows are found by the primary key, its minutes by theirs")
        func plan() throws {
            let store = try HandMadeStore()
            let sql = try #require(Report(named: "hours")).sql
            let plan = try store.reader().query(
                "EXPLAIN QUERY PLAN \(sql)", [":since_us": .integer(0), ":until_us": .integer(1), ":processor": .null]
            ).rows.map { $0[3].plain }
            for step in [
                "SEARCH s USING PRIMARY KEY (processor_id=? AND link=? AND started_us>? AND started_us<?)",
                "SEARCH m USING PRIMARY KEY (start_us>? AND start_us<?)",
                "SEARCH l USING INDEX sample_loss_until (until_us>? AND until_us<?)",
            ] {
                #expect(plan.contains(step), "\(plan)")
            }
        }
    }
}
