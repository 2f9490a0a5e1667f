import RecorderStore

/// The answer to "was it up, and what went wrong": what the report `summary` shows, read from the reports' SQL. Times are
/// microseconds since 1970 UTC, lengths whole microseconds.
package struct Summary: Sendable, Equatable {
    package struct LinkSummary: Sendable, Equatable {
        package let link, state: String
        package let stateSince: Int64?
        package let cause: String?
        package let up, down, unknown: Int64
        package let uptimePercent: Double?
        package let outages: Int64
        package let longestOutage: Int64
    }
    package struct ProcessorSummary: Sendable, Equatable {
        package let processor, host: String
        package let samples, samplesLost: Int64
        /// Of which it is not known how many samples they held.
        package let datagramsLost: Int64
        package var links: [LinkSummary]
    }
    package struct Outage: Sendable, Equatable {
        package let processor, link: String
        package let started: Int64
        package let ended: Int64?
        package let seconds: Double
        package let cause: String
        package let causes: [String]
    }
    package struct SocketError: Sendable, Equatable {
        package let code, socket, operation: String
        package let count: Int64
        package let first, last, lastBefore: Int64?
        package let processor, holder, message: String?
    }
    package struct Loss: Sendable, Equatable {
        package let processor: String?
        package let reason: String
        package let from, until, datagrams: Int64
        package let samples: Int64?
    }

    /// Who took the meters: another program of the host.
    package struct Thief: Sendable, Equatable {
        package let processor, program, lastBy: String
        package let times, first, last: Int64
        package let seconds: Double
    }

    package let store: String
    package let question: Question
    package let recorded: Int64
    package let processors: [ProcessorSummary]
    package let outages: [Outage]
    package let errors: [SocketError]
    package let losses: [Loss]
    /// The latest first.
    package let thieves: [Thief]
    /// Where the store is not the one that it was at the window's begin, the earliest first.
    package let breaks: [StoreBreak]
    /// What of the window's time retention removed.
    package let removed: [Removal]
    /// When a recorder that has not ended said its last word, if that is in the window and seconds ago: what it had not stored
    /// then is counted at the next start. Microseconds since 1970 UTC.
    package let fellSilent: Int64?
    package var window: Int64 { question.until - question.since }
    /// `99.83`: what was recorded of the window, for people.
    var recordedPercent: String { Percent.text(Double(recorded) / Double(window) * 100) }

    /// How many that is in an hour of recorded time; nil where nothing was recorded.
    func perHour(_ count: Int64) -> Double? { recorded > 0 ? Double(count) * 3_600e6 / Double(recorded) : nil }

    /// How many outages the page of text lists; of a link that failed all year long there are too many to read.
    static let shownOutages = 20

    /// Asks the store. `latestOutages`: only so many outages, those that began last; nil: all. Throws `StoreError` where it
    /// cannot be read.
    package init(_ store: StoreReader, _ question: Question, latestOutages: Int? = nil) throws(StoreError) {
        func run(_ name: String) throws(StoreError) -> [Row] {
            let table = try Report.compiledIn(name).run(on: store, question)
            return table.rows.indices.map { Row(table: table, row: $0) }
        }
        self.store = store.path
        self.question = question
        recorded = try run("recorded").first?.integer("recorded_us") ?? 0
        var processors: [ProcessorSummary] = []
        for row in try run("summary") {
            let name = row.text("processor") ?? ""
            if processors.last?.processor != name {
                processors.append(
                    ProcessorSummary(
                        processor: name, host: row.text("host") ?? "", samples: row.integer("samples") ?? 0,
                        samplesLost: row.integer("samples_lost") ?? 0,
                        datagramsLost: row.integer("datagrams_lost") ?? 0, links: []))
            }
            processors[processors.count - 1].links.append(LinkSummary(row))
        }
        self.processors = processors
        outages = try Self.outages(store, question, latest: latestOutages)
        errors = try run("errors").map { SocketError($0) }
        losses = try run("losses").map { Loss($0) }
        thieves = try run("taken").map { Thief($0) }
        breaks = try StoreBreak.all(in: store, question)
        removed = try Removal.all(in: store, question)
        fellSilent = try Self.silence(store, question)
    }

    /// The reports that the figures come from, in the order in which they are asked.
    static let sources = ["recorded", "summary", "outages", "errors", "losses", "taken"]

    /// Every cause that a link was down or unknown of, in the window.
    package static func causes(_ store: StoreReader, _ question: Question) throws(StoreError) -> Set<String> {
        let causes = try store.query(
            """
            SELECT DISTINCT cause FROM link_states
             WHERE cause IS NOT NULL AND started_us < :until_us AND coalesce(ended_us, :until_us) > :since_us
               AND (ended_us IS NULL OR ended_us > started_us)
               AND (:processor IS NULL OR processor = :processor)
            UNION
            -- Before a link's first row nothing was recorded of it.
            SELECT 'not_recorded' FROM processor p
             WHERE (:processor IS NULL OR p.name = :processor)
               AND (SELECT min(s.started_us) FROM link_state s WHERE s.processor_id = p.id AND s.link = 'control') > :since_us
            """, question.parameters)
        return Set(causes.rows.map { $0[0].plain })
    }
}

