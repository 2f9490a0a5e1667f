import RecorderStore
import WallTime

/// Each link over the window in cells of equal length: the blocks of the summary's page (reports/timeline.sql).
package struct Timeline: Sendable, Equatable {
    package struct Line: Sendable, Equatable {
        package let processor, link: String
        /// `up`, `down` or `unknown`, in order of time.
        package var cells: [String]
    }

    package let question: Question
    /// Between the cells, microseconds since 1970 UTC; nil: the window is not split.
    package let split: Int64?
    package let lines: [Line]
    /// How many cells lie before the split.
    package let cellsBefore: Int

    /// Columns of a terminal for the cells, and for the mark between them where there is a split.
    static let width = 60

    /// Asks the store, of these units only if they are named. No cell lies on both sides of the split. Throws `StoreError`
    /// where it cannot be read.
    package init(
        _ store: StoreReader, _ question: Question, split: Int64? = nil, processors: [String]? = nil
    ) throws(StoreError) {
        (self.question, self.split) = (question, split)
        cellsBefore = split == nil ? 0 : Self.parts(question, split: split)[0].cells
        guard let processors else {
            lines = try Self.lines(store, question, split)
            return
        }
        var lines: [Line] = []
        for name in processors { lines += try Self.lines(store, question.asking(processor: name), split) }
        self.lines = lines
    }

    private static func lines(_ store: StoreReader, _ question: Question, _ split: Int64?) throws(StoreError) -> [Line]
    {
        let parts = Self.parts(question, split: split)
        var lines: [Line] = []
        for (index, part) in parts.enumerated() {
            let table = try Report.compiledIn("timeline").run(on: store, part)
            var place = -1
            for row in table.rows.indices.map({ Row(table: table, row: $0) }) {
                if row.integer("cell") == 1 { place += 1 }
                if index == 0, row.integer("cell") == 1 {
                    let (processor, link) = (row.text("processor") ?? "", row.text("link") ?? "")
                    lines.append(Line(processor: processor, link: link, cells: []))
                }
                lines[place].cells.append(row.text("state") ?? "unknown")
            }
        }
        return lines
    }

    /// What is asked of the store: the window, or each side of the split with its share of the cells.
    static func parts(_ question: Question, split: Int64?) -> [Question] {
        guard let split else { return [question.asking(cells: width)] }
        let all = width - 1
        let share = Double(split - question.since) / Double(question.until - question.since)
        let before = min(max(Int((share * Double(all)).rounded()), 1), all - 1)
        return [question.before(split).asking(cells: before), question.after(split).asking(cells: all - before)]
    }
}

extension Timeline {
    /// A legend, a line for each link and the times below; at most 80 columns.
    func text(_ style: Style) -> [String] {
        guard !lines.isEmpty else { return [] }
        let isOne = Set(lines.map(\.processor)).count == 1
        let nameWidth = isOne ? 0 : min(10, lines.map { TextTable.width($0.processor) }.max() ?? 0)
        let lead = (isOne ? 0 : nameWidth + 1) + 7 + 2
        let count = Int64(split == nil ? Self.width : Self.width - 1)
        let length = Length.text((question.until - question.since) / count)
        let legend =
            "\(mark("up", style)) up  \(mark("down", style)) down at some time  \(mark("unknown", style)) mostly not known  "
            + "(\(split == nil ? "" : "about ")\(length) each)"
        var result = [style.bold("Timeline") + "  " + legend]
        for line in lines {
            let name = isOne ? "" : padded(TextTable.cut(line.processor, to: nameWidth), nameWidth) + " "
            let before = blocks(line.cells.prefix(cellsBefore), style)
            let after = blocks(line.cells.dropFirst(cellsBefore), style)
            let bar = split == nil ? "" : style.isUnicode ? "│" : "|"
            result.append(name + padded(line.link, 7) + "  " + before + bar + after)
        }
        return result + scale(indent: lead)
    }

    /// The window's two ends under the first and the last cell, the split under its mark.
    private func scale(indent: Int) -> [String] {
        let space = String(repeating: " ", count: indent)
        let from = LocalTime.text(question.since).droppingMilliseconds()
        let to = LocalTime.text(question.until).since(question.since).droppingMilliseconds()
        var lines = [space + from + String(repeating: " ", count: Self.width - from.count - to.count) + to]
        if let split {
            let time = LocalTime.text(split).since(question.since).droppingMilliseconds()
            let isLeft = cellsBefore < Self.width / 2
            let text = isLeft ? "^ split \(time)" : "split \(time) ^"
            lines.append(
                space + String(repeating: " ", count: isLeft ? cellsBefore : cellsBefore + 1 - text.count) + text)
        }
        return lines
    }

    private func blocks(_ cells: ArraySlice<String>, _ style: Style) -> String {
        var result = ""
        for run in cells.split(whereNeighbours: !=) {
            result += style.state(
                run[run.startIndex], String(repeating: block(run[run.startIndex], style), count: run.count))
        }
        return result
    }

    private func mark(_ state: String, _ style: Style) -> String { style.state(state, block(state, style)) }

    /// Told apart by their form, not by colour alone.
    private func block(_ state: String, _ style: Style) -> String {
        switch state {
        case "up": style.isUnicode ? "█" : "="
        case "down": style.isUnicode ? "░" : "X"
        default: style.isUnicode ? "·" : "."
        }
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - TextTable.width(text)))
    }
}

extension ArraySlice {
    /// Runs of neighbours between which `differ` is false.
    fileprivate func split(whereNeighbours differ: (Element, Element) -> Bool) -> [ArraySlice] {
        var runs: [ArraySlice] = []
        var begin = startIndex
        for index in indices where index > startIndex && differ(self[index - 1], self[index]) {
            runs.append(self[begin..<index])
            begin = index
        }
        return begin < endIndex ? runs + [self[begin...]] : runs
    }
}
