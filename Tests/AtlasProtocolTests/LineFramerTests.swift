import AtlasProtocol
import Testing

@Suite("the stream is cut into lines")
struct LineFramerTests {
    private static let newline = UInt8(ascii: "\n")

    private func lines(_ pieces: [[UInt8]]) -> [LineFramer.Line] {
        var framer = LineFramer()
        var lines: [LineFramer.Line] = []
        for piece in pieces { framer.feed(piece) { lines.append($0) } }
        return lines
    }

    private func line(_ count: Int) -> [UInt8] { Array(repeating: UInt8(ascii: "x"), count: count) }

    @Test("lines end with newline, with or without carriage return; empty ones are passed over; an open one waits")
    func endings() {
        let bytes = Array("a\nbc\r\n\n\r\nd\re\n\nopen".utf8)
        let expected = ["a", "bc", "d\re"].map { LineFramer.Line.complete(Array($0.utf8)) }
        #expect(lines([bytes]) == expected)
        #expect(lines([bytes, [Self.newline]]) == expected + [.complete(Array("open".utf8))])
    }

    @Test("the same bytes give the same lines wherever they are cut", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func anySplit(seed: UInt64) {
        var random = SplitMix64(state: seed)
        var stream: [UInt8] = []
        for _ in 0..<60 {
            let limit = LineFramer.lineLimit
            let length = random.pick([0, 0, 1, 2, 40, 400, limit - 1, limit, limit + 1, 2 * limit])
            stream += random.below(6) == 0 ? random.bytes(min(length, 400)) : line(length)
            stream += random.pick([[10], [13, 10], [10, 10]])
        }
        stream += line(3)
        let whole = lines([stream])
        #expect(whole.contains(.tooLong))
        var cuts: [[UInt8]] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let size = random.pick([1, 2, 3, 17, 1_460, 65_536, 100_000])
            cuts.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        #expect(lines(cuts) == whole, "seed \(seed)")
    }

    @Test("byte by byte gives the same lines, at and around the limit", arguments: [-1, 0, 1, 2])
    func border(_ beyond: Int) {
        let stream = line(LineFramer.lineLimit + beyond) + [Self.newline] + line(2) + [Self.newline]
        let first: LineFramer.Line = beyond > 0 ? .tooLong : .complete(line(LineFramer.lineLimit + beyond))
        let expected = [first, .complete(line(2))]
        #expect(lines([stream]) == expected)
        #expect(lines(stream.map { [$0] }) == expected)
    }

    @Test("a megabyte without newline is reported once, when the limit is passed, and ends with its newline")
    func endlessLine() {
        var framer = LineFramer()
        var lines: [LineFramer.Line] = []
        var reportedAfter = 0
        for fed in stride(from: 1_024, through: 1_048_576, by: 1_024) {
            framer.feed(line(1_024)) { lines.append($0) }
            if !lines.isEmpty, reportedAfter == 0 { reportedAfter = fed }
        }
        #expect(lines == [.tooLong])
        #expect(reportedAfter == LineFramer.lineLimit + 1_024)
        framer.feed([Self.newline] + Array("next\n".utf8)) { lines.append($0) }
        #expect(lines == [.tooLong, .complete(Array("next".utf8))])
    }

    @Test("what it holds is bounded: a line's bytes, and none once the line is too long")
    func memory() {
        var framer = LineFramer()
        for _ in 0..<1_024 {
            framer.feed(line(1_000)) { _ in }
            #expect(held(framer) <= LineFramer.lineLimit)
        }
        #expect(held(framer) == 0)
    }

    /// Bytes in the framer's arrays, by reflection.
    private func held(_ framer: LineFramer) -> Int {
        func bytes(_ value: Any) -> Int {
            if let array = value as? [UInt8] { return array.count }
            return Mirror(reflecting: value).children.reduce(0) { $0 + bytes($1.value) }
        }
        return bytes(framer)
    }
}
