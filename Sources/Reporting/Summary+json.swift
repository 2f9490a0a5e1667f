import WallTime

extension Summary {
    /// The object of `--format json`; docs/report.schema.json describes it. `halves`: the same window before and after
    /// its split.
    func json(split halves: SplitSummary? = nil) -> String {
        var members: [(String, JSONText)] = [("version", .integer(1)), ("store", .text(store))] + members
        if let halves {
            members.append(
                (
                    "split",
                    .object([
                        ("time", .text(LocalTime.iso8601(halves.split))), ("before", .object(halves.before.members)),
                        ("after", .object(halves.after.members)),
                    ])
                ))
        }
        return JSONText.object(members).written() + "\n"
    }

    private var members: [(String, JSONText)] {
        [
            ("since", .text(LocalTime.iso8601(question.since))),
            ("until", .text(LocalTime.iso8601(question.until))),
            ("window_seconds", seconds(window)),
            ("recorded_seconds", seconds(recorded)),
            ("processors", .array(processors.map(\.json))),
            ("outages", .array(outages.map(\.json))),
            ("errors", .array(errors.map { $0.json(perHour: perHour($0.count)) })),
            ("losses", .array(losses.map(\.json))),
            ("taken", .array(thieves.map(\.json))),
            ("removed", .array(removed.map(\.json))),
        ]
    }
}

private func seconds(_ microseconds: Int64) -> JSONText { .number(Double(microseconds) / 1e6) }
private func time(_ microseconds: Int64?) -> JSONText { .text(microseconds.map { LocalTime.iso8601($0) }) }

extension Summary.ProcessorSummary {
    fileprivate var json: JSONText {
        .object([
            ("processor", .text(processor)), ("host", .text(host)), ("samples", .integer(samples)),
            ("samples_lost", .integer(samplesLost)), ("datagrams_lost", .integer(datagramsLost)),
            ("links", .array(links.map(\.json))),
        ])
    }
}

extension Summary.LinkSummary {
    fileprivate var json: JSONText {
        .object([
            ("link", .text(link)), ("state", .text(state)), ("state_since", time(stateSince)), ("cause", .text(cause)),
            ("up_seconds", seconds(up)), ("down_seconds", seconds(down)), ("unknown_seconds", seconds(unknown)),
            ("uptime_percent", .number(uptimePercent)), ("outages", .integer(outages)),
            ("longest_outage_seconds", seconds(longestOutage)),
        ])
    }
}

extension Summary.Outage {
    fileprivate var json: JSONText {
        .object([
            ("processor", .text(processor)), ("link", .text(link)), ("started", time(started)), ("ended", time(ended)),
            ("seconds", .number(seconds)), ("cause", .text(cause)), ("causes", .array(causes.map { .text($0) })),
        ])
    }
}

extension Summary.SocketError {
    fileprivate func json(perHour: Double?) -> JSONText {
        .object([
            ("code", .text(code)), ("socket", .text(socket)), ("operation", .text(operation)),
            ("count", .integer(count)), ("per_hour", .number(perHour)),
            ("first", time(first)), ("last", time(last)), ("last_before", time(lastBefore)),
            ("processor", .text(processor)), ("holder", .text(holder)), ("message", .text(message)),
        ])
    }
}

extension Summary.Loss {
    fileprivate var json: JSONText {
        .object([
            ("processor", .text(processor)), ("reason", .text(reason)), ("from", time(from)), ("until", time(until)),
            ("datagrams", .integer(datagrams)), ("samples", .integer(samples)),
        ])
    }
}

extension Summary.Thief {
    fileprivate var json: JSONText {
        .object([
            ("processor", .text(processor)), ("program", .text(program)), ("times", .integer(times)),
            ("first", time(first)), ("last", time(last)), ("last_by", .text(lastBy)), ("seconds", .number(seconds)),
        ])
    }
}