extension Summary {
    /// As the view `recorder_runs` has it: a heartbeat comes with every commit, at least each second, and one that lies ahead
    /// was written before the clock was set back.
    private static func silence(_ store: StoreReader, _ question: Question) throws(StoreError) -> Int64? {
        guard let last = try store.lastRun(), last.ended == nil, abs(question.now - last.heartbeat) > 5_000_000,
            last.heartbeat >= question.since, last.heartbeat < question.until || question.until >= question.now
        else { return nil }
        return last.heartbeat
    }

    private static func outages(
        _ store: StoreReader, _ question: Question, latest: Int?
    ) throws(StoreError) -> [Outage] {
        let since = try latest.map { count throws(StoreError) in try begin(ofLatest: count, store, question) }
        let table = try Report.compiledIn("outages").run(on: store, since.map { question.after($0) } ?? question)
        let outages = table.rows.indices.map { Outage(Row(table: table, row: $0)) }
        return latest.map { Array(outages.suffix($0)) } ?? outages
    }

    /// A time from which on there are more than `count` outages, or the window's begin: to look at every outage of a year
    /// takes long where there are many. Goes from row to row backwards, and only so far.
    private static func begin(
        ofLatest count: Int, _ store: StoreReader, _ question: Question
    ) throws(StoreError) -> Int64 {
        var parameters = question.parameters
        parameters[":count"] = .integer(Int64(count))
        let begin = try store.query(
            """
            SELECT min(coalesce((
                SELECT d.started_us FROM link_state d
                 WHERE d.processor_id = p.id AND d.link = k.link AND d.state = 'down' AND d.started_us >= :since_us
                   AND d.started_us < :until_us
                   AND (SELECT b.state FROM link_state b
                         WHERE b.processor_id = d.processor_id AND b.link = d.link AND b.started_us < d.started_us
                         ORDER BY b.started_us DESC LIMIT 1) IS NOT 'down'
                 ORDER BY d.started_us DESC LIMIT 1 OFFSET :count), :since_us))
              FROM processor p CROSS JOIN (SELECT 'control' AS link UNION ALL SELECT 'meters') k
             WHERE :processor IS NULL OR p.name = :processor
            """, parameters)
        guard case .integer(let time)? = begin.rows.first?.first else { return question.since }
        return time
    }
}

/// A row by its columns' names.
struct Row {
    let table: Table
    let row: Int

    func integer(_ column: String) -> Int64? {
        switch table.value(row, column) {
        case .integer(let value): value
        case .real(let value): Int64(exactly: value.rounded())
        case .null, .text: nil
        }
    }
    func real(_ column: String) -> Double? {
        switch table.value(row, column) {
        case .integer(let value): Double(value)
        case .real(let value): value
        case .null, .text: nil
        }
    }
    func text(_ column: String) -> String? {
        if case .text(let value) = table.value(row, column) { value } else { nil }
    }
}

extension Summary.LinkSummary {
    init(_ row: Row) {
        link = row.text("link") ?? ""
        state = row.text("state") ?? ""
        stateSince = row.integer("state_since_us")
        cause = row.text("cause")
        (up, down) = (row.integer("up_us") ?? 0, row.integer("down_us") ?? 0)
        unknown = row.integer("unknown_us") ?? 0
        uptimePercent = row.real("uptime_percent")
        (outages, longestOutage) = (row.integer("outages") ?? 0, row.integer("longest_outage_us") ?? 0)
    }
}

extension Summary.Outage {
    init(_ row: Row) {
        (processor, link) = (row.text("processor") ?? "", row.text("link") ?? "")
        (started, ended) = (row.integer("started_us") ?? 0, row.integer("ended_us"))
        seconds = row.real("seconds") ?? 0
        cause = row.text("cause") ?? ""
        // A JSON array of codes that have no quotes in them.
        causes = (row.text("causes") ?? "").split { "[\",]".contains($0) }.map(String.init)
    }
}

extension Summary.SocketError {
    init(_ row: Row) {
        (code, socket) = (row.text("code") ?? "", row.text("socket") ?? "")
        operation = row.text("operation") ?? ""
        count = row.integer("count") ?? 0
        (first, last, lastBefore) = (row.integer("first_us"), row.integer("last_us"), row.integer("last_before_us"))
        (processor, holder, message) = (row.text("processor"), row.text("holder"), row.text("message"))
    }
}

extension Summary.Loss {
    init(_ row: Row) {
        processor = row.text("processor")
        reason = row.text("reason") ?? ""
        (from, until) = (row.integer("from_us") ?? 0, row.integer("until_us") ?? 0)
        (datagrams, samples) = (row.integer("datagrams") ?? 0, row.integer("samples"))
    }
}

extension Summary.Thief {
    init(_ row: Row) {
        (processor, program) = (row.text("processor") ?? "", row.text("program") ?? "")
        lastBy = row.text("last_by") ?? program
        (times, first, last) = (row.integer("times") ?? 0, row.integer("first_us") ?? 0, row.integer("last_us") ?? 0)
        seconds = row.real("seconds") ?? 0
    }
}
