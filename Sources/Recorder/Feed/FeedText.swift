import AtlasProtocol
import NIOCore
import RecorderStore
import WallTime

/// Writes what the feed's readers get: one JSON object a line (docs/feed.md).
struct FeedText {
    private struct Channel: Hashable {
        let processor: Int32
        let slot: UInt16
    }
    private struct Place: Hashable {
        let processor: Int32
        let link: Link
    }
    private struct Standing {
        var state: LinkState
        var since: Int64
    }

    private let hello: String
    private let names: [Int32: String]  // quoted
    private var meters: [Channel: Meter] = [:]
    private var labels: [Int32: [Meter: String]] = [:]
    private var standings: [Place: Standing] = [:]
    private var latest: [Int32: [(at: Int64, level: Double)?]] = [:]
    /// `"processor":…,"level_db":` of each meter, made once.
    private var middles: [Channel: [UInt8]] = [:]
    private var lastTime: (at: Int64, text: [UInt8]) = (.min, [])

    init(_ processors: [RegisteredProcessor], store: String, version: String) {
        hello = "{\"feed\":1,\"recorder\":\(version.jsonQuoted),\"store\":\(store.jsonQuoted)}\n"
        names = Dictionary(uniqueKeysWithValues: processors.map { ($0.id, $0.spec.name.jsonQuoted) })
        for processor in processors {
            for (slot, meter) in processor.slots { meters[Channel(processor: processor.id, slot: slot)] = meter }
            labels[processor.id] = processor.labels
        }
    }

    // MARK: what is known

    mutating func learn(_ new: [(processor: Int32, slot: UInt16, meter: Meter)]) {
        for (processor, slot, meter) in new { meters[Channel(processor: processor, slot: slot)] = meter }
    }

    mutating func learn(latest new: [(processor: Int32, values: [(at: Int64, level: Double)?])]) {
        for (processor, values) in new { latest[processor] = values }
    }

    mutating func name(_ meter: Meter, of processor: Int32, _ label: String) {
        guard labels[processor]?[meter] != label else { return }
        labels[processor, default: [:]][meter] = label
        middles = middles.filter { $0.key.processor != processor || meters[$0.key] != meter }
    }

    // MARK: lines

    /// What a new reader gets first: who speaks, each link's state, each meter's last value while the meters arrive.
    mutating func greeting() -> ByteBuffer {
        var buffer = ByteBuffer(string: hello)
        writeStates(into: &buffer)
        for (processor, values) in latest
        where standings[Place(processor: processor, link: .meters)]?.state == .up {
            for (index, value) in values.enumerated() {
                guard let value else { continue }
                write(value.level, slot: UInt16(index + 1), of: processor, at: value.at, into: &buffer)
            }
        }
        return buffer
    }

    /// What a reader gets that has missed values.
    mutating func missed(_ count: Int) -> ByteBuffer {
        var buffer = ByteBuffer(string: "{\"missed\":\(count)}\n")
        writeStates(into: &buffer)
        return buffer
    }

    mutating func change(_ processor: Int32, _ link: Link, _ state: LinkState, since: Int64) -> ByteBuffer {
        standings[Place(processor: processor, link: link)] = Standing(state: state, since: since)
        var buffer = ByteBuffer()
        write(Place(processor: processor, link: link), Standing(state: state, since: since), into: &buffer)
        return buffer
    }

    /// Returns how many lines it wrote.
    mutating func write(_ block: FrameBlock, after mark: FrameBlock.Mark, into buffer: inout ByteBuffer) -> Int {
        learn(block.newSlots)
        var count = 0
        block.forEachValue(after: mark) { at, processor, slot, level in
            write(level, slot: slot, of: processor, at: at, into: &buffer)
            count += 1
        }
        return count
    }

    private func writeStates(into buffer: inout ByteBuffer) {
        for (place, standing) in standings.sorted(by: {
            ($0.key.processor, $0.key.link.rawValue) < ($1.key.processor, $1.key.link.rawValue)
        }) { write(place, standing, into: &buffer) }
    }

    private func write(_ place: Place, _ standing: Standing, into buffer: inout ByteBuffer) {
        let cause = standing.state.cause.map { ",\"cause\":\"\($0)\"" } ?? ",\"cause\":null"
        buffer.writeString(
            "{\"time\":\"\(LocalTime.iso8601(standing.since))\",\"at_us\":\(standing.since),"
                + "\"processor\":\(names[place.processor] ?? "null"),\"link\":\"\(place.link.rawValue)\","
                + "\"state\":\"\(standing.state.name)\"\(cause)}\n")
    }

    private mutating func write(
        _ level: Double, slot: UInt16, of processor: Int32, at: Int64, into buffer: inout ByteBuffer
    ) {
        if lastTime.at != at {
            lastTime = (at, Array("{\"time\":\"\(LocalTime.iso8601(at))\",\"at_us\":\(at),\"processor\":".utf8))
        }
        buffer.writeBytes(lastTime.text)
        buffer.writeBytes(middle(Channel(processor: processor, slot: slot)))
        buffer.writeString(level == level.rounded() && abs(level) < 1e15 ? "\(Int64(level))}\n" : "\(level)}\n")
    }

    private mutating func middle(_ channel: Channel) -> [UInt8] {
        if let middle = middles[channel] { return middle }
        let meter = meters[channel]
        let label = meter.flatMap { labels[channel.processor]?[$0] }?.jsonQuoted ?? "null"
        let middle = Array(
            "\(names[channel.processor] ?? "null"),\"meter\":\((meter?.name ?? "").jsonQuoted),\"label\":\(label),\"level_db\":"
                .utf8)
        middles[channel] = middle
        return middle
    }
}
