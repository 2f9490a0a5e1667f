import AtlasProtocol
import NIOCore
import RecorderStore
import WallTime

/// Writes what the feed's readers get: one JSON object a line (docs/feed.md).
struct FeedText {
    private typealias Channel = Feed.Knowledge.Channel

    /// The first line: who speaks.
    let hello: String
    private var names: [Int32: String]  // quoted
    private var meters: [Int32: [UInt16: Meter]] = [:]
    private var labels: [Int32: [Meter: String]] = [:]
    private var standings: [Feed.Place: Feed.Change] = [:]
    private var latest: [Int32: [(at: Int64, level: Double)?]] = [:]
    /// `"processor":…,"level_db":` of each meter, made once.
    private var middles: [Channel: [UInt8]] = [:]
    private var status: Feed.Status?
    /// Units of which a meter is new, or called otherwise.
    private var renamed: Set<Int32> = []
    private var lastTime: (at: Int64, text: [UInt8]) = (.min, [])

    init(_ processors: [RegisteredProcessor], store: String, version: String) {
        hello = "{\"feed\":1,\"recorder\":\(version.jsonQuoted),\"store\":\(store.jsonQuoted)}\n"
        names = Dictionary(uniqueKeysWithValues: processors.map { ($0.id, $0.spec.name.jsonQuoted) })
        for processor in processors {
            for (slot, meter) in processor.slots { meters[processor.id, default: [:]][slot] = meter }
            labels[processor.id] = processor.labels
        }
    }

    // MARK: what is known

    mutating func learn(_ new: Feed.Knowledge) {
        for (id, name) in new.units { names[id] = name.jsonQuoted }
        for (channel, meter) in new.slots { learn(meter, channel) }
        latest.merge(new.latest) { $1 }
        for (name, label) in new.labels { call(name.meter, of: name.processor, label) }
    }

    mutating func learn(_ new: [(processor: Int32, slot: UInt16, meter: Meter)]) {
        for (processor, slot, meter) in new { learn(meter, Channel(processor: processor, slot: slot)) }
    }

    private mutating func learn(_ meter: Meter, _ channel: Channel) {
        guard meters[channel.processor]?[channel.slot] != meter else { return }
        meters[channel.processor, default: [:]][channel.slot] = meter
        renamed.insert(channel.processor)
    }

    mutating func learn(_ change: Feed.Change) { standings[change.place] = change }

    private mutating func call(_ meter: Meter, of processor: Int32, _ label: String) {
        guard labels[processor]?[meter] != label else { return }
        labels[processor, default: [:]][meter] = label
        middles = middles.filter { $0.key.processor != processor || self.meter($0.key) != meter }
        renamed.insert(processor)
    }

    // MARK: lines

    /// What a new reader gets after it: each link's state, and how the recorder does.
    func standing() -> ByteBuffer {
        var buffer = ByteBuffer()
        writeStates(into: &buffer)
        if let status { buffer.writeString(status.line) }
        return buffer
    }

    /// Units whose meters arrive: of these a new reader gets each meter's last value.
    var flowing: [Int32] {
        latest.keys.filter { standings[Feed.Place(processor: $0, link: .meters)]?.state == .up }.sorted()
    }

    /// Units with meters.
    var units: Set<Int32> { Set(meters.keys) }

    mutating func takeRenamed() -> Set<Int32> {
        defer { renamed = [] }
        return renamed
    }

    /// Each meter of a unit with its place in the memory of levels.
    func meters(of processor: Int32) -> ByteBuffer {
        var buffer = ByteBuffer()
        for (slot, meter) in (meters[processor] ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let place = LevelMemory.place(of: slot, processor: processor) else { continue }
            let names = String(decoding: self.names(of: meter, processor), as: UTF8.self)
            buffer.writeString("{\"processor\":\(names),\"place\":\(place)}\n")
        }
        return buffer
    }

    mutating func lastValues(of processor: Int32) -> ByteBuffer {
        var buffer = ByteBuffer()
        for (index, value) in (latest[processor] ?? []).enumerated() {
            guard let value else { continue }
            write(value.level, slot: UInt16(index + 1), of: processor, at: value.at, into: &buffer)
        }
        return buffer
    }

    /// What a reader gets that has missed something: how many values, and each link's state.
    func missed(_ count: Int) -> ByteBuffer {
        var buffer = ByteBuffer(string: "{\"missed\":\(count)}\n")
        writeStates(into: &buffer)
        return buffer
    }

    mutating func line(of change: Feed.Change) -> String {
        learn(change)
        return text(of: change)
    }

    mutating func line(of new: Feed.Status) -> String {
        status = new
        return new.line
    }

    /// The values of one frame after `mark`, which moves on. Returns how many; nil: there are no more.
    mutating func write(
        _ block: FrameBlock, after mark: inout FrameBlock.Mark, into buffer: inout ByteBuffer
    ) -> Int? {
        var count = 0
        let goesOn = block.forNextValues(after: &mark) { at, processor, slot, level in
            write(level, slot: slot, of: processor, at: at, into: &buffer)
            count += 1
        }
        return goesOn ? count : nil
    }

    private func writeStates(into buffer: inout ByteBuffer) {
        for (_, change) in standings.sorted(by: {
            ($0.key.processor, $0.key.link.rawValue) < ($1.key.processor, $1.key.link.rawValue)
        }) { buffer.writeString(text(of: change)) }
    }

    private func text(of change: Feed.Change) -> String {
        let cause = change.state.cause.map { ",\"cause\":\"\($0)\"" } ?? ",\"cause\":null"
        return "{\"time\":\"\(LocalTime.iso8601(change.since))\",\"at_us\":\(change.since),"
            + "\"processor\":\(names[change.processor] ?? "null"),\"link\":\"\(change.link.rawValue)\","
            + "\"state\":\"\(change.state.name)\"\(cause)}\n"
    }

    private mutating func write(
        _ level: Double, slot: UInt16, of processor: Int32, at: Int64, into buffer: inout ByteBuffer
    ) {
        if lastTime.at != at {
            lastTime = (at, Array("{\"time\":\"\(LocalTime.iso8601(at))\",\"at_us\":\(at),\"processor\":".utf8))
        }
        buffer.writeBytes(lastTime.text)
        buffer.writeBytes(middle(Channel(processor: processor, slot: slot)))
        buffer.writeString("\(FeedMessage.number(level))}\n")
    }

    private mutating func middle(_ channel: Channel) -> [UInt8] {
        if let middle = middles[channel] { return middle }
        let middle = names(of: meter(channel), channel.processor) + Array(",\"level_db\":".utf8)
        middles[channel] = middle
        return middle
    }

    private func meter(_ channel: Channel) -> Meter? { meters[channel.processor]?[channel.slot] }

    /// What stands for a meter in every line of it, from its processor on.
    private func names(of meter: Meter?, _ processor: Int32) -> [UInt8] {
        let label = meter.flatMap { labels[processor]?[$0] }?.jsonQuoted ?? "null"
        return Array(
            "\(names[processor] ?? "null"),\"meter\":\((meter?.name ?? "").jsonQuoted),\"label\":\(label)".utf8)
    }
}
