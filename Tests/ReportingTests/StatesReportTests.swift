import Testing

@testable import RecorderStore
@testable import Reporting

@Suite struct StatesReportTests {
    @Test(
        "the states of a window are those of the view, and with what came before the first they are the window",
        arguments: [(0.0, 14_400.0), (3_590, 3_610), (-600, 20_000), (10_700, 12_700), (14_400, 15_000)])
    func states(since: Double, until: Double) throws {
        let store = try HandMadeStore.mended()
        let question = store.question(since, until)
        let rows = try Report.compiledIn("states").run(on: store.reader(), question)
        let view = try store.rows(
            """
            SELECT processor, link, state, cause, started_us, ended_us FROM link_states
             WHERE started_us < \(question.until) AND coalesce(ended_us, \(question.until)) > \(question.since)
             ORDER BY processor, link, started_us
            """)
        let columns = ["processor", "link", "state", "cause", "started_us", "ended_us"]
        #expect(rows.rows.indices.map { row in columns.map { rows.value(row, $0) } } == view)
        for link in try store.summary(since, until).processors[0].links {
            let strip = StateStrip(
                processor: "Main Bar", link: link.link,
                rows: view.filter { $0[1].plain == link.link }.map {
                    StateStrip.Row(
                        state: $0[2].plain, cause: $0[3].plain, started: Int64($0[4].plain) ?? 0,
                        ended: Int64($0[5].plain))
                }, since: question.since, until: question.until, most: 1_000)
            func length(_ state: String) -> Int64 {
                strip.rows.filter { $0.state == state }.reduce(0) {
                    $0 + min($1.ended ?? question.until, question.until) - max($1.started, question.since)
                }
            }
            #expect([length("up"), length("down"), length("unknown")] == [link.up, link.down, link.unknown])
        }
    }
}
