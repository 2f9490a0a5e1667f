import AtlasProtocol

/// How a parameter's value came.
package enum Telling: Sendable, Equatable {
    /// The unit said what holds, and nothing changed: it is taken to hold since then. Times are microseconds since 1970
    /// UTC.
    case standing(since: Int64)
    /// The unit said that it changed; of an action, that it was fired.
    case changed
}

/// Writes parameters' changes, and the labels that follow from names.
struct ParameterRows {
    /// What is known of rows already written; put back when a transaction fails.
    struct State {
        var values: [Parameter: SQLValue] = [:]
        var counts: [Int32: Int] = [:]
    }
    struct Parameter: Hashable {
        let processor: Int32
        let name: String
    }
    enum Outcome {
        /// With the event of a channel's or an action's new name.
        case done(Entry.Event?)
        /// Not written: this unit has told of more parameters than any unit has.
        case tooMany
    }
    /// Of one unit. Beyond this a sender makes parameters up; a unit has some 500.
    private static let limit = 5_000

    var state = State()
    private let database: Database
    private let insert, insertLabel, lastLabel, labelThen, deleteLaterLabels, firmware: Statement

    init(_ database: Database) throws(StoreError) {
        self.database = database
        func prepare(_ sql: String) throws(StoreError) -> Statement {
            try Statement(sql, on: database, doing: "write a parameter")
        }
        insert = try prepare(
            "INSERT INTO parameter_change (at_us, processor_id, parameter, value, previous) VALUES (?, ?, ?, ?, ?)")
        insertLabel = try prepare(
            """
            INSERT INTO meter_label (processor_id, meter, from_us, label) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET label = ?4
            """)
        lastLabel = try prepare(
            "SELECT label FROM meter_label WHERE processor_id = ? AND meter = ? ORDER BY from_us DESC LIMIT 1")
        labelThen = try prepare(
            """
            SELECT label FROM meter_label WHERE processor_id = ? AND meter = ? AND from_us <= ?
             ORDER BY from_us DESC LIMIT 1
            """)
        deleteLaterLabels = try prepare(
            "DELETE FROM meter_label WHERE processor_id = ? AND meter = ? AND from_us > ?")
        firmware = try prepare("UPDATE processor SET firmware = ?2 WHERE id = ?1")
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
            state.values[Parameter(processor: processor, name: name)] = last.value(2)
            state.counts[processor, default: 0] += 1
        }
    }

    /// A row for a value that is another than the last; of an action for each time that it was fired, and only then.
    mutating func write(
        _ processor: Int32, _ at: Int64, _ name: String, _ value: SQLValue, _ told: Telling
    ) throws(StoreError) -> Outcome {
        let key = Parameter(processor: processor, name: name)
        let previous = state.values[key]
        let isNew = previous.map { !$0.isIdentical(to: value) } ?? true
        if previous == nil {
            let known = state.counts[processor, default: 0]
            guard known < Self.limit else { return .tooMany }
            state.counts[processor] = known + 1
        }
        state.values[key] = value
        if UnitAction.isFired(by: name) ? told == .changed : isNew {
            try insert.run(.integer(at), .integer(Int64(processor)), .text(name), value, previous ?? .null)
        }
        guard case .text(let text) = value else { return .done(nil) }
        if isNew, name == "FirmwareVersion" { try firmware.run(.integer(Int64(processor)), .text(text)) }
        guard let named = Self.named(by: name) else { return .done(nil) }
        let since = if case .standing(let since) = told { min(since, at) } else { at }
        guard let before = try label(processor, named, text, since) else { return .done(nil) }
        return .done(
            Entry.Event(
                processor: processor, at: at, link: .control, name: .renamed,
                detail: "\(named): \(before) -> \(text)"))
    }

    /// Returns the name before, if there was another.
    private func label(
        _ processor: Int32, _ named: String, _ label: String, _ since: Int64
    ) throws(StoreError) -> String? {
        let key = [SQLValue.integer(Int64(processor)), .text(named)]
        let last = try first(lastLabel, key)
        if let last, last.utf8.elementsEqual(label.utf8) {
            // Told in a time that has no name yet, for the clock was set back: then what lies ahead stays as well.
            if let then = try first(labelThen, key + [.integer(since)]), then.utf8.elementsEqual(label.utf8) {
                return nil
            }
            try insertLabel.run(key[0], key[1], .integer(since), .text(label))
            return nil
        }
        // After the clock was set back the name that was told last counts.
        try deleteLaterLabels.run(key[0], key[1], .integer(since))
        try insertLabel.run(key[0], key[1], .integer(since), .text(label))
        return last
    }

    private func first(_ statement: Statement, _ values: [SQLValue]) throws(StoreError) -> String? {
        for (index, value) in values.enumerated() { try statement.bind(value, at: Int32(index + 1)) }
        defer { statement.reset() }
        return try statement.step() ? statement.text(0) : nil
    }

    /// What a name is the name of: of `ZoneName_3` ZoneMeter_3, of `SceneName_2` RecallScene_2. The view
    /// parameter_changes joins by the same rule.
    private static func named(by parameter: String) -> String? {
        for family in ChannelFamily.allCases where parameter.hasPrefix(family.prefix + "Name_") {
            return Meter(name: "\(family.prefix)Meter_\(parameter.dropFirst(family.prefix.count + 5))")?.name
        }
        for action in UnitAction.allCases where parameter.hasPrefix(action.nameParameter + "_") {
            return action.parameter + parameter.dropFirst(action.nameParameter.count)
        }
        let schedule = "BellScheduleName"
        return parameter.hasPrefix(schedule + "_") ? "TodaysBellSchedule" + parameter.dropFirst(schedule.count) : nil
    }
}
