/// Reads datagrams: one or several messages, a line each, the last newline missing or not. Keeps what is good and
/// counts what is not. One for each receiving thread; its memory is allocated once.
package final class DatagramReader {
    /// What one datagram held. The meter readings are in `DatagramReader.readings`, the first `readings` of them.
    package struct Content {
        /// Meter values in dB.
        package var readings = 0
        /// Meter values in another program's format.
        package var otherFormat = 0
        /// Lines that are no message.
        package var unreadableLines = 0
        /// Values that could not be read, in messages that otherwise could.
        package var unreadableValues = 0
        /// Lines that `MeterScanner` left to the slow decoder.
        package var decodedLines = 0
        /// Messages that are not only meters: the keep-alive's echo, a parameter, an error.
        package var messages: [Message] = []

        package init() {}

        /// Whether there was anything in it that a unit says.
        package var isFromUnit: Bool { readings + otherFormat > 0 || !messages.isEmpty }
    }

    /// Lines of one datagram that the slow decoder reads: a unit sends one or two that are not meters. Beyond it the rest
    /// is unreadable, or 64 KiB of `{}` would hold up everybody's meters for 80 ms.
    package static let slowLines = 64

    /// The largest UDP datagram (65,507 bytes over IPv4) holds fewer meter values than this.
    package static let capacity = 4096
    package let readings = UnsafeMutableBufferPointer<Reading>.allocate(capacity: capacity)
    private let fallback = FallbackDecoder()

    package init() {}
    deinit { readings.deallocate() }

    /// Reads the bytes as received. Never throws and never traps: they come from the network.
    package func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Content {
        var content = Content()
        // Without the NUL of a C string that was sent whole.
        var end = bytes.count
        while end > 0, bytes[end - 1] == 0 { end -= 1 }
        var rest = UnsafeBufferPointer(rebasing: bytes[..<(end > 0 ? end : bytes.count)])
        while !rest.isEmpty {
            let length = readLine(rest, &content)
            rest = UnsafeBufferPointer(rebasing: rest.dropFirst(length + 1))
        }
        return content
    }

    /// Reads the first line; returns its length without the newline.
    @inline(__always)
    private func readLine(_ bytes: UnsafeBufferPointer<UInt8>, _ content: inout Content) -> Int {
        let room = UnsafeMutableBufferPointer(rebasing: readings[content.readings...])
        guard let scan = MeterScanner.scan(bytes, into: room) else {
            let line = UnsafeBufferPointer(rebasing: bytes.prefix { $0 != UInt8(ascii: "\n") })
            decodeLine(line, &content)
            return line.count
        }
        content.readings += scan.readings
        content.otherFormat += scan.otherFormat
        return scan.length
    }

    @inline(never)
    private func decodeLine(_ line: UnsafeBufferPointer<UInt8>, _ content: inout Content) {
        guard !line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\t") })
        else { return }
        content.decodedLines += 1
        guard content.decodedLines <= Self.slowLines, let parsed = fallback.decode(line), parsed.message != .unknown
        else {
            content.unreadableLines += 1
            return
        }
        content.unreadableValues += parsed.unreadableValues
        var others = false
        for value in parsed.message.values {
            if let reading = value.reading {
                take(reading, &content)
            } else if Meter(name: value.name) != nil {
                content.otherFormat += 1
            } else {
                others = true
            }
        }
        if others || parsed.message.values.isEmpty { content.messages.append(parsed.message) }
    }

    private func take(_ reading: Reading, _ content: inout Content) {
        guard content.readings < readings.count else {
            content.unreadableValues += 1
            return
        }
        readings[content.readings] = reading
        content.readings += 1
    }
}
