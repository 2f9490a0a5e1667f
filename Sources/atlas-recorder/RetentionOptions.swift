import ArgumentParser
import RecorderStore
import Reporting

/// How long what is kept, and how large the store may become: flags of `run` and `prune`.
struct RetentionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long samples are kept: 90d, 26w, 2y, or forever (default: the file's, else 90d). Minutes and hours of them stay.",
            valueName: "DURATION"))
    var keepSamples: String?

    @Option(
        help: ArgumentHelp(
            "How long each meter's minutes and hours are kept (default: the file's, else 5y).", valueName: "DURATION"))
    var keepMinutes: String?

    @Option(
        help: ArgumentHelp(
            "How long events, links' states and errors are kept (default: the file's, else forever).",
            valueName: "DURATION"))
    var keepEvents: String?

    @Option(
        help: ArgumentHelp(
            "What the store may take, its write-ahead log included: 20GB, 500MB, at least 10MB, or any. The oldest samples go "
                + "first, then the oldest minutes (default: the file's, else any).", valueName: "SIZE"))
    var maxSize: String?

    func validate() throws {
        do { _ = try over(.default) } catch { throw Console.usage(error) }
    }

    /// These, and what they leave open from `base`.
    func over(_ base: Retention) throws -> Retention {
        try Retention(
            samples: length(keepSamples, "--keep-samples", base.samples),
            minutes: length(keepMinutes, "--keep-minutes", base.minutes),
            events: length(keepEvents, "--keep-events", base.events), size: size(base.size))
    }

    private func length(_ text: String?, _ flag: String, _ base: Int64?) throws -> Int64? {
        guard let text else { return base }
        let length = try AgeExpression.parse(text, flag: flag)
        guard length ?? .max >= 3_600_000_000 else {
            throw ValidationError("\(flag) '\(text)': keep at least 1h; a day and more is usual (90d, 5y, forever).")
        }
        return length
    }

    private func size(_ base: Int64?) throws -> Int64? {
        guard let maxSize else { return base }
        if maxSize == "any" { return nil }
        do {
            return try SizeExpression.parse(maxSize)
        } catch {
            throw ValidationError("--max-size \(error), or any.")
        }
    }
}
