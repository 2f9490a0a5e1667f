/// A table of a kind, and which of its rows go. The one definition that deletes and counts.
struct PrunedTable: Sendable {
    let name: String
    /// Columns in whose order it is walked, an index or the primary key; they name a row.
    let keys: [String]
    /// Rows that are looked at; `?1` is the cut.
    let range: String
    /// Rows of these that go; nil: all of them.
    var rule: String?
    /// Whether others point to its rows; those went before.
    var isPointedTo = false

    static func all(of kind: RetainedKind) -> [PrunedTable] {
        switch kind {
        case .samples:
            [
                PrunedTable(name: "frame", keys: ["at_us"], range: "at_us < ?1"),
                PrunedTable(name: "sample", keys: ["at_us"], range: "at_us < ?1"),
            ]
        case .minutes:
            ["meter_minute", "meter_hour"].map {
                PrunedTable(name: $0, keys: ["start_us", "meter_id"], range: "start_us < ?1")
            } + [PrunedTable(name: "sample_minute", keys: ["start_us", "processor_id"], range: "start_us < ?1")]
        case .events: events
        }
    }

    private static let events = [
        PrunedTable(name: "event", keys: ["at_us", "id"], range: "at_us < ?1"),
        PrunedTable(name: "sample_loss", keys: ["until_us", "id"], range: "until_us < ?1"),
        // Each parameter's last value stays: the next run compares with it.
        PrunedTable(
            name: "parameter_change", keys: ["at_us", "id"], range: "at_us < ?1",
            rule: """
                EXISTS (SELECT 1 FROM parameter_change n
                         WHERE n.processor_id = parameter_change.processor_id AND n.parameter = parameter_change.parameter
                           AND n.at_us >= parameter_change.at_us AND n.id > parameter_change.id)
                """),
        // The state in force at the cut stays, whole.
        PrunedTable(
            name: "link_state", keys: ["processor_id", "link", "started_us"], range: "started_us < ?1",
            rule: """
                started_us < (SELECT max(s.started_us) FROM link_state s
                               WHERE s.processor_id = link_state.processor_id AND s.link = link_state.link
                                 AND s.started_us <= ?1)
                """),
        // An episode that lasted beyond the cut stays, with all its minutes.
        PrunedTable(
            name: "socket_error_minute", keys: ["start_us", "error_id"], range: "start_us < ?1",
            rule: "(SELECT e.last_us FROM socket_error e WHERE e.id = socket_error_minute.error_id) < ?1"),
        PrunedTable(name: "socket_error", keys: ["last_us", "id"], range: "last_us < ?1", isPointedTo: true),
        PrunedTable(name: "sample_hour", keys: ["start_us", "processor_id"], range: "start_us < ?1"),
        PrunedTable(name: "recorder_passage", keys: ["id"], range: "until_us <= ?1"),
        PrunedTable(
            name: "recorder_run", keys: ["run"], range: "ended_us <= ?1",
            rule: """
                run < (SELECT max(run) FROM recorder_run)
                AND run NOT IN (SELECT p.run FROM recorder_passage p)
                """, isPointedTo: true),
    ]

    private var condition: String { rule.map { "(\(range)) AND (\($0))" } ?? "(\(range))" }
    private var keyList: String { keys.joined(separator: ", ") }

    /// `(a, b) > (?3, ?4)`; of one key without brackets, which SQLite could not use an index for.
    private func compare(_ sign: String, from first: Int) -> String {
        let marks = keys.indices.map { "?\(first + $0)" }.joined(separator: ", ")
        return keys.count == 1 ? "\(keyList) \(sign) \(marks)" : "(\(keyList)) \(sign) (\(marks))"
    }

    /// How many rows go.
    var countSQL: String { "SELECT count(*) FROM \(name) WHERE \(condition)" }

    // MARK: walking

    /// Where a walk through the table stands: behind these keys; nil: at its begin.
    typealias Cursor = [SQLValue]?

    /// Deletes what goes of the next `count` rows behind `cursor`. `isDone`: there were no more than these.
    func delete(
        before: Int64, behind cursor: Cursor, count: Int, in database: Database
    ) throws(StoreError) -> (deleted: Int, cursor: Cursor, isDone: Bool) {
        let doing = "delete what is not kept any more"
        let behind = cursor == nil ? "" : " AND \(compare(">", from: 3))"
        // Rows that a key cannot find are passed over one by one, and only so many of them in a step.
        let isKeyed = range.hasPrefix(keys[0])
        let find = try Statement(
            "SELECT \(keyList) FROM \(name) WHERE \(isKeyed ? range : "true")\(behind) ORDER BY \(keyList) LIMIT 1 OFFSET ?2",
            on: database,
            doing: doing)
        try find.bind(.integer(before), at: 1)
        try find.bind(.integer(Int64(count - 1)), at: 2)
        for (index, key) in (cursor ?? []).enumerated() { try find.bind(key, at: Int32(3 + index)) }
        let end = try find.step() ? keys.indices.map { find.value(Int32($0)) } : nil
        find.reset()
        // Of two upper bounds SQLite may take the cut to search by, and read all rows up to it.
        let isBound = end != nil && isKeyed
        let upTo = end == nil ? "" : " AND \(compare("<=", from: 3 + keys.count))"
        let which = isBound ? rule.map { "(\($0))" } ?? "true" : condition
        let delete = try Statement("DELETE FROM \(name) WHERE \(which)\(behind)\(upTo)", on: database, doing: doing)
        try delete.bind(.integer(before), at: 1)
        for (index, key) in (cursor ?? []).enumerated() { try delete.bind(key, at: Int32(3 + index)) }
        for (index, key) in (end ?? []).enumerated() { try delete.bind(key, at: Int32(3 + keys.count + index)) }
        try delete.finish()
        return (database.changes, end, end == nil)
    }
}
