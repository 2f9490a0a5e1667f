import Testing

@testable import RecorderStore
@testable import Reporting

@Suite struct SummaryTests {
    /// A link's figures in seconds: up, down, unknown, outages, longest.
    private func figures(_ link: Summary.LinkSummary) -> [Double] {
        [
            Double(link.up) / 1e6, Double(link.down) / 1e6, Double(link.unknown) / 1e6, Double(link.outages),
            Double(link.longestOutage) / 1e6,
        ]
    }

    /// 0-10 unknown, 10-100 up, 100-130 down in three rows, 130-200 up, 200-220 down, 220-230 unknown, 230-260 down, 260-300 up.
    private func store() throws -> HandMadeStore {
        let store = try HandMadeStore(ended: 300)
        try store.states([
            ("unknown:recorder_starting", 10), ("up", 90), ("down:refused", 5), ("down:timeout", 20),
            ("down:refused", 5),
            ("up", 70), ("down:reset", 20), ("unknown:clock_step", 10), ("down:silent", 30), ("up", 40),
        ])
        return store
    }

    @Test(
        "a window is up, down and unknown, whatever it cuts",
        arguments: [
            (0.0, 300.0, [200.0, 80, 20, 3, 30]),  // all of it
            (-500, -100, [0, 0, 400, 0, 0]),  // before the first run
            (-100, 15, [5, 0, 110, 0, 0]),
            (104, 126, [0, 22, 0, 1, 22]),  // wholly in an outage
            (105, 125, [0, 20, 0, 1, 20]),  // exactly one of its rows
            (90, 102.5, [10, 2.5, 0, 1, 2.5]),
            (128.25, 140, [10, 1.75, 0, 1, 1.75]),
            (130, 200, [70, 0, 0, 0, 0]),  // between two outages, to the microsecond
            (129.999_999, 200.000_001, [70, 0.000_002, 0, 2, 0.000_001]),
            (222, 228, [0, 0, 6, 0, 0]),
            (210, 240, [0, 20, 10, 2, 10]),
            (290, 400, [10, 0, 100, 0, 0]),  // over the recording's end
            (1_000, 2_000, [0, 0, 1_000, 0, 0]),
        ])
    func window(since: Double, until: Double, wanted: [Double]) throws {
        let store = try store()
        let summary = try store.summary(since, until)
        #expect(figures(summary.link()) == wanted)
        #expect(figures(summary.link("meters")) == [0, 0, until - since, 0, 0])
        #expect(Int64(summary.outages.count) == summary.link().outages)
        #expect(summary.outages.map(\.seconds).reduce(0, +) == wanted[1])
    }

    @Test("the state at the window's end says since when, and why")
    func stateAtEnd() throws {
        let store = try store()
        func state(_ until: Double) throws -> String {
            let link = try store.summary(-10, until).link()
            let since = link.stateSince.map { "\(Double($0 - HandMadeStore.begin) / 1e6)" } ?? "-"
            return "\(link.state) \(link.cause ?? "-") \(since)"
        }
        #expect(try state(-1) == "unknown not_recorded -")
        #expect(try state(5) == "unknown recorder_starting 0.0")
        #expect(try state(50) == "up - 10.0")
        #expect(try state(100) == "up - 10.0")
        #expect(try state(110) == "down timeout 100.0")  // the outage's start, not the row's
        #expect(try state(225) == "unknown clock_step 220.0")
        #expect(try state(240) == "down silent 230.0")
        #expect(try state(300) == "up - 260.0")
        #expect(try state(301) == "unknown recorder_stopped 300.0")
    }

    @Test("uptime counts up and down only, is nothing where both are 0, and 100 only without any time down")
    func uptime() throws {
        let store = try store()
        #expect(try store.summary(10, 100).link().uptimePercent == 100)
        #expect(try store.summary(-500, 5).link().uptimePercent == nil)
        #expect(try store.summary(105, 110).link().uptimePercent == 0)
        #expect(try store.summary(0, 400).link().uptimePercent == 200.0 * 100 / 280)
        let long = try HandMadeStore(ended: 900_000)
        try long.states([("up", 800_000), ("down:reset", 0.000_001), ("up", 99_999.999_999)])
        #expect(try long.summary(0, 900_000).link().uptimePercent.map { $0 < 100 } == true)
    }

