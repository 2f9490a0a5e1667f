import Recorder

/// The exposition of `/metrics`: OpenMetrics 1.0 for who asks for it, as Prometheus does, else Prometheus' older text format,
/// in which a counter's family has its samples' name.
struct MetricsText {
    enum Format {
        case openMetrics, prometheus

        /// By the request's `Accept`.
        init(accept: String) { self = accept.contains("application/openmetrics-text") ? .openMetrics : .prometheus }

        var type: String {
            switch self {
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            }
        }
    }

    private enum Kind: String {
        case counter, gauge
    }

    private let format: Format
    private(set) var text = ""

    /// `now`: microseconds of the clock of the view's `times`.
    init(_ format: Format, _ view: FeedView, now: Int64) {
        self.format = format
        family(
            "atlas_recorder_up", .gauge, "Whether a recorder writes the store now.", [([], view.isRecording ? 1 : 0)])
        if let version = view.version {
            family(
                "atlas_recorder_info", .gauge, "The recorder's version, always 1.", [([("version", version)], 1)])
        }
        write(links: view.board, view.times, now)
        if let status = view.status { write(status) }
        if format == .openMetrics { text += "# EOF\n" }
    }

    private mutating func write(links board: LiveBoard, _ times: LinkTimes, _ now: Int64) {
        var states, since, seconds: [Sample]
        (states, since, seconds) = ([], [], [])
        for unit in board.units {
            for (name, told) in unit.links.sorted(by: { $0.key < $1.key }) {
                let link = board.shown(told)
                let place = [("processor", unit.name), ("link", name)]
                for state in LinkTimes.states {
                    states.append((place + [("state", state)], link.state == state ? 1 : 0))
                    let spent = times.seconds(of: .init(processor: unit.name, link: name), in: state, now: now)
                    seconds.append((place + [("state", state)], spent))
                }
                since.append((place, Double(link.since) / 1e6))
            }
        }
        family("atlas_link_state", .gauge, "The state of a processor's link: 1 for the one that holds.", states)
        family(
            "atlas_link_state_since_seconds", .gauge, "When the link's state began, seconds since 1970 UTC.", since)
        family(
            "atlas_link_state_seconds", .counter, "Time that the link was in each state since this server began.",
            seconds
        )
    }

    private mutating func write(_ status: FeedMessage.Status) {
        func counter(_ name: String, _ help: String, _ value: Int64, over divisor: Double = 1) {
            family(name, .counter, help, [([], Double(value) / divisor)])
        }
        counter("atlas_samples_stored", "Samples stored since the recorder began.", status.samples)
        counter(
            "atlas_samples_duplicate", "Values that came a second time for another program of the host.",
            status.duplicates)
        counter("atlas_samples_lost", "Samples that did not become rows.", status.lostSamples)
        counter(
            "atlas_datagrams_lost", "Datagrams that were lost with nobody knows how many samples.", status.lostDatagrams
        )
        counter("atlas_commits", "Commits to the store.", status.commits)
        counter("atlas_commit_seconds", "Time that commits took.", status.commitTime, over: 1e6)
        family(
            "atlas_longest_commit_seconds", .gauge, "The longest commit of the last second.",
            [([], Double(status.longestCommit) / 1e6)])
        family(
            "atlas_queue_bytes", .gauge,
            "Memory of samples on their way to a commit; 200 to 300 KB at rest with one unit.",
            [([], Double(status.queueBytes))])
        family(
            "atlas_entries_waiting", .gauge, "Events and errors that wait because the store refuses.",
            [([], Double(status.entriesWaiting))])
        // Always there: an error that was never seen is 0, not absent.
        var errors = status.errors
        errors["udp bind EADDRINUSE"] = errors["udp bind EADDRINUSE"] ?? 0
        let samples = errors.sorted { $0.key < $1.key }.map { name, count -> Sample in
            let parts = name.split(separator: " ", maxSplits: 2).map(String.init)
            let labels = zip(["socket", "operation", "code"], parts).map { ($0, $1) }
            return (labels, Double(count))
        }
        family("atlas_socket_errors", .counter, "Errors of socket calls, by their errno's name.", samples)
    }

    private typealias Sample = (labels: [(String, String)], value: Double)

    private mutating func family(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        let full = kind == .counter ? name + "_total" : name
        let family = format == .openMetrics ? name : full
        text += "# HELP \(family) \(help)\n# TYPE \(family) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
            text += full + (labels.isEmpty ? "" : "{\(labels)}") + " \(Self.number(sample.value))\n"
        }
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    /// A label's value: a processor's name may hold anything, a quotation mark with an accent on it included.
    private static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
            case "\"": result.append(contentsOf: "\\\"".unicodeScalars)
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

/// How long each link was in each state, as the feed told it. Pure.
struct LinkTimes {
    struct Place: Hashable {
        let processor, link: String
    }
    static let states = ["up", "down", "unknown"]

    private struct Entry {
        var state: String
        var since: Int64
        var spent: [String: Int64] = [:]
    }
    private var entries: [Place: Entry] = [:]

    /// `now`: microseconds of a clock that nobody sets: a counter must not go back.
    mutating func change(_ place: Place, to state: String, at now: Int64) {
        var entry = entries[place] ?? Entry(state: state, since: now)
        entry.spent[entry.state, default: 0] += max(0, now - entry.since)
        (entry.state, entry.since) = (state, now)
        entries[place] = entry
    }

    func seconds(of place: Place, in state: String, now: Int64) -> Double {
        guard let entry = entries[place] else { return 0 }
        let running = entry.state == state ? max(0, now - entry.since) : 0
        return Double(entry.spent[state, default: 0] + running) / 1e6
    }
}
