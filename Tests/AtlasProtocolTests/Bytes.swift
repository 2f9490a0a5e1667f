import AtlasProtocol

/// What the decoder makes of one line.
func decode(_ text: String) -> ParsedMessage? { decode(Array(text.utf8)) }

func decode(_ bytes: [UInt8]) -> ParsedMessage? { bytes.withUnsafeBufferPointer { FallbackDecoder().decode($0) } }

/// What a datagram held, with its meter readings.
struct Datagram {
    let content: DatagramReader.Content
    let readings: [Reading]

    init(_ text: String, _ reader: DatagramReader = DatagramReader()) { self.init(Array(text.utf8), reader) }

    init(_ bytes: [UInt8], _ reader: DatagramReader = DatagramReader()) {
        content = bytes.withUnsafeBufferPointer { reader.read($0) }
        readings = Array(reader.readings[..<content.readings])
    }
}

/// What the scanner makes of one line; nil: declined, or there is more than one.
func scan(_ bytes: [UInt8], room: Int = 64) -> (readings: [Reading], otherFormat: Int)? {
    let room = UnsafeMutableBufferPointer<Reading>.allocate(capacity: room)
    defer { room.deallocate() }
    guard let scan = bytes.withUnsafeBufferPointer({ MeterScanner.scan($0, into: room) }), scan.length == bytes.count
    else { return nil }
    return (Array(room[..<scan.readings]), scan.otherFormat)
}

extension SplitMix64 {
    /// Below `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

extension ParameterValue {
    static func decibels(_ name: String, _ value: Double) -> ParameterValue {
        ParameterValue(name: name, value: .number(value))
    }
    static func text(_ name: String, _ value: String) -> ParameterValue {
        ParameterValue(name: name, value: .text(value))
    }
}
