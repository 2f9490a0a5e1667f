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
            var decoder = FeedDecoder()
            var wanted = Wanted(processor: processor, meter: meter)
            var isFollowed = true
            reader.lines { bytes in
                let message = decoder.decode(bytes)
                let isWanted = wanted.take(message, decoder.meters)
                if let remark = wanted.remark() { Console.note(remark) }
                guard isWanted else {
                    isFollowed = Console.hasReader
                    return isFollowed
                }
                let text = format == .json ? String(decoding: bytes, as: UTF8.self) : message.text(decoder.meters)
                isFollowed = text.map { Console.follows($0) } ?? true
                return isFollowed
            }
            guard isFollowed else { return }
        } catch {
            throw Console.failure(error)
        }
        Console.note("the recorder has ended the feed")
    }
}

/// What of the feed is asked for. A name that the feed does not have is told, and not waited for in silence.
private struct Wanted {
    let processor, meter: String?
    /// Of the decoder's meters, those that were looked at so far: whether they are asked for.
    private var meters: [Bool] = []
    private var processors: [String] = []
    private var others: Set<String> = []
    private var isNamed = false
    private var isTold = false

    init(processor: String?, meter: String?) { (self.processor, self.meter) = (processor, meter) }

    mutating func take(_ message: FeedMessage, _ names: [FeedDecoder.MeterName]) -> Bool {
        switch message {
        case .link(let processor, _, _, _, _):
            note(processor)
            return self.processor == nil || self.processor == processor
        case .value(let index, _, _):
            for name in names[meters.count...] {
                note(name.processor)
                let isOfUnit = processor == nil || processor == name.processor
                let isMeter = meter == nil || meter == name.meter || meter == name.label
                if isOfUnit, isMeter { isNamed = true }
                if isOfUnit { others.insert(name.meter) }
                meters.append(isOfUnit && isMeter)
            }
            values += 1
            return meters[index]
        case .hello, .meter, .missed, .error, .status, .unreadable: return true
        }
    }
    private var values = 0

    private mutating func note(_ processor: String) {
        if !processors.contains(processor) { processors.append(processor) }
    }

    /// Once: when meters come, and so every unit's links were told; of a meter after a few hundred values, when each that is on
    /// has been named.
    mutating func remark() -> String? {
        guard !isTold, !isNamed, values > 0 else { return nil }
        if let processor, !processors.contains(processor) {
            isTold = true
            return "no processor is called '\(processor)'; there are \(processors.joined(separator: ", "))"
        }
        guard let meter, values >= 400, !others.isEmpty else { return nil }
        isTold = true
        return "no meter '\(meter)' has said anything yet; there are \(others.sorted().joined(separator: ", "))"
    }
}
