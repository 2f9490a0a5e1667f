import AtlasProtocol
import Testing

@testable import RecorderStore

/// What stands in the record when the clock is set, the host sleeps or the recorder is held up. Times are seconds after
/// `start`.
@Suite struct WallTimelineTests {
    private let folder = TemporaryFolder()
    private static let year: Int64 = 31_557_600

    private func states(_ changes: (Int32) -> [Entry]) async throws -> [String] {
        let recording = try await Recording(folder.store)
        try await recording.commit(changes(recording.id), at: start + hour)
        return try states()
    }

    private func states() throws -> [String] {
        try lines(
            folder.store,
            """
            SELECT state, cause, (started_us - \(start)) / 1000000, (ended_us - \(start)) / 1000000
              FROM link_state WHERE link = 'control' ORDER BY started_us
            """)
    }

    private func passages() throws -> [String] {
        try lines(
            folder.store,
            """
            SELECT run, (from_us - \(start)) / 1000000, (until_us - \(start)) / 1000000 FROM recorder_passage ORDER BY id
            """)
    }

    private func change(_ id: Int32, _ state: LinkState, _ seconds: Int64) -> Entry {
        .change(processor: id, link: .control, state: state, since: start + seconds * second)
    }
    private func clock(_ seconds: Int64, by step: Int64) -> Entry {
        .clockSet(at: start + seconds * second, by: step * second)
    }
    private func paused(_ from: Int64, _ until: Int64, _ cause: Cause) -> Entry {
        .paused(from: start + from * second, until: start + until * second, cause)
    }

