import RecorderStore

/// A table of the page, in a box that scrolls by itself where it is wider than the page and that the keyboard can reach.
struct PageTable {
    let caption: String
    let columns: [String]
    /// To the right, by place.
    let numeric: Set<Int>
    let rows: [[HTML]]
    /// Whether the first cell of a row is its heading.
    var hasRowHeadings = false

    var html: HTML {
        let head = columns.indices.map { HTML("<th scope=\"col\"\(look($0))>\(columns[$0])</th>") }
        let body = rows.map { row -> HTML in
            let cells = row.indices.map { column -> HTML in
                column == 0 && hasRowHeadings
                    ? "<th scope=\"row\"\(look(0))>\(row[0])</th>" : "<td\(look(column))>\(row[column])</td>"
            }
            return "<tr>\(cells)</tr>\n"
        }
        return """
            <div class="scroll" role="group" tabindex="0" aria-label="\(caption)"><table><caption><span>\(caption)</span></caption>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body)</tbody></table></div>

            """
    }

    func without(column name: String) -> PageTable {
        guard let place = columns.firstIndex(of: name) else { return self }
        func cut<Cell>(_ row: [Cell]) -> [Cell] { Array(row[..<place] + row[(place + 1)...]) }
        let numeric = Set(numeric.filter { $0 != place }.map { $0 > place ? $0 - 1 : $0 })
        return PageTable(caption: caption, columns: cut(columns), numeric: numeric, rows: rows.map(cut))
    }

    private func look(_ column: Int) -> HTML { numeric.contains(column) ? " class=\"n\"" : "" }
}

extension PageTable {
    /// A report's rows as they are.
    init(_ table: Table, caption: String) {
        self.caption = caption
        columns = table.columns
        numeric = Set(
            table.columns.indices.filter { column in
                table.rows.allSatisfy {
                    switch $0[column] {
                    case .integer, .real, .null: true
                    case .text: false
                    }
                }
            })
        rows = table.rows.map { $0.map { "\($0.plain)" } }
    }
}
