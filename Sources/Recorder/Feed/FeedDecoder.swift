import Glibc

/// Reads the lines of one connection to the feed; what it has read of names it keeps.
///
/// Ten thousand lines a second and more are values, and they repeat themselves: those of one moment begin alike, and between
/// `"processor":` and `"level_db":` a meter's are the same each time. So a line in the order in which the recorder writes it
/// costs a comparison, a look-up and a number. Any other order, and any member more, is read with care by `JSONMembers`.
package struct FeedDecoder {
    package struct MeterName: Hashable, Sendable {
        package let processor, meter: String
        package let label: String?

        package init(processor: String, meter: String, label: String?) {
            (self.processor, self.meter, self.label) = (processor, meter, label)
        }
    }
    private typealias Bytes = UnsafeBufferPointer<UInt8>

    /// Every meter that was named so far, in that order; one that gets another label comes again.
    package private(set) var meters: [MeterName] = []
    private var indices: [MeterName: Int] = [:]
    /// A line's begin up to `"processor":`, and its time.
    private var lastHead: (bytes: [UInt8], at: Int64) = ([], 0)
    /// From a processor's name up to `"level_db":`, in the order in which they were first read.
    private var middles: [(bytes: [UInt8], meter: Int)] = []
    /// By the middle's hash. Of two with one hash the second is read with care each time.
    private var places: [UInt64: Int] = [:]

    package init() {}

    /// A line without its newline; whatever it holds, this does not fail.
    package mutating func decode(_ line: [UInt8]) -> FeedMessage { line.withUnsafeBufferPointer { decode($0) } }

    package mutating func decode(_ line: UnsafeBufferPointer<UInt8>) -> FeedMessage {
        guard let parts = parts(of: line) else { return decodeWithCare(line) ?? .unreadable }
        let hash = Self.hash(parts.middle)
        if let place = places[hash], Self.areEqual(middles[place].bytes, parts.middle) {
            return .value(meter: middles[place].meter, level: parts.level, at: parts.at)
        }
        guard let message = decodeWithCare(line) else { return .unreadable }
        if case .value(let meter, _, _) = message, places[hash] == nil, Self.isPlain(parts.middle) {
            places[hash] = middles.count
            middles.append((Array(parts.middle), meter))
        }
        return message
    }

    // MARK: a value in the usual order

    private typealias Parts = (at: Int64, middle: Bytes, level: Double)

    private mutating func parts(of line: Bytes) -> Parts? {
        guard let start = head(of: line), line.last == UInt8(ascii: "}"),
            // A level has no colon in it.
            let colon = line.lastIndex(of: UInt8(ascii: ":")), colon >= start.end + Self.levelKey.count,
            Self.areEqual(Self.levelKey, Bytes(rebasing: line[(colon + 1 - Self.levelKey.count)...colon])),
            let level = JSONNumber.double(Bytes(rebasing: line[(colon + 1)..<(line.count - 1)]))
        else { return nil }
        return (start.at, Bytes(rebasing: line[start.end..<(colon + 1 - Self.levelKey.count)]), level)
    }

    /// Where the processor's name begins, and the line's time.
    private mutating func head(of line: Bytes) -> (end: Int, at: Int64)? {
        let known = lastHead.bytes.count
        if known > 0, line.count >= known, Self.areEqual(lastHead.bytes, Bytes(rebasing: line[..<known])) {
            return (known, lastHead.at)
        }
        let text = Self.timeKey.count
        guard line.count > text, Self.areEqual(Self.timeKey, Bytes(rebasing: line[..<text])),
            let quote = line[text...].firstIndex(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }),
            line.count - quote > Self.atKey.count,
            Self.areEqual(Self.atKey, Bytes(rebasing: line[quote..<(quote + Self.atKey.count)]))
        else { return nil }
        let digits = quote + Self.atKey.count
        guard let comma = line[digits...].firstIndex(of: UInt8(ascii: ",")),
            let at = JSONNumber.integer(Bytes(rebasing: line[digits..<comma])),
            line.count - comma > Self.processorKey.count
        else { return nil }
        let end = comma + Self.processorKey.count
        guard Self.areEqual(Self.processorKey, Bytes(rebasing: line[comma..<end])) else { return nil }
        lastHead = (Array(line[..<end]), at)
        return (end, at)
    }

    private static let timeKey = Array(#"{"time":""#.utf8)
    private static let atKey = Array(#"","at_us":"#.utf8)
    private static let processorKey = Array(#","processor":"#.utf8)
    private static let levelKey = Array(#","level_db":"#.utf8)

    /// Whether a middle is a processor, a meter and a label and nothing else: then it says the same in every line.
    private static func isPlain(_ middle: Bytes) -> Bool {
        let object = Array(#"{"processor":"#.utf8) + middle + [UInt8(ascii: "}")]
        let names = object.withUnsafeBufferPointer { JSONMembers($0)?.names }
        return names == ["processor", "meter", "label"]
    }

    private static func areEqual(_ bytes: [UInt8], _ other: Bytes) -> Bool {
        guard bytes.count == other.count, let start = other.baseAddress else { return bytes.count == other.count }
        return memcmp(bytes, start, bytes.count) == 0
    }

    /// Eight bytes at a time; who has the recorder's socket is trusted not to look for two with one hash, and would only
    /// make this slower.
    private static func hash(_ bytes: Bytes) -> UInt64 {
        let raw = UnsafeRawBufferPointer(bytes)
        var hash = UInt64(raw.count) &* 0x9E37_79B9_7F4A_7C15
        func mix(_ word: UInt64) {
            let (high, low) = (hash ^ word).multipliedFullWidth(by: 0x9FB2_1C65_1E98_DF25)
            hash = high ^ low &+ 0x9E37_79B9_7F4A_7C15
        }
        var offset = 0
        while offset + 8 <= raw.count {
            mix(raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var rest: UInt64 = 0
        for byte in raw[offset...] { rest = rest << 8 | UInt64(byte) }
        mix(rest)
        return hash
    }

    // MARK: any line

    private mutating func decodeWithCare(_ line: Bytes) -> FeedMessage? {
        guard let members = JSONMembers(line) else { return nil }
        if let error = members.text("error") { return .error(error) }
        if let missed = members.integer("missed") { return missed < 0 ? nil : .missed(Int(missed)) }
        if members.integer("feed") == 1 {
            return .hello(recorder: members.text("recorder") ?? "", store: members.text("store") ?? "")
        }
        if let place = members.integer("place"), let processor = members.text("processor"),
            let meter = members.text("meter")
        {
            let name = MeterName(processor: processor, meter: meter, label: members.text("label"))
            return place < 0 ? nil : .meter(name, place: Int(place))
        }
        guard let at = members.integer("at_us") else { return nil }
        if let status = FeedMessage.Status(members, at: at) { return .status(status) }
        guard let processor = members.text("processor") else { return nil }
        if let meter = members.text("meter"), let level = members.number("level_db") {
            let name = MeterName(processor: processor, meter: meter, label: members.text("label"))
            return .value(meter: index(of: name), level: level, at: at)
        }
        guard let link = members.text("link"), let state = members.text("state") else { return nil }
        return .link(processor: processor, link: link, state: state, cause: members.text("cause"), since: at)
    }

    private mutating func index(of name: MeterName) -> Int {
        if let index = indices[name] { return index }
        indices[name] = meters.count
        meters.append(name)
        return meters.count - 1
    }
}
