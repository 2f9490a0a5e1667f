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
        let (path, isChosen) = StorePath.forReading(flag: store, Console.environment)
        if !isChosen { Console.note("store: \(path)") }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let page = StoreChecker(store: path).examine(at: Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000)
        let style = Style(isColoured: Console.showsColour, isUnicode: Style.isUnicode(Console.environment))
        try Console.answer(page.rendered(as: format, style))
        guard page.isWell else { throw ExitCode(1) }
    }
}

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the store as it is at one moment, beside a running recorder.",
        discussion: """
            The copy is whole, checked and synced before it gets its name; an existing file is never written over. It is a store \
            like any other: report, check and sqlite3 -readonly read it, from a read-only disk too.

            Example:
              atlas-recorder backup /mnt/usb/atlas-2025-10-21.sqlite
            """)

    @Argument(help: ArgumentHelp("The copy to make.", valueName: "FILE"))
    var file: String

    @Option(help: ArgumentHelp("The store (default: as report).", valueName: "FILE"))
    var store: String?

    func run() throws {
        let (path, isChosen) = StorePath.forReading(flag: store, Console.environment)
        if !isChosen { Console.note("store: \(path)") }
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
            was in it. Reads the damaged file only, with the write-ahead log beside it; the new one must not exist.

            Example:
              atlas-recorder rescue atlas.sqlite.damaged-20251021-163000 rescued.sqlite
            """)

    @Argument(help: ArgumentHelp("The damaged store.", valueName: "DAMAGED"))
    var damaged: String

    @Argument(help: ArgumentHelp("The store to make.", valueName: "NEW"))
    var new: String

    func run() throws {
        do {
            let rescue = try StoreRescue(of: damaged, into: new)
            let outcomes = try rescue.run { outcome in
                let refused = outcome.refused == 0 ? "" : ", \(outcome.refused) rows were nonsense"
                let gaps =
                    outcome.gaps == 0
                    ? "" : ", \(outcome.gaps) \(outcome.gaps == 1 ? "place" : "places") could not be read"
                Console.line("\(outcome.table): \(outcome.rows) rows\(gaps)\(refused)")
            }
            let isWhole = outcomes.allSatisfy { $0.gaps == 0 && $0.refused == 0 }
            try Console.answer(
                isWhole
                    ? "Everything could be read. Ask it: atlas-recorder report --store \(new)\n"
                    : "The rest was saved. Ask it: atlas-recorder report --store \(new)\n")
        } catch {
            throw Console.failure(error)
        }
    }
}