    @Test("outages are contiguous time down: all causes in order of time, the one that lasted longest first named")
    func outages() throws {
        let store = try store()
        let outages = try store.summary(110, 240).outages
        #expect(outages.map(\.cause) == ["timeout", "reset", "silent"])
        #expect(outages.map(\.causes) == [["refused", "timeout"], ["reset"], ["silent"]])
        #expect(outages.map { $0.started - HandMadeStore.begin } == [100_000_000, 200_000_000, 230_000_000])
        #expect(outages.map { ($0.ended ?? 0) - HandMadeStore.begin } == [130_000_000, 220_000_000, 260_000_000])
        #expect(outages.map(\.seconds) == [20, 20, 10])
    }

    @Test("causes are in order of time, not of the alphabet, and the longest is by the sum of its rows")
    func causes() throws {
        let store = try HandMadeStore()
        try store.states([
            ("down:wedged", 3), ("down:closed", 4), ("down:timeout", 1), ("down:wedged", 2), ("down:refused", 1),
            ("up", 1),
        ])
        let outage = try #require(try store.summary(0, 100).outages.first)
        #expect(outage.causes == ["wedged", "closed", "timeout", "refused"] && outage.cause == "wedged")
    }

    @Test("an outage that lasts has no end, and one that a crash cut ends with the recording")
    func openOutage() throws {
        let lasting = try HandMadeStore(ended: nil)
        try lasting.states([("up", 10), ("down:timeout", 5), ("down:refused", nil)])
        let open = try lasting.summary(0, 100)
        #expect(open.outages.map(\.ended) == [nil] && open.outages.map(\.seconds) == [90])
        #expect(figures(open.link()) == [10, 90, 0, 1, 90])
        #expect(open.outages.map(\.cause) == ["refused"])
        let crashed = try HandMadeStore(ended: 50)
        try crashed.states([("up", 10), ("down:timeout", nil)])
        let cut = try crashed.summary(0, 100)
        #expect(cut.outages.map { $0.ended.map { $0 - HandMadeStore.begin } } == [50_000_000])
        #expect(figures(cut.link()) == [10, 40, 50, 1, 40])
    }

