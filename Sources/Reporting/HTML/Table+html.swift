import RecorderStore

extension Table {
    /// A table of the page: numbers to the right, in a box of its own that scrolls.
    func html(caption: String) -> HTML {
        let numeric = columns.indices.map { column in
            rows.allSatisfy {
                switch $0[column] {
                case .integer, .real, .null: true
                case .text: false
                }
            }
        }
        let head = columns.indices.map { column -> HTML in
            numeric[column]
                ? "<th scope=\"col\" class=\"n\">\(columns[column])</th>" : "<th scope=\"col\">\(columns[column])</th>"
        }
        let body = rows.map { row -> HTML in
            let cells = row.indices.map { column -> HTML in
                numeric[column] ? "<td class=\"n\">\(row[column].plain)</td>" : "<td>\(row[column].plain)</td>"
            }
            return "<tr>\(cells)</tr>\n"
        }
        return HTML.scrolling(
            caption, "<table><caption>\(caption)</caption><thead><tr>\(head)</tr></thead>\n<tbody>\n\(body)</tbody></table>")
    }
}

extension HTML {
    /// A box that scrolls by itself where it is wider than the page; the keyboard can reach it.
    static func scrolling(_ label: String, _ content: HTML) -> HTML {
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\(label)\">\(content)</div>\n"
    }
}
