import ArgumentParser
import Diagnosis
import Glibc
import Recorder
import RecorderStore
import Reporting
import WallTime

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read the whole store and say whether it is sound.",
        discussion: """
            SQLite's integrity_check, and what is true of every sound store: no hole in a link's states, each minute's samples as \
            many as were counted, nothing lost without a row. Exits with 0 if all is well, else with 1. Reads only, beside a running \
            recorder too; a large store takes its time.

            Examples:
              atlas-recorder check
              atlas-recorder check --store /var/lib/atlas-recorder/atlas.sqlite --format json
            """)

    @Option(help: ArgumentHelp("The store (default: as report).", valueName: "FILE"))
    var store: String?

    @Option(help: "text or json.")
    var format = PageFormat.text

    func run() throws {
        let path = try Console.storeToRead(flag: store).path
        let page = StoreChecker(store: path).examine(at: Console.now)
        let style = Style(isColoured: Console.showsColour, isUnicode: Style.isUnicode(Console.environment))
        try Console.answer(page.rendered(as: format, style))
        guard page.isWell else { throw ExitCode(1) }
    }
}

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the store as it is at one moment, beside a running recorder.",
        discussion: """
            The copy is whole, checked and synced before it gets its name; an existing file is never written over. Until then it \
            is FILE.PID.atlas-partial; one that was left by a kill is removed by the next backup into that folder. It is a store \
            like any other: report, check and sqlite3 -readonly read it, from a read-only disk too.

            Example:
              atlas-recorder backup /mnt/usb/atlas-2025-10-21.sqlite
            """)

    @Argument(help: ArgumentHelp("The copy to make.", valueName: "FILE"))
    var file: String

    @Option(help: ArgumentHelp("The store (default: as report).", valueName: "FILE"))
    var store: String?

    func run() throws {
        let path = try Console.storeToRead(flag: store).path
        do {
            let showsProgress = isatty(STDERR_FILENO) == 1
            let bytes = try StoreBackup.copy(path, to: file) { copied, all in
                if showsProgress { Console.progress("\(copied * 100 / max(all, 1)) %") }
            }
            if showsProgress { Console.progress("") }
            try Console.answer("backed up \(path) to \(file), \(bytes) bytes\n")
        } catch {
            throw Console.failure(error)
        }
    }
}

struct Rescue: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy what can be read of a damaged store into a new one.",
        discussion: """
            A recorder that finds its store damaged keeps it under a name with the time and begins a new one; this gets back what \
            was in it. Reads the damaged file only, with the write-ahead log beside it. The new one gets its name when it is whole; \
            an existing file is never written over. It says itself what was lost: the event store_rescued, and rows of \
            sample_losses for the samples that were stored and are not found.

            Example:
              atlas-recorder rescue atlas.sqlite.damaged-20251021-163000 rescued.sqlite
            """)

    @Argument(help: ArgumentHelp("The damaged store.", valueName: "DAMAGED"))
    var damaged: String

    @Argument(help: ArgumentHelp("The store to make.", valueName: "NEW"))
    var new: String

    func run() throws {
        do {
            let result = try StoreRescue.copy(damaged, to: new, at: Console.now) { Console.line(line($0)) }
            if let note = result.note { Console.note(note) }
            let lost =
                switch result.samplesLost {
                case 0: ""
                case 1: " 1 sample that was stored is lost (sample_losses, store_damaged)."
                default: " \(result.samplesLost) samples that were stored are lost (sample_losses, store_damaged)."
                }
            try Console.answer(
                "\(result.isWhole ? "Everything could be read." : "The rest was saved.\(lost)") "
                    + "Ask it: atlas-recorder report --store \(new)\n"
                    + "It stays a store of its own, beside the one that is recorded into now.\n")
        } catch {
            throw Console.failure(error)
        }
    }

    private func line(_ outcome: StoreRescue.Outcome) -> String {
        if outcome.isMissing { return "\(outcome.table): lost, the page that says where it is could not be read" }
        let refused = outcome.refused == 0 ? "" : ", \(outcome.refused) rows were nonsense"
        let gaps =
            outcome.gaps == 0 ? "" : ", \(outcome.gaps) \(outcome.gaps == 1 ? "place" : "places") could not be read"
        return "\(outcome.table): \(outcome.rows) rows\(gaps)\(refused)"
    }
}
