import RecorderStore
import WallTime

/// What retention removed of the window's time, by kind.
package struct Removal: Sendable, Equatable {
    package let kind: RetainedKind
    /// Rows before it are gone; microseconds since 1970 UTC.
    package let before: Int64
    /// Altogether, since the store was begun.
    package let rows: Int64
    /// `age` or `size`.
    package let reason: String

    /// Those that reach into the window.
    package static func all(in store: StoreReader, _ question: Question) throws(StoreError) -> [Removal] {
        let table = try store.query(
            """
            SELECT kind, kept_from_us, removed, reason FROM retention
             WHERE kept_from_us > :since_us AND removed > 0
            """, question.parameters)
        return table.rows.indices.compactMap { index in
            let row = Row(table: table, row: index)
            guard let kind = row.text("kind").flatMap(RetainedKind.init), let before = row.integer("kept_from_us")
            else {
                return nil
            }
            return Removal(
                kind: kind, before: before, rows: row.integer("removed") ?? 0, reason: row.text("reason") ?? "age")
        }
    }

    /// In words: `samples before 2026-08-25 03:00:00 were removed by retention; minutes are left`.
    package var words: String {
        let rest =
            switch kind {
            case .samples: "; minutes and hours are left"
            case .minutes: "; events are left"
            case .events: "; what was then is not known"
            }
        return "\(kind) before \(LocalTime.text(before).prefix(19)) were removed by retention\(rest)"
    }

    /// For a page: a label of 12 columns, and what is gone.
    func line(_ style: Style) -> String {
        style.bold("Removed") + "     "
            + style.unsure("\(kind) before \(LocalTime.text(before).prefix(19)), by retention (\(reason))")
    }

    var json: JSONText {
        .object([
            ("kind", .text(kind.rawValue)), ("before", .text(LocalTime.iso8601(before))), ("rows", .integer(rows)),
            ("reason", .text(reason)),
        ])
    }
}
