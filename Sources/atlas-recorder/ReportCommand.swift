import ArgumentParser
import Configuration
import Glibc
import RecorderStore
import Reporting
import WallTime

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Tell from the store what was up, what was down, and which errors there were.",
        discussion: """
            Reads only: beside a running recorder, after it stopped, after it was killed.

            T is a local time (16:30, today, yesterday, 2025-10-21, 2025-10-21 16:30), a time ago (15m, 2h, 3d, \
            '2 hours ago') or an instant (2025-10-21T16:30:00Z, @1761082200). A bare 16:30 is the last one.

            --split puts the time before T and after it side by side: errors an hour, uptime, outages, samples \
            lost. "gone" is said only where enough was recorded to tell. With it, --fail-on judges the time after T.

            Examples:
              atlas-recorder report --since 16:30
              atlas-recorder report --since yesterday --split 16:30
              atlas-recorder report outages --since 1w --format csv
              atlas-recorder report --since yesterday --until today --format json
              atlas-recorder report --since yesterday --format html > report.html
              atlas-recorder report --since 16:30 --fail-on EADDRINUSE && echo fixed
              atlas-recorder report --since yesterday --split 16:30 --fail-on EADDRINUSE
            """)

    @Argument(help: ArgumentHelp("One of --list, or a file of your own that ends in .sql.", valueName: "NAME"))
    var name = "summary"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("From this time on (default: the last 24 hours).", valueName: "T"))
    var since: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Up to this time (default: now).", valueName: "T"))
    var until: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Tell the time before and after this apart, side by side.", valueName: "T"))
    var split: String?

    @Option(help: ArgumentHelp("Only this processor.", valueName: "NAME"))
    var processor: String?

    @Option(help: ArgumentHelp("text, json, csv, markdown or html (a page for a browser).", valueName: "FORMAT"))
    var format: ReportFormat = .text

    @Option(
        help: ArgumentHelp(
            "The store (default: $ATLAS_RECORDER_STORE, else /var/lib/atlas-recorder/atlas.sqlite, else "
                + "~/.local/state/atlas-recorder/atlas.sqlite).", valueName: "FILE"))
    var store: String?

    @Option(
        name: .customLong("fail-on"),
        help: ArgumentHelp(
            "Exit with 2 if this was in the window: an errno's name, a cause, any, or unrecorded; repeat for several. With "
                + "1 if nothing of the window was recorded. With --split: after it.", valueName: "CODE"))
    var failOn: [String] = []

    @Flag(help: "List the reports.")
    var list = false

    @Flag(help: "Print what would be asked, with the times, for sqlite3 -readonly; ask nothing.")
    var showSQL = false

    mutating func validate() throws {
        if store == "" { throw ValidationError("--store '': name a file, or leave the flag out.") }
        if list || showSQL, !failOn.isEmpty {
            throw ValidationError("--fail-on judges an answer: leave out \(list ? "--list" : "--show-sql").")
        }
        do {
            for argument in failOn { _ = try FailCondition(argument: argument) }
        } catch {
            throw Console.usage(error)
        }
    }

    func run() throws {
        do {
            try answer()
        } catch {
            throw Console.failure(error)
        }
    }

    private func answer() throws {
        if list {
            let width = Report.all.map(\.name.count).max() ?? 0
            for report in Report.all {
                Console.line(
                    report.name + String(repeating: " ", count: width - report.name.count) + "  " + report.purpose)
            }
            return
        }
        let report = try chosenReport()
        let inquiry = try chosenWindow(report)
        if showSQL { return try Console.answer(inquiry.sql) }
        let (path, isChosen) = try Console.storeToRead(flag: store)
        let reader = try openStore(path, isChosen: isChosen)
        try checkProcessor(reader)
        let saysItself = report.name == "store" || (report.name == "summary" && [.text, .json, .html].contains(format))
        if !saysItself {
            for removal in try Removal.all(in: reader, inquiry.question) { Console.note(removal.words) }
        }
        let style = Style(isColoured: Console.showsColour, isUnicode: Style.isUnicode(Console.environment))
        try Console.answer(inquiry.answer(from: reader, style))
        if !failOn.isEmpty { try judge(inquiry, reader) }
    }

    /// The exit code of `--fail-on`, with the reason on stderr.
    private func judge(_ inquiry: Inquiry, _ reader: StoreReader) throws {
        let window = inquiry.judged
        if inquiry.split != nil {
            Console.note("--fail-on judges the time after the split, from \(LocalTime.textWithZone(window.since)) on")
        }
        let conditions = try failOn.map { try FailCondition(argument: $0) }
        let causes = try Summary.causes(reader, window)
        switch try Summary(reader, window).verdict(on: conditions, causes: causes) {
        case .found(let what):
            Console.note("found: \(what)")
            throw ExitCode(2)
        case .couldNotTell:
            Console.note("could not tell: nothing of this window was recorded. Choose one in which a recorder ran.")
            throw ExitCode(1)
        case .lost(let words):
            Console.note("could not tell: not found among the errors that are left; \(words)")
            throw ExitCode(1)
        case .notFound(let unrecorded):
            guard unrecorded > 0 else { return }
            Console.note("not found, but \(Double(unrecorded) / 1e6) s of this window were not recorded")
        }
    }

    /// Who tried `run --simulate` first has a store, only not the one that `report` looks for.
    private func openStore(_ path: String, isChosen: Bool) throws -> StoreReader {
        if !isChosen, access(path, F_OK) != 0 {
            let simulated = StorePath.forWriting(flag: nil, file: "simulated.sqlite", Console.environment)
            if access(simulated, R_OK) == 0 { Console.note("there is a simulation's store: --store '\(simulated)'") }
        }
        return try StoreReader(path: path)
    }

    private func chosenReport() throws -> Report {
        if name.hasSuffix(".sql") {
            return Report(
                name: name, sql: try TextFile.read(name, as: "the report", remedy: "Name a file with one SELECT in it.")
            )
        }
        guard let report = Report(named: name) else {
            throw ValidationError(
                "There is no report '\(name)'.\(Guess.clause(name, among: Report.all.map(\.name))) There are \(Report.all.map(\.name).joined(separator: ", ")); "
                    + "a report of your own is a file that ends in .sql.")
        }
        return report
    }

    private func chosenWindow(_ report: Report) throws -> Inquiry {
        let now = Console.now
        do {
            let window = try ReportWindow(since: since, until: until, split: split, now: now)
            for note in window.notes { Console.note(note) }
            let question = Question(
                since: window.sinceMicroseconds, until: window.untilMicroseconds, processor: processor, now: now)
            return Inquiry(report, question, split: window.splitMicroseconds, format: format)
        } catch {
            throw Console.usage(error)
        }
    }

    /// A name that is not in the store would answer "nothing was wrong".
    private func checkProcessor(_ reader: StoreReader) throws {
        guard let processor else { return }
        let names = try reader.query("SELECT name FROM processor ORDER BY name").rows.compactMap { row -> String? in
            if case .text(let name) = row[0] { name } else { nil }
        }
        guard !names.contains(processor) else { return }
        let known = names.isEmpty ? "it holds none yet" : "it holds " + names.map { "'\($0)'" }.joined(separator: ", ")
        throw ValidationError("There is no processor '\(processor)' in this store: \(known).")
    }
}

extension ReportFormat: ExpressibleByArgument {}
