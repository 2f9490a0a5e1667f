import Testing

@testable import Reporting

@Suite struct StateStripTests {
    private static let second: Int64 = 1_000_000
    private static let day: Int64 = 86_400 * second

    /// Rows that follow one another: `up`, or `down:cause`, and how many seconds.
    private func strip(_ rows: [(String, Double)], most: Int = 300, from: Int64 = 0, since: Int64 = 0) -> StateStrip {
        var time = from
        let rows = rows.map { text, seconds -> StateStrip.Row in
            let parts = text.split(separator: ":").map(String.init)
            defer { time += Int64(seconds * 1e6) }
            return StateStrip.Row(
                state: parts[0], cause: parts.count > 1 ? parts[1] : nil, started: time,
                ended: time + Int64(seconds * 1e6))
        }
        return StateStrip(processor: "p", link: "control", rows: rows, since: since, until: time, most: most)
    }

    @Test("an outage of a second in a day is a part of its own, with its own times")
    func short() throws {
        let strip = strip([("up", 40_000), ("down:refused", 1), ("up", 46_399)])
        #expect(strip.parts.map(\.state) == ["up", "down", "up"])
        #expect(strip.parts[1].from == 40_000 * Self.second && strip.parts[1].length == Self.second)
        #expect(strip.parts[1].causes == ["refused"] && strip.parts[1].times == 1)
    }

    @Test("what meets in a column is down, else not known, else up")
    func worst() {
        let strip = strip([("up", 43_000), ("unknown:clock_step", 2), ("up", 3), ("down:reset", 1), ("up", 43_394)])
        #expect(strip.parts.map(\.state) == ["up", "down", "up"])
        let quiet = self.strip([("up", 43_000), ("unknown:clock_step", 2), ("up", 43_398)])
        #expect(quiet.parts.map(\.state) == ["up", "unknown", "up"])
    }

    @Test("outages that meet in a column are counted; causes that follow one another without a gap are one outage")
    func merged() {
        let strip = strip([
            ("up", 43_202), ("down:silent", 1), ("down:timeout", 2), ("up", 1), ("down:refused", 3), ("up", 43_191),
        ])
        #expect(strip.parts.count == 3)
        #expect(strip.parts[1].times == 2 && strip.parts[1].length == 6 * Self.second)
        #expect(strip.parts[1].causes == ["silent", "timeout", "refused"])
        #expect(strip.parts[1].to - strip.parts[1].from == 7 * Self.second)
    }

    @Test("a row that ends where a column does leaves the next one alone")
    func edges() {
        let strip = strip([("down:reset", 86.4), ("up", 86.4), ("down:reset", 86_400 - 172.8)])
        #expect(strip.parts.map(\.state) == ["down", "up", "down"])
    }

    @Test("before a link's first row nothing is known, and of no row at all neither")
    func notRecorded() {
        let late = strip([("up", 50)], from: 50 * Self.second, since: 0)
        #expect(late.parts.map(\.state) == ["unknown", "up"] && late.parts[0].causes == ["not_recorded"])
        let none = StateStrip(processor: "p", link: "control", rows: [], since: 0, until: Self.day, most: 300)
        #expect(none.parts.map(\.length) == [Self.day])
    }

    @Test("however often it changes, the parts are few and nothing that was down is lost", arguments: [50, 300, 3_000])
    func bounded(most: Int) {
        let rows = (0..<20_000).map { ($0 % 50 == 0 ? "down:reset" : "up", 4.32) }
        let strip = strip(rows, most: most)
        #expect(strip.parts.count <= most)
        let down = strip.parts.filter { $0.state == "down" }
        #expect(down.reduce(0) { $0 + $1.length } == 400 * 4_320_000)
        #expect(down.reduce(0) { $0 + $1.times } == 400)
        #expect(strip.rows.count == 20_000)
    }
}
