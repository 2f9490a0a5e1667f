import AtlasProtocol
import Testing

@testable import RecorderStore

/// What the device sent is what comes back, bit for bit.
@Suite struct LevelTests {
    private let folder = TemporaryFolder()

    /// Stores the levels as full frames and as rows of their own, and reads them back through the view.
    private func throughStore(_ levels: [Double]) async throws -> (frames: [Double], lone: [Double]) {
        let recording = try await Recording(folder.store)
        let meters = (0..<40).map { Meter(.source, UInt8($0)) }
        var readings: [(Meter, Double, Int64)] = []
        for (index, level) in levels.enumerated() {
            readings.append((meters[index % 40], level, start + Int64(index / 40) * 100_000))
        }
        recording.feed(readings)
        try await recording.commit([], at: start + second)
        let values = try await recording.writer.narrow(levels, meter: "SourceMeter_0", at: start + hour)
        let stored = try rows(
            folder.store, "SELECT level_db FROM meter_samples WHERE at_us < \(start + hour) ORDER BY at_us, meter")
        // Frames come back by name of meter: bring the fed ones into the same order.
        var expected: [Double] = []
        for tick in stride(from: 0, to: levels.count, by: 40) {
            let chunk = levels[tick..<min(tick + 40, levels.count)]
            expected += zip(chunk, meters).sorted { $0.1.name < $1.1.name }.map(\.0)
        }
        #expect(stored.count == expected.count)
        for (value, wanted) in zip(stored, expected) where value[0].real?.bitPattern != (wanted + 0).bitPattern {
            Issue.record("\(wanted) came back as \(value[0])")
        }
        return (stored.compactMap { $0[0].real }, values)
    }

    @Test("every tenth of a dB from -80.0 to 0.0 and beyond comes back")
    func tenths() async throws {
        let levels = (-900...1300).map { Double($0) / 10 }
        let (_, lone) = try await throughStore(levels)
        #expect(lone.map(\.bitPattern) == levels.map { ($0 + 0).bitPattern })
    }

    @Test("values that tenths cannot hold come back")
    func exactValues() async throws {
        var generator = SeededGenerator(seed: 20_251_021)
        var levels = [
            -20.15, 1e-9, -1e-9, -80.000000000001, 0.1 + 0.2, 1e22, -1e300, .leastNonzeroMagnitude,
            .leastNormalMagnitude, 121.6,
        ]
        for _ in 0..<4_000 {
            levels.append(Double(Int64.random(in: -80_000_000_000_000...0, using: &generator)) / 1e12)
        }
        for _ in 0..<4_000 { levels.append(Double.random(in: -80...0, using: &generator)) }
        let (_, lone) = try await throughStore(levels)
        #expect(lone.map(\.bitPattern) == levels.map(\.bitPattern))
    }

    @Test("U+0300 and U+0340, one character to Swift's String, are two levels")
    func canonicalEquivalents() async throws {
        #expect("\u{340}" == "\u{300}")  // why levels are never a String
        let levels = [0.0, -6.4, 0.0, 0.0, -6.4, -6.4, -6.3, 0.1, -80.0, 0.0, -79.9]
        #expect(LevelCode.code(for: 0) == 0x340 && LevelCode.code(for: -6.4) == 0x300)
        #expect(try await throughStore(levels).frames.sorted() == levels.sorted())
    }

    @Test("-0.0 comes back as 0.0")
    func negativeZero() async throws {
        #expect(try await throughStore([-0.0, -1, -1, -1]).frames.contains { $0 == 0 && $0.sign == .plus })
    }

    @Test("a character of each level is what its comment says")
    func codes() {
        #expect(LevelCode.code(for: -80) == 0x20 && LevelCode.code(for: 121.5) == 0x7FF)
        for level in [-80.1, 121.6, -20.15, .nan, .infinity, -.infinity] {
            #expect(LevelCode.code(for: level) == LevelCode.exact, "\(level)")
        }
        for code in UInt16(0x20)...0x7FF {
            var bytes: [UInt8] = [0, 0]
            let width = bytes.withUnsafeMutableBufferPointer { LevelCode.write(code, to: $0, at: 0) }
            #expect(Array(bytes[..<width]) == Array(String(Unicode.Scalar(code)!).utf8))
            #expect(LevelCode.code(for: Double(LevelCode.tenths(code)) / 10) == code)
        }
    }
}

extension StoreWriter {
    /// Stores levels of one known meter, each as a row of its own, and reads them back.
    fileprivate func narrow(_ levels: [Double], meter: String, at start: Int64) throws -> [Double] {
        var block = FrameBlock()
        for (index, level) in levels.enumerated() {
            block.lone.append(
                FrameBlock.LoneValue(
                    at: start + Int64(index), processor: 1, slot: 1, code: LevelCode.code(for: level), level: level))
        }
        let rows = try FrameRows(database)
        try database.transaction("write") { () throws(StoreError) in try rows.write(block) }
        let read = try Statement(
            "SELECT level_db FROM meter_samples WHERE at_us >= ? AND meter = ? ORDER BY at_us", on: database)
        try read.bind(.integer(start), at: 1)
        try read.bind(.text(meter), at: 2)
        var values: [Double] = []
        while try read.step() { values.append(read.real(0)) }
        return values
    }
}
