import AtlasProtocol

/// Any bytes as a stream, cut anywhere: the lines are those of a plain reading of the whole.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let (stream, cuts) = expanded(UnsafeBufferPointer(start: start, count: count))
    let expected = lines(of: stream)
    hold(framed(stream, cuts: []) == expected, "in one piece")
    hold(framed(stream, cuts: cuts) == expected, "cut at \(cuts)")
    if stream.count <= 4_096 { hold(framed(stream, cuts: Array(stream.indices)) == expected, "byte by byte") }
    return 0
}

/// What the input stands for. 0xFE and a byte are a run of up to 65 KiB, so that a small input passes the limit; 0xFF cuts.
private func expanded(_ input: UnsafeBufferPointer<UInt8>) -> (stream: [UInt8], cuts: [Int]) {
    var (stream, cuts): ([UInt8], [Int]) = ([], [])
    var position = 0
    while position < input.count, stream.count < 4 * LineFramer.lineLimit {
        let byte = input[position]
        position += 1
        switch byte {
        case 0xFF: cuts.append(stream.count)
        case 0xFE where position < input.count:
            // 255 is the limit's own length.
            stream += repeatElement(UInt8(ascii: "x"), count: Int(input[position]) * 257 + Int(input[position]) / 255)
            position += 1
        default: stream.append(byte)
        }
    }
    return (stream, cuts)
}

private func framed(_ stream: [UInt8], cuts: [Int]) -> [LineFramer.Line] {
    var framer = LineFramer()
    var lines: [LineFramer.Line] = []
    var start = 0
    for end in cuts + [stream.count] {
        framer.feed(stream[start..<end]) { lines.append($0) }
        start = end
    }
    return lines
}

/// The same in the plainest words.
private func lines(of stream: [UInt8]) -> [LineFramer.Line] {
    var pieces = stream.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let open = pieces.removeLast()
    var lines = pieces.compactMap { piece -> LineFramer.Line? in
        guard piece.count <= LineFramer.lineLimit else { return .tooLong }
        let line = piece.last == UInt8(ascii: "\r") ? piece.dropLast() : piece
        return line.isEmpty ? nil : .complete(Array(line))
    }
    if open.count > LineFramer.lineLimit { lines.append(.tooLong) }
    return lines
}

private func hold(_ condition: Bool, _ promise: @autoclosure () -> String) {
    guard condition else { fatalError("other lines \(promise())") }
}
