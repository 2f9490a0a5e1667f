import RecorderStore
import Reports

/// A question to the store: SQL with the parameters `:since_us`, `:until_us` and `:processor`.
package struct Report: Sendable {
    package let name: String
    package let sql: String

    /// The reports that come with the program, by name.
    package static let all = Reports.files.map { Report(name: $0.name, sql: $0.sql) }

    package init(name: String, sql: String) { (self.name, self.sql) = (name, sql) }

    /// One of `all`, or nil.
    package init?(named name: String) {
        guard let report = Report.all.first(where: { $0.name == name }) else { return nil }
        self = report
    }

    /// One that comes with the program.
    static func compiledIn(_ name: String) -> Report {
        guard let report = Report(named: name) else { preconditionFailure("reports/\(name).sql is not compiled in") }
        return report
    }

    /// The first line of the SQL's comment: what the report tells.
    package var purpose: String {
        let line = sql.split(separator: "\n").first { $0.hasPrefix("--") } ?? ""
        return line.drop { $0 == "-" || $0 == " " }.description
    }

    package func run(on store: StoreReader, _ question: Question) throws(StoreError) -> Table {
        var parameters = question.parameters
        parameters[":log_bytes"] = .integer(store.logBytes)
        return try store.query(sql, parameters)
    }
}

/// The window and the unit that a report is asked for.
package struct Question: Sendable, Equatable {
    /// Microseconds since 1970 UTC; `until` is not part of the window.
    package let since, until: Int64
    /// A unit's name; nil for all.
    package let processor: String?
    /// Now, as the window was resolved.
    package let now: Int64

    /// Into how many cells a timeline divides the window.
    let cells: Int

    package init(since: Int64, until: Int64, processor: String?, now: Int64) {
        self.init(since: since, until: until, processor: processor, now: now, cells: 60)
    }

    private init(since: Int64, until: Int64, processor: String?, now: Int64, cells: Int) {
        (self.since, self.until, self.processor, self.now) = (since, until, processor, now)
        self.cells = cells
    }

    /// The same of the time before or after `split`, which lies inside the window.
    package func before(_ split: Int64) -> Question {
        Question(since: since, until: split, processor: processor, now: now, cells: cells)
    }
    package func after(_ split: Int64) -> Question {
        Question(since: split, until: until, processor: processor, now: now, cells: cells)
    }
    func asking(processor: String) -> Question {
        Question(since: since, until: until, processor: processor, now: now, cells: cells)
    }
    func asking(cells: Int) -> Question {
        Question(since: since, until: until, processor: processor, now: now, cells: cells)
    }

    var parameters: [String: SQLValue] {
        [
            ":since_us": .integer(since), ":until_us": .integer(until), ":processor": .text(processor),
            ":cells": .integer(Int64(cells)),
        ]
    }
}