    @Test("each unit and link has its own figures, and a question for one unit tells of that one only")
    func units() throws {
        let store = try HandMadeStore(["Patio", "Main Bar"], ended: 100)
        try store.states([("up", 100)], processor: 1)
        try store.states([("down:refused", 100)], processor: 2)
        try store.states([("down:control_down", 60), ("up", 40)], link: "meters", processor: 2)
        let all = try store.summary(0, 100)
        #expect(all.processors.map(\.processor) == ["Main Bar", "Patio"])
        #expect(all.processors.allSatisfy { $0.links.map(\.link) == ["control", "meters"] })
        #expect(
            all.outages.map { "\($0.processor) \($0.link) \($0.cause)" } == [
                "Main Bar control refused", "Main Bar meters control_down",
            ])
        let one = try store.summary(0, 100, processor: "Patio")
        #expect(one.processors.map(\.processor) == ["Patio"] && one.outages.isEmpty)
    }

    @Test("what was recorded is the time of the runs, counted once where the clock was set back over it")
    func recorded() throws {
        let store = try HandMadeStore(ended: 100)
        try store.addRun(60, 80)
        try store.addRun(70, 150)
        try store.addRun(200, 210)
        #expect(try store.summary(-50, 500).recorded == 160_000_000)
        #expect(try store.summary(75, 205).recorded == 80_000_000)
        #expect(try store.summary(150, 200).recorded == 0)
        #expect(try HandMadeStore(ended: nil).summary(-5, 60).recorded == 60_000_000)
    }

    @Test("of one processor only the runs that named it are recorded, and before its first row nothing is")
    func recordedOfOne() throws {
        let store = try HandMadeStore(["A", "B"], ended: 100)
        try store.addRun(200, 300)
        let rows: [(String, Double?)] = [("up", 100), ("unknown:recorder_stopped", 100), ("up", 100)]
        try store.states(rows, processor: 1)
        try store.states(Array(rows.prefix(2)) + [("unknown:not_recorded", 100)], processor: 2)
        #expect(try store.summary(0, 300).recorded == 200_000_000)
        #expect(try store.summary(0, 300, processor: "A").recorded == 200_000_000)
        #expect(try store.summary(0, 300, processor: "B").recorded == 100_000_000)
        #expect(try store.summary(210, 300, processor: "B").verdict(on: [.any], causes: []) == .couldNotTell)
        // One that a reload added, and took out again, while the others were recorded.
        let reloaded = try HandMadeStore(["A", "B"], ended: 300)
        try reloaded.states([("up", 300)], processor: 1)
        try reloaded.states([("up", 50), ("unknown:not_recorded", 50), ("down:silent", 100)], from: 100, processor: 2)
        let windows: [(Double, Double, Int64)] = [
            (0, 300, 150), (0, 100, 0), (120, 180, 30), (160, 190, 0), (160, 400, 100),
        ]
        for (since, until, seconds) in windows {
            #expect(try reloaded.summary(since, until, processor: "B").recorded == seconds * 1_000_000)
        }
        let early = try Summary.causes(store.reader(), store.question(-10, 50))
        let within = try Summary.causes(store.reader(), store.question(10, 50))
        #expect(early == ["not_recorded"] && within == [])
    }

    @Test("a row without length is no cause, and a mistyped errno no question")
    func found() throws {
        let store = try HandMadeStore()
        try store.states([("up", 50), ("down:wedged", 0)])
        let causes = try Summary.causes(store.reader(), store.question(0, 100))
        #expect(!causes.contains("wedged"))
        for name in ["EADDRINUSED", "E", "EFOO", "eaddrinuse", "EAI_"] {
            #expect(throws: FailCondition.Failure.self, "\(name)") { _ = try FailCondition(argument: name) }
        }
        for name in ["EADDRINUSE", "EAI_NONAME", "E42", "EBADMSG", "EOF", "wedged"] {
            #expect(throws: Never.self, "\(name)") { _ = try FailCondition(argument: name) }
        }
    }

    @Test("up + down + unknown is the window, and the outages' lengths are the time down", arguments: 1...20)
    func sums(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let store = try HandMadeStore(ended: seed % 2 == 0 ? nil : 5_000)
        let states = ["up", "up", "down:refused", "down:timeout", "down:reset", "unknown:clock_step"]
        var rows: [(String, Double?)] = []
        for _ in 0..<60 {
            rows.append(
                (
                    states.randomElement(using: &generator)!,
                    Double(Int.random(in: 1...80_000_000, using: &generator)) / 1e6
                ))
        }
        rows.append(("down:silent", nil))
        try store.states(rows)
        for _ in 0..<15 {
            let since = Double(Int.random(in: -500_000_000...4_000_000_000, using: &generator)) / 1e6
            let until = since + Double(Int.random(in: 1...3_000_000_000, using: &generator)) / 1e6
            let summary = try store.summary(since, until)
            let link = summary.link()
            let place: Comment = "seed \(seed), \(since)..<\(until)"
            #expect(link.up + link.down + link.unknown == summary.window, place)
            #expect(link.up >= 0 && link.down >= 0 && link.unknown >= 0, place)
            #expect(Int64(summary.outages.count) == link.outages, place)
            let latest = try Summary(store.reader(), store.question(since, until), latestOutages: 3)
            #expect(latest.outages == Array(summary.outages.suffix(3)), place)
            let lengths = summary.outages.map { Int64(($0.seconds * 1e6).rounded()) }
            #expect(lengths.reduce(0, +) == link.down && lengths.max() ?? 0 == link.longestOutage, place)
            // The view, row by row, says the same.
            let (from, to) = (HandMadeStore.at(since), HandMadeStore.at(until))
            let view = try store.rows(
                """
                SELECT coalesce(sum(min(coalesce(ended_us, \(to)), \(to)) - max(started_us, \(from))), 0) FROM link_states
                 WHERE started_us < \(to) AND coalesce(ended_us, \(to)) > \(from) AND state = 'down'
                """)
            #expect(view == [[.integer(link.down)]], place)
        }
    }

    @Test(
        "the samples of a window are those that a direct count finds, whatever hours and minutes it cuts",
        arguments: 1...10)
    func samples(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let store = try HandMadeStore(["A", "B"])
        try store.run(
            "INSERT INTO meter VALUES (1, 1, 1, 'ZoneMeter_0'), (2, 1, 2, 'ZoneMeter_1'), (3, 2, 1, 'ZoneMeter_0')")
        var used: Set<Int64> = []
        for _ in 0..<400 {
            let at = HandMadeStore.at(Double(Int.random(in: 0...12_000_000, using: &generator)) / 1e3)
            guard used.insert(at).inserted else { continue }
            let processor = Int.random(in: 1...2, using: &generator)
            var count = 1
            if processor == 2 || Bool.random(using: &generator) {
                try store.run("INSERT INTO sample VALUES (\(at), \(processor == 1 ? 2 : 3), -10)")
            } else {
                count = Int.random(in: 1...2, using: &generator)
                try store.run("INSERT INTO frame VALUES (\(at), 1, char(\(count == 2 ? "800, 801" : "1, 801")), NULL)")
            }
            try store.run(
                """
                INSERT INTO sample_minute (start_us, processor_id, stored, duplicate) VALUES (\(at / 60_000_000 * 60_000_000), \(processor), \(count), 0)
                ON CONFLICT DO UPDATE SET stored = stored + excluded.stored
                """)
        }
        for _ in 0..<20 {
            let since = Double(Int.random(in: -60_000...12_000_000, using: &generator)) / 1e3
            let longest = [60_000, 400_000, 8_000_000].randomElement(using: &generator)!
            // A third of the lengths is a whole minute or hour, a third of the windows begins with one: begin is 16:30.
            let whole: Double? = [60, 3_600, nil].randomElement(using: &generator)!
            let isEven = Int.random(in: 0..<3, using: &generator) == 0
            let from = isEven ? (since / 1_800).rounded(.down) * 1_800 : since
            let until = from + (whole ?? Double(Int.random(in: 1...longest, using: &generator)) / 1e3)
            let summary = try store.summary(from, until)
            for (index, name) in ["A", "B"].enumerated() {
                let direct = try store.rows(
                    """
                    SELECT count(*) FROM meter_samples WHERE processor = '\(name)'
                       AND at_us >= \(HandMadeStore.at(from)) AND at_us < \(HandMadeStore.at(until))
                    """)
                #expect(
                    direct == [[.integer(summary.processors[index].samples)]],
                    "\(name), seed \(seed), \(from)..<\(until)")
            }
        }
    }

    @Test("losses that touch the window are told, with how many samples where that could be counted")
    func losses() throws {
        let store = try HandMadeStore(["A", "B"])
        let at = HandMadeStore.at
        try store.run(
            """
            INSERT INTO sample_loss (processor_id, reason, from_us, until_us, datagrams, samples) VALUES
              (1, 'queue_full', \(at(10)), \(at(20)), 2, 76), (1, 'kernel_drop', \(at(30)), \(at(40)), 5, NULL),
              (2, 'queue_full', \(at(15)), \(at(15)), 1, 38), (NULL, 'kernel_drop', \(at(50)), \(at(50)), 9, NULL)
            """)
        let all = try store.summary(0, 100)
        #expect(all.losses.map(\.datagrams) == [2, 1, 5, 9] && all.losses.map(\.samples) == [76, 38, nil, nil])
        #expect(all.processors.map(\.samplesLost) == [76, 38])
        // Its last loss was at 20; the one before it is not in the window.
        #expect(try store.summary(20, 30).losses.map(\.datagrams) == [1])
        #expect(try store.summary(20.000_001, 30).losses.isEmpty)
        #expect(try store.summary(0, 100, processor: "B").losses.map(\.datagrams) == [1, 9])
    }
}
