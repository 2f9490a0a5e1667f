import ArgumentParser
import Glibc
import RecorderStore
import WallTime

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Delete what is older than what is kept, from a store that nobody records into.",
        discussion: """
            A recorder prunes its store by itself, in small steps; this is for a store at rest, or to see what would go. --dry-run \
            tells and changes nothing, beside a running recorder too. --yes deletes, gives the room back, and says what went; it \
            needs the store's lock, and exits with 75 while a recorder has it. Ended by Ctrl-C the store is whole, and the next \
            one goes on. What age means is taken from this host's clock: where it is over 400 days ahead of what the store \
            recorded last, --yes deletes nothing, unless --trust-clock says that it is right.

            Examples:
              atlas-recorder prune --dry-run
              atlas-recorder prune --yes --keep-samples 30d --max-size 2GB --store old.sqlite
            """)

    @Flag(help: "Tell what would go; delete nothing.")
    var dryRun = false

    @Flag(help: "Delete it.")
    var yes = false

    @Flag(help: "Delete also where this host's clock is over 400 days ahead of what the store recorded last.")
    var trustClock = false

    @Option(help: ArgumentHelp("The store (default: as report).", valueName: "FILE"))
    var store: String?

    @Option(help: ArgumentHelp("The configuration file (default: as run).", valueName: "FILE"))
    var config: String?

    @OptionGroup var retention: RetentionOptions

    func validate() throws {
        guard dryRun != yes else {
            throw ValidationError(
                """
                \(dryRun ? "Use --dry-run or --yes, not both." : "Use --dry-run or --yes.") --dry-run tells what would be \
                deleted and changes nothing; --yes deletes it, and there is no way back but a backup (atlas-recorder backup).
                """)
        }
        if store == "" { throw ValidationError("--store '': name a file, or leave the flag out.") }
    }

    func run() throws {
        let file = try ConfigurationArgument.fileToRead(config)
        let path = Console.storeToRead(flag: store, file).path
        do {
            // A file that somebody names; else what the store's own recorder was told, by flags too.
            let named = config == nil ? nil : file?.retention
            let told = try StorePruning.told(path)
            let base = named ?? told ?? file?.retention ?? .default
            let retention = try retention.over(base)
            let origin = Self.origin(
                isFlagged: retention != base, isTold: named == nil && told != nil, isFile: base == file?.retention)
            try dryRun ? preview(path, retention, origin) : prune(path, retention, origin)
        } catch {
            if (error as? StoreError)?.kind == .lockHeld {
                Console.note("it prunes by itself while it runs: give it the same flags; --dry-run works beside it")
            }
            throw Console.failure(error)
        }
    }

    private func preview(_ path: String, _ retention: Retention, _ origin: String) throws {
        let now = Console.now
        let (shares, bytes, budget) = try StorePruning.preview(path, retention, at: now)
        Console.line("at \(LocalTime.textWithZone(now)); kept: \(Self.words(retention)) (\(origin))")
        for share in shares {
            Console.line(
                "\(share.kind): \(share.rows) rows, from \(LocalTime.text(share.from).prefix(19)) to \(LocalTime.text(share.until).prefix(19))"
            )
        }
        if shares.isEmpty { Console.line("nothing is older than that") }
        if let budget, bytes > budget {
            Console.line(
                "size: \(SizeExpression.text(bytes)) are in use, \(SizeExpression.text(bytes - budget)) too many: if what goes for "
                    + "its age does not make that room, the oldest samples go, then the oldest minutes")
        }
        Console.line("nothing was deleted: --yes does it")
    }

    /// Where the limits come from.
    private static func origin(isFlagged: Bool, isTold: Bool, isFile: Bool) -> String {
        let base = isTold ? "as its recorder was told" : isFile ? "of the configuration file" : "the defaults"
        return isFlagged ? "of the flags, the rest \(base)" : base
    }

    private func prune(_ path: String, _ retention: Retention, _ origin: String) throws {
        let before = Self.size(path)
        let now = Console.now
        // Before anything goes: whoever sees a wrong time here can still press Ctrl-C.
        Console.line("at \(LocalTime.textWithZone(now)); kept: \(Self.words(retention)) (\(origin))")
        if !trustClock, let last = try StorePruning.lastRecorded(path), now - last > Self.longestRest {
            Console.note(
                """
                this host's clock shows \(LocalTime.text(now).prefix(19)), over 400 days after the store recorded last \
                (\(LocalTime.text(last).prefix(19))): nothing was deleted. If the clock is wrong, set it right; if it is right, \
                add --trust-clock
                """)
            throw ExitCode(1)
        }
        signal(SIGINT) { _ in wasInterrupted = 1 }
        signal(SIGTERM) { _ in wasInterrupted = 1 }
        let pruning = try StorePruning(
            path, retention, holder: "prune, pid \(getpid()) since \(LocalTime.text(now).prefix(19))", at: now)
        let clock = ContinuousClock()
        let start = clock.now
        while wasInterrupted == 0, try pruning.step(elapsed: { (clock.now - start).microseconds }) {}
        let shares = try pruning.finish()
        for share in shares {
            Console.line("\(share.kind): \(share.rows) rows before \(LocalTime.text(share.until).prefix(19)) deleted")
        }
        if shares.isEmpty { Console.line("nothing was deleted; kept: \(Self.words(retention))") }
        Console.line("size: \(SizeExpression.text(before)) before, \(SizeExpression.text(Self.size(path))) now")
        if let bytes = pruning.exceeded {
            Console.note(
                "\(SizeExpression.text(bytes)) are in use, more than --max-size leaves beside the write-ahead log: samples and "
                    + "minutes are gone already, so keep events for less long (--keep-events), or allow more")
        }
        if wasInterrupted != 0 {
            Console.note("ended before all was deleted; the store is whole, and the next prune or recorder goes on")
            throw ExitCode(1)
        }
    }

    /// Over so long a time without a recorder, microseconds, a wrong clock is likelier. It is longer than a season.
    private static let longestRest = 400 * Retention.day

    /// Bytes of the store and its log.
    private static func size(_ path: String) -> Int64 {
        ["", "-wal"].reduce(0) { sum, suffix in
            var status = stat()
            return stat(path + suffix, &status) == 0 ? sum + Int64(status.st_size) : sum
        }
    }

    private static func words(_ retention: Retention) -> String {
        func days(_ length: Int64?) -> String { length.map { "\(Double($0 / 8_640_000_000) / 10) days" } ?? "for ever" }
        return
            "samples \(days(retention.samples)), minutes \(days(retention.minutes)), events \(days(retention.events))"
            + (retention.size.map { ", at most \(SizeExpression.text($0))" } ?? "")
    }
}

/// Set by a signal's handler, which may do nothing else.
private nonisolated(unsafe) var wasInterrupted: sig_atomic_t = 0

extension Duration {
    fileprivate var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
