import ArgumentParser
import Recorder
import RecorderStore

struct Tail: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a running recorder receives, as it comes.",
        discussion: """
            Reads the feed beside the store, which any program may read: docs/feed.md. Ends when the recorder stops.

            Examples:
              atlas-recorder tail
              atlas-recorder tail --processor 'Main Bar' --meter ZoneMeter_0
              atlas-recorder tail --format json
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: ArgumentHelp("The store of the running recorder (default: as report).", valueName: "FILE"))
    var store: String?

    @Option(help: ArgumentHelp("Only this processor.", valueName: "NAME"))
    var processor: String?

    @Option(help: ArgumentHelp("Only this meter: ZoneMeter_0, or its label.", valueName: "NAME"))
    var meter: String?

    @Option(help: "text, or json: the lines as they are.")
    var format = Format.text

    func run() throws {
        let (path, isChosen) = StorePath.forReading(flag: store, Console.environment)
        if !isChosen { Console.note("store: \(path)") }
        do {
            let reader = try FeedReader(store: path)
            reader.lines { bytes in
                let line = FeedLine(bytes)
                guard isWanted(line) else { return true }
                let text = format == .json ? String(decoding: bytes, as: UTF8.self) : line.shown
                guard let text else { return true }
                do { try Console.answer(text + "\n") } catch { return false }
                return true
            }
        } catch {
            throw Console.failure(error)
        }
        Console.note("the recorder has ended the feed")
    }

    private func isWanted(_ line: FeedLine) -> Bool {
        if let processor, let name = line.string("processor"), name != processor { return false }
        guard let meter, let name = line.string("meter") else { return true }
        return name == meter || line.string("label") == meter
    }
}
