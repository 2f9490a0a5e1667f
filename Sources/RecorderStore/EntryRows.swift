import AtlasProtocol

/// Writes events, links' states, socket errors and parameters.
struct EntryRows {
    /// What is known of rows already written; put back when a transaction fails.
    struct State {
        var episodes = EpisodeLedger()
        var parameters = ParameterRows.State()
    }

    var state: State {
        get { State(episodes: episodes, parameters: parameters.state) }
        set { (episodes, parameters.state) = (newValue.episodes, newValue.parameters) }
    }
    private let links: LinkRows
    private let timeline: WallTimeline
    private var episodes = EpisodeLedger()
    private var parameters: ParameterRows
    private let insertEvent, insertError, updateError, countError, seen: Statement

    init(_ database: Database, _ links: LinkRows, _ timeline: WallTimeline) throws(StoreError) {
        (self.links, self.timeline) = (links, timeline)
        func prepare(_ sql: String, _ doing: String) throws(StoreError) -> Statement {
            try Statement(sql, on: database, doing: doing)
        }
        insertEvent = try prepare(
            "INSERT INTO event (at_us, processor_id, link, event, cause, detail) VALUES (?, ?, ?, ?, ?, ?)",
            "write an event")
        let fault = "write a socket error"
        insertError = try prepare(
            """
            INSERT INTO socket_error
                (processor_id, socket, operation, code, errno, address, holder, message, first_us, last_us, count)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10) RETURNING id
            """, fault)
        updateError = try prepare(
            """
            UPDATE socket_error SET first_us = min(first_us, ?2), last_us = max(last_us, ?2), count = count + ?3, holder = coalesce(?4, holder),
                   address = coalesce(?5, address), message = coalesce(?6, message) WHERE id = ?1
            """, fault)
        countError = try prepare(
            """
            INSERT INTO socket_error_minute (start_us, error_id, count) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET count = count + ?3
            """, fault)
        parameters = try ParameterRows(database)
        seen = try prepare(
            """
            UPDATE processor SET first_seen_us = coalesce(first_seen_us, ?2), last_seen_us = ?2
             WHERE id = ?1
            """, "write when a unit was heard from")
    }

    /// Reads the parameters' last values, so that a restart does not record them as changes.
    mutating func load() throws(StoreError) { try parameters.load() }

    /// Their rows are being deleted: the same error begins another episode.
    mutating func forgetEpisodes(before time: Int64) { episodes.forget(before: time) }

    /// Writes it; what had to be left out comes back, for the ledger.
    mutating func write(_ entry: Entry) throws(StoreError) -> Loss? {
        switch entry {
        case .event(let event): try write(event)
        case .change(let processor, let link, let state, let since):
            try links.change(processor, link, to: state, since: since)
        case .clockSet(let at, let step): try timeline.clockSet(to: at, by: step)
        case .paused(let from, let until, let cause): try timeline.paused(from: from, until: until, cause)
        case .fault(let fault): try write(fault)
        case .recovered(let processor, let socket, let operation, let address):
            episodes.end(processor: processor, socket: socket, operation: operation, address: address)
        case .parameter(let processor, let at, let name, let value, let told):
            switch try parameters.write(processor, at, name, value, told) {
            case .done(let renamed): if let renamed { try write(renamed) }
            case .tooMany:
                return Loss(processor: processor, reason: .parametersDropped, at: at, datagrams: 1, samples: nil)
            }
        case .seen(let processor, let at): try seen.run(.integer(Int64(processor)), .integer(at))
        case .loss(let loss): return loss
        }
        return nil
    }

    private func write(_ event: Entry.Event) throws(StoreError) {
        try insertEvent.run(
            .integer(event.at), .integer(event.processor.map { Int64($0) }), .text(event.link?.rawValue),
            .text(event.name.rawValue), .text(event.cause?.code), .text(event.detail))
    }

    private mutating func write(_ fault: SocketFault) throws(StoreError) {
        let row: Int64
        if let open = episodes.row(for: fault) {
            row = open
            try updateError.run(
                .integer(row), .integer(fault.at), .integer(Int64(fault.count)), .text(fault.holder),
                .text(fault.address), .text(fault.message))
        } else {
            let values: [SQLValue] = [
                .integer(fault.processor.map { Int64($0) }), .text(fault.socket.rawValue),
                .text(fault.operation.rawValue),
                .text(fault.code), .integer(fault.errno.map { Int64($0) }), .text(fault.address), .text(fault.holder),
                .text(fault.message), .integer(fault.at), .integer(Int64(fault.count)),
            ]
            for (index, value) in values.enumerated() { try insertError.bind(value, at: Int32(index + 1)) }
            _ = try insertError.step()
            row = insertError.integer(0)
            insertError.reset()
            episodes.begin(fault, row: row)
        }
        try countError.run(
            .integer(fault.at / 60_000_000 * 60_000_000), .integer(row), .integer(Int64(fault.count)))
    }
}
