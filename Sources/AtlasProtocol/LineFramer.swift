/// Cuts a TCP stream into messages. One message per line, ended by `\n` (manual: never `\r\n`, which is read all the
/// same). A line over `lineLimit` is dropped whole, up to its newline, and reported once; so a peer that never ends a
/// line costs 64 KiB and no more.
package struct LineFramer: Sendable {
    /// Bytes; the longest line that is read.
    package static let lineLimit = 64 * 1024

    package enum Line: Equatable, Sendable {
        case complete([UInt8])
        /// A line beyond the limit; it comes once, when the limit is passed.
        case tooLong
    }

    private enum State {
        case collecting([UInt8])
        case skipping
    }
    private var state = State.collecting([])

    package init() {}

    /// Takes bytes as they came, calls `body` for each line they end. Empty lines are passed over.
    package mutating func feed(_ bytes: some Collection<UInt8>, _ body: (Line) -> Void) {
        // What is generic across modules is not specialised: 100 times slower, byte by byte.
        let fed: Void? = bytes.withContiguousStorageIfAvailable { feed(contiguous: $0, body) }
        if fed == nil { Array(bytes).withUnsafeBufferPointer { feed(contiguous: $0, body) } }
    }

    private mutating func feed(contiguous bytes: UnsafeBufferPointer<UInt8>, _ body: (Line) -> Void) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let newline = rest.firstIndex(of: UInt8(ascii: "\n"))
            let piece = rest[rest.startIndex..<(newline ?? rest.endIndex)]
            rest = newline.map { rest[($0 + 1)...] } ?? rest[rest.endIndex...]
            take(piece, endsLine: newline != nil, body)
        }
    }

    private mutating func take(
        _ piece: Slice<UnsafeBufferPointer<UInt8>>, endsLine: Bool, _ body: (Line) -> Void
    ) {
        switch state {
        case .skipping:
            if endsLine { state = .collecting([]) }
        case .collecting(var line):
            state = .skipping  // gives up the copy, so that the append happens in place
            guard line.count + piece.count <= Self.lineLimit else {
                body(.tooLong)
                if endsLine { state = .collecting([]) }
                return
            }
            line.append(contentsOf: piece)
            guard endsLine else {
                state = .collecting(line)
                return
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if !line.isEmpty { body(.complete(line)) }
            state = .collecting([])
        }
    }
}
