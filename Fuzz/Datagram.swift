import AtlasProtocol

/// Any bytes as a datagram: no trap, and the scanner never says other than the decoder.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let content = reader.read(bytes)
    hold(content.readings <= DatagramReader.capacity, "more readings than there is room for")
    hold(reader.readings[..<content.readings].allSatisfy(\.level.isFinite), "a level that is no number")
    var expected: (readings: [Reading], otherFormat: Int) = ([], 0)
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
        check(UnsafeBufferPointer(rebasing: line), &expected)
    }
    // Beyond these the reader gives up lines or values, and counts them.
    if content.decodedLines <= DatagramReader.slowLines, expected.readings.count <= DatagramReader.capacity {
        hold(same(reader.readings[..<content.readings], expected.readings), "the datagram's readings")
        hold(content.otherFormat == expected.otherFormat, "the datagram's values in another format")
    }
    return 0
}

// libFuzzer calls from one thread.
nonisolated(unsafe) private let reader = DatagramReader()
private let decoder = FallbackDecoder()
nonisolated(unsafe) private let room = UnsafeMutableBufferPointer<Reading>.allocate(capacity: DatagramReader.capacity)

/// One line by both ways; adds what the slow one reads to `expected`.
private func check(_ line: UnsafeBufferPointer<UInt8>, _ expected: inout (readings: [Reading], otherFormat: Int)) {
    let parsed = decoder.decode(line)
    let values = parsed?.message.values ?? []
    let meters = values.filter { Meter(name: $0.name) != nil }
    let readings = meters.compactMap(\.reading)
    if let scan = MeterScanner.scan(line, into: room) {
        hold(same(room[..<scan.readings], readings), "scanned \(room[..<scan.readings]), decoded \(readings)")
        hold(scan.otherFormat == meters.count - readings.count, "values in another format")
        hold(values.count == meters.count && parsed?.unreadableValues == 0, "scanned what the decoder does not read")
    }
    expected.readings += readings
    expected.otherFormat += meters.count - readings.count
}

private func same(_ left: some Collection<Reading>, _ right: [Reading]) -> Bool {
    left.elementsEqual(right) { $0.meter == $1.meter && $0.level.bitPattern == $1.level.bitPattern }
}

private func hold(_ condition: Bool, _ promise: @autoclosure () -> String) {
    guard condition else { fatalError("not held: \(promise())") }
}
