import RecorderStore
import WallTime

/// The summary of the time before and after an instant: the page that proves a fix, or does not.
package struct SplitSummary: Sendable, Equatable {
    /// Microseconds since 1970 UTC; the first that belongs to `after`.
    package let split: Int64
    package let before, after: Summary
    /// The longest time without an error before the split, by code, and of any code at `any`: microseconds.
    let longestQuiet: [String: Int64]
    /// Every cause that a link was down or unknown of after the split.
    let causesAfter: Set<String>

    /// Asks the store for both sides. `split` lies inside the window. Throws `StoreError` where it cannot be read.
    package init(_ store: StoreReader, _ question: Question, split: Int64) throws(StoreError) {
        self.split = split
        before = try Summary(store, question.before(split))
        after = try Summary(store, question.after(split))
        let quiet = try Report.compiledIn("quiet").run(on: store, question.before(split))
        var longest: [String: Int64] = [:]
        for row in quiet.rows.indices.map({ Row(table: quiet, row: $0) }) {
            guard let code = row.text("code"), let seconds = row.real("seconds") else { continue }
            longest[code] = Int64((seconds * 1e6).rounded())
        }
        longestQuiet = longest
        causesAfter = try Summary.causes(store, question.after(split))
    }

    /// A figure of both sides.
    struct Figure: Equatable {
        enum Kind: Equatable {
            case heading, figure, detail
            /// An hour, of the figure above.
            case rate
        }
        let label, before, after: String
        var finding = Finding.none
        var kind = Kind.figure
    }

    /// How many errors each side has, of one code or of all.
    func tallies(code: String? = nil) -> (before: Tally, after: Tally) {
        func tally(_ side: Summary) -> Tally {
            let count = side.errors.reduce(0) { $0 + (code == nil || $1.code == code ? $1.count : 0) }
            return Tally(
                count: count, recorded: side.recorded, window: side.window,
                longestQuiet: longestQuiet[code ?? "any"] ?? before.window)
        }
        var late = tally(after)
        late.isCarriedOver = (code.map { [$0] } ?? codes).contains { causesAfter.contains($0) }
        return (tally(before), late)
    }

    /// The codes that either side has, EADDRINUSE first, then the most frequent.
    private var codes: [String] {
        var counts: [String: Int64] = [:]
        for error in before.errors + after.errors { counts[error.code, default: 0] += error.count }
        return counts.keys.sorted {
            let (first, second) = ($0 == "EADDRINUSE", $1 == "EADDRINUSE")
            if first != second { return first }
            return (counts[$1] ?? 0, $0) < (counts[$0] ?? 0, $1)
        }
    }

    /// The units with lines of their own on the page, nil: all. What stands out on either side does so here.
    var listedByName: [String]? {
        let sides = [Fleet(after.processors), Fleet(before.processors)]
        guard !sides[0].isWhole else { return nil }
        var names: [String] = []
        for unit in sides.flatMap(\.listed) where !names.contains(unit.processor) { names.append(unit.processor) }
        return Array(names.prefix(Fleet.most))
    }

    /// The figures side by side.
    var figures: [Figure] {
        var rows = [Figure(label: "Recorded", before: Length.text(before.recorded), after: Length.text(after.recorded))]
        rows += codes.flatMap { errorRows($0, tallies(code: $0)) }
        if codes.count > 1 { rows += errorRows("All errors", tallies()) }
        let listed = listedByName.map(Set.init)
        if listed != nil {
            for (old, new) in zip(Fleet(before.processors).totals, Fleet(after.processors).totals) {
                rows.append(Figure(label: "All together, \(old.link)", before: "", after: "", kind: .heading))
                rows += linkRows(nil, old, new)
            }
        }
        for (old, new) in zip(before.processors, after.processors) where listed?.contains(old.processor) ?? true {
            for (oldLink, newLink) in zip(old.links, new.links) {
                rows.append(
                    Figure(label: "\(old.processor), \(oldLink.link)", before: "", after: "", kind: .heading))
                rows += linkRows(old.processor, oldLink, newLink)
            }
        }
        rows.append(Figure(label: "Samples", before: "", after: "", kind: .heading))
        rows.append(
            Figure(
                label: "stored", before: before.samplesStored.grouped, after: after.samplesStored.grouped, kind: .detail
            ))
        rows.append(
            Figure(label: "lost", before: before.samplesLost.grouped, after: after.samplesLost.grouped, kind: .detail))
        if before.datagramsLost + after.datagramsLost > 0 {
            rows.append(
                Figure(
                    label: "datagrams lost, unread", before: before.datagramsLost.grouped,
                    after: after.datagramsLost.grouped, kind: .detail))
        }
        return rows
    }

    private func errorRows(_ label: String, _ tally: (before: Tally, after: Tally)) -> [Figure] {
        func rate(_ tally: Tally) -> String { tally.perHour.map { Rate.text($0) } ?? "-" }
        return [
            Figure(
                label: label, before: tally.before.count.grouped, after: tally.after.count.grouped,
                finding: Finding(before: tally.before, after: tally.after)),
            Figure(label: "\(label) an hour", before: rate(tally.before), after: rate(tally.after), kind: .rate),
        ]
    }

    private func linkRows(_ unit: String?, _ old: Summary.LinkSummary, _ new: Summary.LinkSummary) -> [Figure] {
        func uptime(_ link: Summary.LinkSummary) -> String { link.uptimePercent.map { Percent.text($0) } ?? "-" }
        func longest(_ link: Summary.LinkSummary) -> String {
            link.outages == 0 ? "-" : Length.text(link.longestOutage)
        }
        var rows = [
            Figure(label: "uptime %", before: uptime(old), after: uptime(new), kind: .detail),
            Figure(
                label: "outages", before: old.outages.grouped, after: new.outages.grouped,
                finding: outagesFinding(unit, old, new),
                kind: .detail),
            Figure(label: "down", before: Length.text(old.down), after: Length.text(new.down), kind: .detail),
            Figure(label: "longest", before: longest(old), after: longest(new), kind: .detail),
        ]
        if old.unknown + new.unknown > 0 {
            rows.append(
                Figure(
                    label: "not known", before: Length.text(old.unknown), after: Length.text(new.unknown), kind: .detail
                ))
        }
        return rows
    }

    /// An outage over the split is in both parts, but began in one. `unit`: nil for all of them.
    private func outagesFinding(_ unit: String?, _ old: Summary.LinkSummary, _ new: Summary.LinkSummary) -> Finding {
        let carriedOver = after.outages.count {
            (unit == nil || $0.processor == unit) && $0.link == new.link && $0.started < split
        }
        return Finding(
            before: Tally(
                count: old.outages, recorded: old.up + old.down, window: before.window,
                longestQuiet: before.longestTimeWithoutOutage(of: unit, link: old.link)),
            after: Tally(
                count: new.outages - Int64(carriedOver), recorded: new.up + new.down, window: after.window,
                isCarriedOver: carriedOver > 0))
    }
}

extension Summary {
    var samplesStored: Int64 { processors.reduce(0) { $0 + $1.samples } }

    /// At the window's ends too; microseconds. Of all units where none is named.
    func longestTimeWithoutOutage(of processor: String?, link: String) -> Int64 {
        var (reached, longest) = (question.since, Int64(0))
        for outage in outages where (processor == nil || outage.processor == processor) && outage.link == link {
            longest = max(longest, outage.started - reached)
            reached = max(reached, min(outage.ended ?? question.until, question.until))
        }
        return max(longest, question.until - reached)
    }

    var samplesLost: Int64 { losses.reduce(0) { $0 + ($1.samples ?? 0) } }
    /// Of which nobody knows how many samples they held.
    var datagramsLost: Int64 { losses.reduce(0) { $0 + ($1.samples == nil ? $1.datagrams : 0) } }
}
