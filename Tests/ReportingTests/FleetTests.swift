import Testing

@testable import RecorderStore
@testable import Reporting

/// The page of a store with more units than one reads line by line.
@Suite struct FleetTests {
    private static let plain = Style(isColoured: false, isUnicode: false)
    private static let names = (1...40).map { "Unit \($0)" }

    /// Forty units, up for 1,000 s: unit 7 was down for 30 s and is up, unit 9 is down, unit 11 was unknown for 200 s longer.
    private func store() throws -> HandMadeStore {
        let store = try HandMadeStore(Self.names, ended: nil)
        for (index, name) in Self.names.enumerated() {
            let rows: [(String, Double?)] =
                switch name {
                case "Unit 7": [("up", 500), ("down:refused", 30), ("up", nil)]
                case "Unit 9": [("up", 900), ("down:silent", nil)]
                case "Unit 11": [("unknown:not_recorded", 200), ("up", nil)]
                default: [("unknown:recorder_starting", 1), ("up", nil)]
                }
            for link in ["control", "meters"] { try store.states(rows, link: link, processor: index + 1) }
        }
        return store
    }

    @Test("those that stand out are listed, the longest down first, and all are summed")
    func listed() throws {
        let summary = try store().summary(0, 1_000)
        let fleet = Fleet(summary.processors)
        #expect(fleet.listed.map(\.processor) == ["Unit 9", "Unit 7", "Unit 11"])
        #expect(fleet.totals.map(\.link) == ["control", "meters"])
        #expect(fleet.totals[0].down == 130_000_000)
        #expect(fleet.totals[0].up + fleet.totals[0].down + fleet.totals[0].unknown == 40 * 1_000_000_000)
        #expect(fleet.totals[0].outages == 2)
        #expect(fleet.totals[0].longestOutage == 100_000_000)
        #expect(fleet.stateCounts(Self.plain) == ["control up 39, down 1 (silent)", "meters up 39, down 1 (silent)"])
    }

    @Test("the page has lines of those alone, and says so; the timeline too")
    func page() throws {
        let store = try store()
        let inquiry = Inquiry(.compiledIn("summary"), store.question(0, 1_000), split: nil, format: .text)
        let page = try inquiry.answer(from: store.reader(), Self.plain)
        #expect(page.contains("40 processors\n            control up 39, down 1 (silent)\n"))
        #expect(page.contains("(the 3 that stand out of 40; all: --format csv, one: --processor NAME)"))
        for name in ["All together", "Unit 9", "Unit 7", "Unit 11"] {
            #expect(page.split(separator: "\n").contains { $0.hasPrefix("\(name) ") })
        }
        for name in ["Unit 1", "Unit 40"] {
            #expect(!page.split(separator: "\n").contains { $0.hasPrefix("\(name) ") })
        }
        let blocks = page.split(separator: "\n").filter { $0.hasSuffix("=====") || $0.contains("XXX") }
        #expect(blocks.count == 6)
        #expect(page.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test("a split shows what stands out on either side")
    func split() throws {
        let store = try store()
        let halves = try SplitSummary(store.reader(), store.question(0, 1_000), split: HandMadeStore.at(700))
        #expect(halves.listedByName == ["Unit 9", "Unit 7", "Unit 11"])
        let labels = halves.figures.filter { $0.kind == .heading }.map(\.label)
        #expect(labels.first == "All together, control" && labels.contains("Unit 7, meters"))
        #expect(!labels.contains("Unit 8, control"))
    }

    @Test("nothing stands out where all are alike, also when nobody records any more")
    func quiet() throws {
        let store = try HandMadeStore(Self.names, ended: 1_000)
        for index in Self.names.indices { try store.states([("up", 1_000)], processor: index + 1) }
        let fleet = Fleet(try store.summary(0, 2_000).processors)
        #expect(fleet.listed.isEmpty)
        #expect(fleet.remark == "none of the 40 stands out; all: --format csv, one: --processor NAME")
        #expect(fleet.stateCounts(Self.plain)[0] == "control unknown 40 (recorder_stopped)")
    }

    @Test("up to sixteen are listed each")
    func few() throws {
        let store = try HandMadeStore(Array(Self.names.prefix(16)), ended: 1_000)
        for index in 0..<16 { try store.states([("up", 1_000)], processor: index + 1) }
        let summary = try store.summary(0, 1_000)
        #expect(summary.listedByName == nil)
        #expect(Fleet(summary.processors).listed.count == 16)
        #expect(Fleet(summary.processors).remark == nil)
    }
}
