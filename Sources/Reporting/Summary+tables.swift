import RecorderStore
import WallTime

/// The summary as tables, for CSV and Markdown: the JSON's names and figures. `part` is `before` or `after` of a split.
extension Summary {
    /// The CSV: `links`, and on each row the window that its figures are of.
    func csvTable(part: String? = nil) -> Table {
        let window = [time(question.since), time(question.until), seconds(window), seconds(recorded)]
        let links = links()
        return table(
            part, ["since", "until", "window_seconds", "recorded_seconds"] + links.columns,
            links.rows.map { window + $0 })
    }

    /// A row for each processor and link. What was stored and lost stands with the meters' link, once.
    func links(part: String? = nil) -> Table {
        table(
            part,
            [
                "processor", "host", "link", "state", "state_since", "cause", "up_seconds", "down_seconds",
                "unknown_seconds", "uptime_percent",
                "outages", "longest_outage_seconds", "samples", "samples_lost", "datagrams_lost",
            ],
            processors.flatMap { unit in unit.links.map { (unit, $0) } }.map { unit, link in
                let counts = [unit.samples, unit.samplesLost, unit.datagramsLost]
                return [
                    .text(unit.processor), .text(unit.host), .text(link.link), .text(link.state),
                    time(link.stateSince), .text(link.cause), seconds(link.up), seconds(link.down),
                    seconds(link.unknown), .number(link.uptimePercent), .integer(link.outages),
                    seconds(link.longestOutage),
                ] + counts.map { link.link == "meters" ? .integer($0) : .null }
            })
    }

    func outagesTable(part: String? = nil) -> Table {
        table(
            part, ["processor", "link", "started", "ended", "seconds", "cause", "causes"],
            outages.map {
                [
                    .text($0.processor), .text($0.link), time($0.started), time($0.ended), .number($0.seconds),
                    .text($0.cause), .text($0.causes.joined(separator: " ")),
                ]
            })
    }

    func errorsTable(part: String? = nil) -> Table {
        table(
            part,
            [
                "code", "socket", "operation", "count", "per_hour", "first", "last", "last_before", "processor",
                "holder",
                "message",
            ],
            errors.map {
                [
                    .text($0.code), .text($0.socket), .text($0.operation), .integer($0.count),
                    .number(perHour($0.count)), time($0.first), time($0.last), time($0.lastBefore), .text($0.processor),
                    .text($0.holder), .text($0.message),
                ]
            })
    }

    func lossesTable(part: String? = nil) -> Table {
        table(
            part, ["processor", "reason", "from", "until", "datagrams", "samples"],
            losses.map {
                [
                    .text($0.processor), .text($0.reason), time($0.from), time($0.until), .integer($0.datagrams),
                    $0.samples.map { .integer($0) } ?? .null,
                ]
            })
    }

    private func table(_ part: String?, _ columns: [String], _ rows: [[SQLValue]]) -> Table {
        let table = Table(columns: columns, rows: rows)
        return part.map { table.leading(with: $0) } ?? table
    }
}

private func seconds(_ microseconds: Int64) -> SQLValue { .number(Double(microseconds) / 1e6) }
private func time(_ microseconds: Int64?) -> SQLValue { .text(microseconds.map { LocalTime.iso8601($0) }) }

extension SQLValue {
    /// Whole numbers without a point, as in the JSON.
    fileprivate static func number(_ value: Double?) -> SQLValue {
        guard let value else { return .null }
        return Int64(exactly: value).map { .integer($0) } ?? .real(value)
    }
}

extension Table {
    /// The table with a first column that says which side of the split its rows are of.
    func leading(with part: String) -> Table {
        Table(columns: ["part"] + columns, rows: rows.map { [.text(part)] + $0 })
    }

    /// The rows of tables that have the same columns.
    static func joined(_ tables: [Table]) -> Table {
        Table(columns: tables[0].columns, rows: tables.flatMap(\.rows))
    }
}
