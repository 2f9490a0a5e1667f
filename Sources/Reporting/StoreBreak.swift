import RecorderStore
import WallTime

/// From when on a store is another one than before: begun because the one before it was damaged, moved or deleted, or made
/// from what could be read of a damaged one. What came before it is not all here.
package struct StoreBreak: Sendable, Equatable {
    package let at: Int64  // microseconds since 1970 UTC
    package let event, detail: String

    /// Those between the window's begin and its end, and those after it that say what of it was lost.
    static func all(in store: StoreReader, _ question: Question) throws(StoreError) -> [StoreBreak] {
        let events = try store.query(
            """
            SELECT at_us, event, detail FROM connection_events
             WHERE event IN ('store_set_aside', 'store_moved', 'store_rescued') AND at_us >= :since_us
               AND (at_us < :until_us OR event = 'store_rescued')
               -- The store stayed what it was where only its log, the log's index or its lock went.
               AND (event <> 'store_moved' OR detail LIKE 'somebody moved it %' OR detail LIKE 'somebody deleted it %')
             ORDER BY at_us
            """, question.parameters)
        return events.rows.compactMap { row in
            guard case .integer(let at) = row[0] else { return nil }
            return StoreBreak(at: at, event: row[1].plain, detail: row[2].plain)
        }
    }

    /// Whether rows of this table were lost in a rescue.
    func lost(_ table: String) -> Bool {
        guard event == "store_rescued" else { return false }
        let clauses = detail.components(after: ["not all could be read of ", "nothing of "])
        return clauses.contains { $0.split(separator: ", ").contains { $0 == table } }
    }

    /// For a page: a label of 12 columns, and what happened.
    func lines(_ style: Style, until: Int64) -> [String] {
        let time = LocalTime.text(at).since(until)
        let label = style.bold("Store") + "       "
        switch event {
        case "store_rescued":
            return [label + style.unsure("rescued \(time): not all of it may be left; atlas-recorder report events")]
        case "store_set_aside":
            let kept = detail.components(after: ["kept as "]).first.map { ["            \($0)"] } ?? []
            return [label + style.unsure("begun \(time); the one before was damaged, and is kept:")] + kept
        default: return [label + style.unsure("begun \(time); somebody moved or deleted the one before")]
        }
    }

    /// In words, for who asks for what was lost.
    package var loss: String { "they were lost with a damaged store (rescued \(LocalTime.text(at).prefix(19)))" }
}

extension Summary {
    /// The rescue in which errors of this window were lost; nil: none was.
    package var errorsLost: StoreBreak? { breaks.last { $0.lost("socket_error") || $0.lost("socket_error_minute") } }
}

extension String {
    /// What stands between each of these words and the next semicolon.
    fileprivate func components(after words: [String]) -> [Substring] {
        split(separator: ";").compactMap { clause in
            let clause = clause.drop { $0 == " " }
            return words.first { clause.hasPrefix($0) }.map { clause.dropFirst($0.count) }
        }
    }
}
