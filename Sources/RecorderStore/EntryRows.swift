import AtlasProtocol

/// Writes events, links' states, socket errors and parameters.
struct EntryRows {
    /// What is known of rows already written; put back when a transaction fails.
    struct State {
        var episodes = EpisodeLedger()
        var parameters: [Parameter: SQLValue] = [:]
        var parameterCounts: [Int32: Int] = [:]
    }
    struct Parameter: Hashable {
        let processor: Int32
        let name: String
    }
    /// Of one unit. Beyond this a sender makes parameters up; a unit has some 300.
    private static let parameterLimit = 5_000

    var state = State()
    private let database: Database
    private let links: LinkRows
    private let timeline: WallTimeline
    private let insertEvent, insertError, updateError, countError, insertParameter: Statement
    private let insertLabel, lastLabel, deleteLaterLabels, firmware, seen: Statement

    init(_ database: Database, _ links: LinkRows, _ timeline: WallTimeline) throws(StoreError) {
        (self.database, self.links, self.timeline) = (database, links, timeline)
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
        let parameter = "write a parameter"
        insertParameter = try prepare(
            "INSERT INTO parameter_change (at_us, processor_id, parameter, value, previous) VALUES (?, ?, ?, ?, ?)",
            parameter)
        insertLabel = try prepare(
            """
            INSERT INTO meter_label (processor_id, meter, from_us, label) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET label = ?4
            """, parameter)
        lastLabel = try prepare(
            "SELECT label FROM meter_label WHERE processor_id = ? AND meter = ? ORDER BY from_us DESC LIMIT 1",
            parameter)
        deleteLaterLabels = try prepare(
            "DELETE FROM meter_label WHERE processor_id = ? AND meter = ? AND from_us > ?", parameter)
        firmware = try prepare("UPDATE processor SET firmware = ?2 WHERE id = ?1", parameter)
        seen = try prepare(
            """
            UPDATE processor SET first_seen_us = coalesce(first_seen_us, ?2), last_seen_us = ?2
             WHERE id = ?1
            """, "write when a unit was heard from")
    }

    /// Reads the parameters' last values, so that a restart does not record them as changes.
    mutating func load() throws(StoreError) {
        let last = try Statement(
            """
            SELECT processor_id, parameter, value FROM parameter_change
             WHERE id IN (SELECT max(id) FROM parameter_change GROUP BY processor_id, parameter)
            """, on: database, doing: "read the parameters' last values")
        while try last.step() {
            guard let name = last.text(1) else { continue }
            let processor = Int32(last.integer(0))
            state.parameters[Parameter(processor: processor, name: name)] = last.value(2)
            state.parameterCounts[processor, default: 0] += 1
        }
    }

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
            state.episodes.end(processor: processor, socket: socket, operation: operation, address: address)
        case .parameter(let processor, let at, let name, let value):
            guard try write(processor, at, name, value) else {
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
        if let open = state.episodes.row(for: fault) {
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
            state.episodes.begin(fault, row: row)
        }
        try countError.run(
            .integer(fault.at / 60_000_000 * 60_000_000), .integer(row), .integer(Int64(fault.count)))
    }

    /// False: not written, because this unit has told of more parameters than any unit has.
    private mutating func write(
        _ processor: Int32, _ at: Int64, _ name: String, _ value: SQLValue
    ) throws(StoreError) -> Bool {
        let key = Parameter(processor: processor, name: name)
        let previous = state.parameters[key]
        guard previous.map({ !$0.isIdentical(to: value) }) ?? true else { return true }
        if previous == nil {
            let known = state.parameterCounts[processor, default: 0]
            guard known < Self.parameterLimit else { return false }
            state.parameterCounts[processor] = known + 1
        }
        state.parameters[key] = value
        try insertParameter.run(
            .integer(at), .integer(Int64(processor)), .text(name), value, previous ?? .null)
        guard case .text(let text) = value else { return true }
        if name == "FirmwareVersion" { try firmware.run(.integer(Int64(processor)), .text(text)) }
        if let meter = Self.meterNamed(by: name) { try label(processor, at, meter, text) }
        return true
    }

    private func label(_ processor: Int32, _ at: Int64, _ meter: Meter, _ label: String) throws(StoreError) {
        let (id, name) = (SQLValue.integer(Int64(processor)), SQLValue.text(meter.name))
        try lastLabel.bind(id, at: 1)
        try lastLabel.bind(name, at: 2)
        let before = try lastLabel.step() ? lastLabel.text(0) : nil
        lastLabel.reset()
        if let before, before.utf8.elementsEqual(label.utf8) { return }
        // After the clock was set back the name that was learnt last counts.
        try deleteLaterLabels.run(id, name, .integer(at))
        try insertLabel.run(id, name, .integer(at), .text(label))
        guard let before else { return }
        try write(
            Entry.Event(
                processor: processor, at: at, link: .control, name: .renamed,
                detail: "\(meter.name): \(before) -> \(label)"))
    }

    /// The meter whose label `ZoneName_3` is: ZoneMeter_3.
    private static func meterNamed(by parameter: String) -> Meter? {
        for family in ChannelFamily.allCases where parameter.hasPrefix(family.prefix + "Name_") {
            return Meter(name: "\(family.prefix)Meter_\(parameter.dropFirst(family.prefix.count + 5))")
        }
        return nil
    }
}
