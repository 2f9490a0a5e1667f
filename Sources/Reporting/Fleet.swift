/// Many units on a page for people: which of them are worth a line of their own, and what all are together. With few units
/// every one is listed, and this says so.
struct Fleet {
    /// Up to so many units each has its lines.
    static let most = 16

    let count: Int
    /// In the order of the page.
    let listed: [Summary.ProcessorSummary]
    /// Of all units, by link.
    let totals: [Summary.LinkSummary]
    private let all: [Summary.ProcessorSummary]

    var isWhole: Bool { count <= Self.most }

    /// Of more than `most` units those that were down, are not up when others are, or were unknown for longer than the rest:
    /// the longest down first.
    init(_ processors: [Summary.ProcessorSummary]) {
        (all, count) = (processors, processors.count)
        totals = ["control", "meters"].compactMap { Self.total($0, processors) }
        guard count > Self.most else {
            listed = processors
            return
        }
        var usual: [String: Int64] = [:]
        for link in processors.lazy.flatMap(\.links) { usual[link.link] = min(usual[link.link] ?? .max, link.unknown) }
        let isAnyUp = processors.contains { $0.links.contains { $0.state == "up" } }
        let troubled = processors.filter { processor in
            processor.links.contains { link in
                link.down > 0 || link.state == "down" || (isAnyUp && link.state != "up")
                    || link.unknown > (usual[link.link] ?? 0) + Self.unequal
            }
        }
        func weight(_ processor: Summary.ProcessorSummary) -> (Int64, Int64) {
            (processor.links.reduce(0) { $0 + $1.down }, processor.links.reduce(0) { $0 + $1.unknown })
        }
        listed = Array(
            troubled.map { ($0, weight($0)) }
                .sorted { ($1.1.0, $1.1.1, $0.0.processor) < ($0.1.0, $0.1.1, $1.0.processor) }
                .prefix(Self.most).map(\.0))
        self.troubled = troubled.count
    }

    /// Of more than `most` units, how many have something to tell.
    private(set) var troubled = 0

    /// Units do not connect at one instant: what is unknown of one for so much longer than of another is no difference.
    private static let unequal: Int64 = 60_000_000

    /// The sum of a link over the units; nil where there is none.
    private static func total(_ name: String, _ processors: [Summary.ProcessorSummary]) -> Summary.LinkSummary? {
        let links = processors.compactMap { $0.links.first { $0.link == name } }
        guard !links.isEmpty else { return nil }
        let (up, down) = (links.reduce(0) { $0 + $1.up }, links.reduce(0) { $0 + $1.down })
        let share = up + down == 0 ? nil : Double(up) * 100 / Double(up + down)
        // 100 is said only where none was ever down.
        let percent = down == 0 ? share : share.map { min($0, 99.9999) }
        return Summary.LinkSummary(
            link: name, state: "", stateSince: nil, cause: nil, up: up, down: down,
            unknown: links.reduce(0) { $0 + $1.unknown }, uptimePercent: percent,
            outages: links.reduce(0) { $0 + $1.outages }, longestOutage: links.map(\.longestOutage).max() ?? 0)
    }

    /// What the units' links are, counted: `control  up 998, down 2 (silent 1, refused 1)`.
    func stateCounts(_ style: Style) -> [String] {
        ["control", "meters"].map { name in
            var counts: [String: Int] = [:]
            var causes: [String: [String: Int]] = [:]
            for link in all.lazy.compactMap({ $0.links.first { $0.link == name } }) {
                counts[link.state, default: 0] += 1
                if let cause = link.cause { causes[link.state, default: [:]][cause, default: 0] += 1 }
            }
            let parts = ["up", "down", "unknown"].compactMap { state -> String? in
                guard let count = counts[state] else { return nil }
                let why = (causes[state] ?? [:]).sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                let list = why.map { $0.value == count ? $0.key : "\($0.key) \($0.value)" }.joined(separator: ", ")
                return style.state(state, state) + " \(count.grouped)" + (list.isEmpty ? "" : " (\(list))")
            }
            return "\(name) \(parts.joined(separator: ", "))"
        }
    }

    /// What the table below leaves out; nil: nothing.
    var remark: String? {
        guard !isWhole else { return nil }
        let rest = "all: --format csv, one: --processor NAME"
        if troubled == 0 { return "none of the \(count.grouped) stands out; \(rest)" }
        let isMore = troubled > listed.count
        let shown = isMore ? "the \(listed.count) longest down of \(troubled.grouped)" : "the \(troubled)"
        return "\(shown) that stand out of \(count.grouped); \(rest)"
    }
}

extension Summary {
    /// The units with lines of their own on the page; nil: all.
    var listedByName: [String]? {
        let fleet = Fleet(processors)
        return fleet.isWhole ? nil : fleet.listed.map(\.processor)
    }
}
