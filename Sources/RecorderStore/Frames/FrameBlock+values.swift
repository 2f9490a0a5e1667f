import AtlasProtocol

/// Reading a block back, for those who show values as they come.
extension FrameBlock {
    /// How far a block was read.
    package struct Mark: Equatable, Sendable {
        var frames = 0
        var lone = 0
        package init() {}
    }
    package var end: Mark {
        var mark = Mark()
        (mark.frames, mark.lone) = (frames.count, lone.count)
        return mark
    }
    /// Meters that were given their slots in this block.
    package var newSlots: [(processor: Int32, slot: UInt16, meter: Meter)] {
        newMeters.map { ($0.processor, $0.slot, $0.meter) }
    }
    /// Units' last values, by slot - 1.
    package var latestValues: [(processor: Int32, values: [(at: Int64, level: Double)?])] {
        latest.map { ($0.processor, $0.values) }
    }

    package func values(after mark: Mark) -> Int {
        frames[mark.frames...].reduce(lone.count - mark.lone) { $0 + Int($1.values) }
    }
    /// Whether it tells of slots or last values.
    package var isNews: Bool { !newMeters.isEmpty || !latest.isEmpty }

    /// The values of the next frame after `mark`, or the next lone one: at (microseconds since 1970 UTC), processor, slot,
    /// level in dB. `mark` moves behind them; false: there are no more.
    package func forNextValues(after mark: inout Mark, _ body: (Int64, Int32, UInt16, Double) -> Void) -> Bool {
        if mark.frames < frames.count {
            forEachValue(of: frames[mark.frames], body)
            mark.frames += 1
        } else if mark.lone < lone.count {
            let value = lone[mark.lone]
            let level = value.code == LevelCode.exact ? value.level : Double(LevelCode.tenths(value.code)) / 10
            body(value.at, value.processor, value.slot, level)
            mark.lone += 1
        } else {
            return false
        }
        return true
    }

    private func forEachValue(of frame: Frame, _ body: (Int64, Int32, UInt16, Double) -> Void) {
        let end = Int(frame.levels + frame.levelsCount)
        var position = Int(frame.levels)
        var slot: UInt16 = 0
        while position < end {
            slot += 1
            var code = UInt16(bytes[position])
            position += 1
            if code >= 0x80 {
                code = (code & 0x1F) << 6 | UInt16(bytes[position] & 0x3F)
                position += 1
            }
            if code == LevelCode.none { continue }
            if code == LevelCode.exact {
                guard let level = exactLevel(of: slot, in: frame) else { continue }
                body(frame.at, frame.processor, slot, level)
            } else {
                body(frame.at, frame.processor, slot, Double(LevelCode.tenths(code)) / 10)
            }
        }
    }

    /// The number behind `"slot":` in the frame's JSON, which this program wrote itself.
    private func exactLevel(of slot: UInt16, in frame: Frame) -> Double? {
        let begin = Int(frame.levels + frame.levelsCount)
        let json = String(decoding: bytes[begin..<begin + Int(frame.exactCount)], as: UTF8.self)
        for member in json.dropFirst().dropLast().split(separator: ",") {
            let parts = member.split(separator: ":")
            if parts.count == 2, parts[0] == "\"\(slot)\"" { return Double(parts[1]) }
        }
        return nil
    }
}