    @Test("a clock set forward leaves the skipped time unknown, and the states go on")
    func setForward() async throws {
        let rows = try await states { id in
            [change(id, .up, 10), clock(500, by: 300), change(id, .down(.reset), 600)]
        }
        #expect(
            rows == [
                "unknown|recorder_starting|0|10", "up||10|200", "unknown|clock_step|200|500", "up||500|600",
                "down|reset|600|",
            ])
        #expect(try passages() == ["1|0|200", "1|500|"])
    }

    @Test("of time that is lived twice the second passage counts")
    func setBack() async throws {
        let rows = try await states { id in
            [
                change(id, .up, 10), change(id, .down(.silent), 100), change(id, .up, 120), clock(50, by: -100),
                change(id, .down(.reset), 60), change(id, .up, 130),
            ]
        }
        #expect(rows == ["unknown|recorder_starting|0|10", "up||10|50", "up||50|60", "down|reset|60|130", "up||130|"])
        #expect(try passages() == ["1|0|150", "1|50|"])
    }

    @Test("a clock set back before the first run leaves rows without a hole")
    func setBackFar() async throws {
        let rows = try await states { id in
            [change(id, .up, 10), clock(-50, by: -100), change(id, .down(.reset), -20)]
        }
        #expect(rows == ["up||-50|-20", "down|reset|-20|"])
        #expect(try integer(folder.store, "SELECT started_us <= \(start) FROM recorder_runs") == 1)
    }

    @Test("a clock set back by mistake and then right again costs only the time between")
    func backAndForward() async throws {
        let rows = try await states { id in
            [
                change(id, .up, 10), change(id, .down(.silent), 100), change(id, .up, 120),
                // At 200 the clock falls to 1975; 30 s later it is right again.
                clock(200 - 50 * Self.year, by: -50 * Self.year), clock(230, by: 50 * Self.year),
                change(id, .down(.reset), 300),
            ]
        }
        let fell = 200 - 50 * Self.year
        #expect(
            rows == [
                "up||\(fell)|\(fell + 30)", "unknown|clock_step|\(fell + 30)|10", "up||10|100", "down|silent|100|120",
                "up||120|200", "unknown|clock_step|200|230", "up||230|300", "down|reset|300|",
            ])
        #expect(try passages() == ["1|0|200", "1|\(fell)|\(fell + 30)", "1|230|"])
    }

    @Test("a clock set forward by mistake and then right again: nothing that was known is lost")
    func forwardAndBack() async throws {
        let rows = try await states { id in
            [
                change(id, .up, 10), clock(200 + 50 * Self.year, by: 50 * Self.year),
                change(id, .down(.silent), 205 + 50 * Self.year), clock(210, by: -50 * Self.year),
                change(id, .up, 230),
            ]
        }
        #expect(
            rows == [
                "unknown|recorder_starting|0|10", "up||10|200", "unknown|clock_step|200|210", "down|silent|210|230",
                "up||230|",
            ])
    }

    @Test("a set clock in the middle of an outage cuts its row and ends nothing", arguments: [1, -1, 3_600, -3_600])
    func inOutage(step: Int64) async throws {
        let rows = try await states { id in
            [
                change(id, .up, 10), change(id, .down(.refused), 5_000), clock(6_000 + step, by: step),
                change(id, .up, 7_000 + step),
            ]
        }
        let expected =
            switch step {
            case 1...:
                [
                    "down|refused|5000|6000", "unknown|clock_step|6000|\(6_000 + step)",
                    "down|refused|\(6_000 + step)|\(7_000 + step)",
                ]
            case -3_600:  // the outage's beginning is lived a second time, already down
                ["up||10|2400", "down|refused|2400|\(7_000 + step)"]
            default: ["down|refused|5000|\(6_000 + step)", "down|refused|\(6_000 + step)|\(7_000 + step)"]
            }
        #expect(rows.suffix(expected.count + 1).dropLast() == expected[...])
        #expect(rows.last == "up||\(7_000 + step)|")
    }

    @Test("what is learnt late of the time before a step or a pause corrects that time, and not the gap")
    func lateEvidence() async throws {
        let rows = try await states { id in
            [
                change(id, .up, 10), clock(130, by: 30), paused(140, 150, .recorderStalled),
                change(id, .down(.wedged), 95),
                change(id, .up, 200),
            ]
        }
        #expect(
            rows == [
                "unknown|recorder_starting|0|10", "up||10|95", "down|wedged|95|100", "unknown|clock_step|100|130",
                "down|wedged|130|140", "unknown|recorder_stalled|140|150", "down|wedged|150|200", "up||200|",
            ])
    }

    @Test("late evidence does not reach past another state")
    func lateEvidenceEnds() async throws {
        let rows = try await states { id in
            [
                change(id, .down(.refused), 10), change(id, .up, 50), paused(60, 70, .hostAsleep),
                change(id, .down(.silent), 20),
            ]
        }
        #expect(
            rows == [
                "unknown|recorder_starting|0|10", "down|refused|10|50", "down|silent|50|60",
                "unknown|host_asleep|60|70",
                "down|silent|70|",
            ])
    }

    @Test("what changed while nobody recorded counts from when somebody did again")
    func changeInPause() async throws {
        // The connection's end is read before the look at the clocks that tells of the pause.
        let rows = try await states { id in
            [change(id, .up, 10), change(id, .down(.closed), 99), paused(50, 100, .hostAsleep), change(id, .up, 103)]
        }
        #expect(
            rows == [
                "unknown|recorder_starting|0|10", "up||10|50", "unknown|host_asleep|50|100", "down|closed|100|103",
                "up||103|",
            ])
        #expect(try passages() == ["1|0|50", "1|100|"])
    }

    @Test("a run that begins before the last one ended keeps what that one knew for a clock that is set right")
    func restartWithClockBack() async throws {
        do {
            let recording = try await Recording(folder.store)
            try await recording.commit([change(recording.id, .down(.refused), 100)], at: start + 200 * second)
        }
        await waitUntilFree(folder.store)
        do {
            let again = try await Recording(folder.store, at: start + 50 * second)
            try await again.commit([change(again.id, .up, 51)], at: start + 60 * second)
            #expect(try states() == ["unknown|recorder_starting|0|50", "unknown|recorder_starting|50|51", "up||51|"])
            try await again.writer.finish([], at: start + 70 * second)
        }
        await waitUntilFree(folder.store)
        _ = try await Recording(folder.store, at: start + 300 * second)
        #expect(
            try states() == [
                "unknown|recorder_starting|0|50", "unknown|recorder_starting|50|51", "up||51|70",
                "unknown|recorder_stopped|70|100", "down|refused|100|200", "unknown|recorder_stopped|200|300",
                "unknown|recorder_starting|300|",
            ])
        #expect(try passages() == ["1|0|200", "2|50|70", "3|300|"])
        #expect(try integer(folder.store, "SELECT count(*) FROM link_state_ahead") == 0)
    }

    @Test("whatever happens to the clock, rows neither overlap nor leave a hole", arguments: 1...12)
    func anything(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        var (now, earliest) = (start, start)
        let kinds: [LinkState] = [.up, .down(.refused), .down(.silent), .down(.wedged), .unknown(.recorderStarting)]
        for _ in 0..<4 {
            do {
                let recording = try await Recording(folder.store, [mainBar, patio], at: now)
                for _ in 0..<25 {
                    now += Int64.random(in: 0...20, using: &random) * second
                    var entries: [Entry] = []
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0, 1:
                        let steps = [1, -1, 30, -30, 3_600, -3_600, 50 * Self.year, -50 * Self.year]
                        let step = steps.randomElement(using: &random)! * second
                        now += step
                        entries = [.clockSet(at: now, by: step)]
                    case 2:
                        let from = now
                        now += Int64.random(in: 0...30, using: &random) * second
                        entries = [.paused(from: from, until: now, .hostAsleep)]
                    default:
                        let since = now - Int64.random(in: 0...15, using: &random) * second
                        let unit = recording.processors.randomElement(using: &random)!
                        entries = [
                            .change(
                                processor: unit.id, link: Link.allCases.randomElement(using: &random)!,
                                state: kinds.randomElement(using: &random)!, since: max(since, earliest))
                        ]
                    }
                    earliest = min(earliest, now)
                    try await recording.commit(entries, at: now)
                    try check(now: now)
                }
            }
            await waitUntilFree(folder.store)
            now += Int64.random(in: -100...100, using: &random) * second
            earliest = min(earliest, now)
        }
    }

    private func check(now: Int64) throws {
        let found = try lines(
            folder.store,
            """
            SELECT 'gap or overlap', processor_id, link, ended_us, next_us FROM (
                SELECT *, lead(started_us) OVER (PARTITION BY processor_id, link ORDER BY started_us) AS next_us
                  FROM link_state) WHERE ended_us IS NOT next_us
            UNION ALL
            SELECT 'length', processor_id, link, started_us, ended_us FROM link_state WHERE ended_us < started_us
            UNION ALL
            SELECT 'ahead', processor_id, link, started_us, ended_us FROM link_state WHERE started_us > \(now)
            UNION ALL
            SELECT 'hole at the start', processor_id, link, min(started_us), 0 FROM link_state
             GROUP BY 2, 3 HAVING min(started_us) > (SELECT min(started_us) FROM recorder_run)
            """)
        #expect(found == [])
    }
}
