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
        let path = try Console.storeToRead(flag: store).path
        do {
            var reader = try FeedReader(store: path)
            var known = KnownNames()
            var isFollowed = true
            reader.lines { bytes in
                let line = FeedLine(bytes)
                if let remark = known.remark(on: line, processor: processor, meter: meter) { Console.note(remark) }
                guard isWanted(line) else {
                    isFollowed = Console.hasReader
                    return isFollowed
                }
                let text = format == .json ? String(decoding: bytes, as: UTF8.self) : line.shown
                isFollowed = text.map { Console.follows($0) } ?? true
                return isFollowed
            }
            guard isFollowed else { return }
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

/// What the feed has named: so that a name it has not is told, and not waited for in silence.
private struct KnownNames {
    private var processors: [String] = []
    private var meters: Set<String> = []
    private var isTold = false

    /// Once, when every unit's links have been told and meters come.
    mutating func remark(on line: FeedLine, processor: String?, meter: String?) -> String? {
        guard !isTold else { return nil }
        if let name = line.string("processor"), !processors.contains(name) { processors.append(name) }
        guard let name = line.string("meter") else { return nil }
        if let processor, !processors.contains(processor) {
            isTold = true
            return "no processor is called '\(processor)'; there are \(processors.joined(separator: ", "))"
        }
        if let processor, line.string("processor") != processor { return nil }
        guard let meter else { return nil }
        if name == meter || line.string("label") == meter { isTold = true }
        // After a few hundred values every meter that is on has been named.
        guard !isTold, !meters.insert(name).inserted, !meters.isEmpty else { return nil }
        count += 1
        guard count == 400 else { return nil }
        isTold = true
        return "no meter '\(meter)' has said anything yet; there are \(meters.sorted().joined(separator: ", "))"
    }
    private var count = 0
}
