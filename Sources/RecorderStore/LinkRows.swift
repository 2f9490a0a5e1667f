import AtlasProtocol

/// Writes the links' states: for each unit and link, rows that follow one another without overlap and without a hole.
struct LinkRows {
    private let openRow, replace, end, insert, openRows, deleteFrom, cut: Statement

    init(_ database: Database) throws(StoreError) {
        let doing = "write a link's state"
        func prepare(_ sql: String) throws(StoreError) -> Statement { try Statement(sql, on: database, doing: doing) }
        openRow = try prepare(
            "SELECT started_us FROM link_state WHERE processor_id = ? AND link = ? AND ended_us IS NULL")
        replace = try prepare(
            "UPDATE link_state SET state = ?3, cause = ?4 WHERE processor_id = ?1 AND link = ?2 AND ended_us IS NULL")
        end = try prepare(
            "UPDATE link_state SET ended_us = ?3 WHERE processor_id = ?1 AND link = ?2 AND ended_us IS NULL")
        insert = try prepare(
            """
            INSERT INTO link_state (processor_id, link, started_us, ended_us, state, cause)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """)
        openRows = try prepare(
            "SELECT processor_id, link, state, cause FROM link_state WHERE ended_us IS NULL")
        deleteFrom = try prepare("DELETE FROM link_state WHERE started_us >= ?")
        cut = try prepare("UPDATE link_state SET ended_us = ?1 WHERE ended_us IS NULL OR ended_us > ?1")
    }

    /// Ends the row that lasts and begins the next; one that would begin before it replaces it.
    func change(_ processor: Int32, _ link: Link, to state: LinkState, since: Int64) throws(StoreError) {
        let (id, name) = (SQLValue.integer(Int64(processor)), SQLValue.text(link.rawValue))
        let (newName, cause) = (SQLValue.text(state.name), SQLValue.text(state.cause?.code))
        try openRow.bind(id, at: 1)
        try openRow.bind(name, at: 2)
        let open = try openRow.step() ? openRow.integer(0) : nil
        openRow.reset()
        if let open, open >= since { return try replace.run(id, name, newName, cause) }
        if open != nil { try end.run(id, name, .integer(since)) }
        try insert.run(id, name, .integer(since), .null, newName, cause)
    }

    /// The wall clock was set by `step` microseconds and shows `now`. Every state goes on, in a new row; time that was
    /// skipped is unknown; of time that is lived twice the second passage counts.
    func clockSet(to now: Int64, by step: Int64) throws(StoreError) {
        var lasting: [[SQLValue]] = []
        while try openRows.step() { lasting.append((0..<4).map { openRows.value($0) }) }
        let end = min(now, now - step)
        try deleteFrom.run(.integer(end))
        try cut.run(.integer(end))
        let (skipped, cause) = (LinkState.unknown(.clockStep).name, Cause.clockStep.code)
        for row in lasting {
            if end < now {
                try insert.run(row[0], row[1], .integer(end), .integer(now), .text(skipped), .text(cause))
            }
            try insert.run(row[0], row[1], .integer(now), .null, row[2], row[3])
        }
    }
}
