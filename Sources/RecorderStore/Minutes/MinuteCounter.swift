import AtlasProtocol
import CSQLite
import Glibc

/// Counts one minute of some units from the rows of `frame` and `sample`, value by value in the order of their time.
struct MinuteCounter {
    struct Unit {
        let processor: Int32
        let upTime: UpTime
        /// Rows before this time are not this unit's business; before the minute only where no minute came before it.
        let base: Int64
        /// The minute whose last values held as this one began; nil: there is none.
        let source: Int64?
        fileprivate var firstMeter = 0
        fileprivate var slots = 0

        init(processor: Int32, upTime: UpTime, base: Int64, source: Int64?) {
            (self.processor, self.upTime, self.base, self.source) = (processor, upTime, base, source)
        }

        fileprivate func takes(_ time: Int64) -> Bool { time >= base && upTime.isRecorded }
    }

    let start: Int64
    private var units: [Unit]
    /// How many rows were read.
    private(set) var rows = 0
    private var unitIndex: [Int32]  // by processor id; -1: not counted
    private var counts: [MeterCount] = []  // by unit and slot
    private var meters: [(id: Int64, index: Int32, unit: Int32)] = []
    private var meterIndex: [Int32] = []  // by meter id: index into `meters`; -1: not counted

    /// `meters` in the order of their ids; those of other processors are passed over.
    init(minute start: Int64, units: [Unit], meters known: [(id: Int64, processor: Int32, slot: Int)]) {
        (self.start, self.units) = (start, units)
        unitIndex = Array(repeating: -1, count: Int(units.map(\.processor).max() ?? 0) + 1)
        for (index, unit) in units.enumerated() { unitIndex[Int(unit.processor)] = Int32(index) }
        for meter in known {
            if let unit = index(of: Int64(meter.processor)) {
                self.units[unit].slots = max(self.units[unit].slots, meter.slot)
            }
        }
        var count = 0
        for index in self.units.indices {
            self.units[index].firstMeter = count
            count += self.units[index].slots
        }
        counts = Array(repeating: MeterCount(), count: count)
        meterIndex = Array(repeating: -1, count: Int(known.last?.id ?? 0) + 1)
        for meter in known {
            guard let unit = index(of: Int64(meter.processor)), meter.slot > 0 else { continue }
            meterIndex[Int(meter.id)] = Int32(meters.count)
            meters.append((meter.id, Int32(self.units[unit].firstMeter + meter.slot - 1), Int32(unit)))
        }
    }

    private func index(of processor: Int64) -> Int? {
        guard processor >= 0, processor < unitIndex.count, unitIndex[Int(processor)] >= 0 else { return nil }
        return Int(unitIndex[Int(processor)])
    }

    /// The value that went on holding from the minute `source`.
    mutating func carry(_ level: Level, to meter: Int64, from source: Int64) {
        guard meter >= 0, meter < meterIndex.count, meterIndex[Int(meter)] >= 0 else { return }
        let meter = meters[Int(meterIndex[Int(meter)])]
        guard units[Int(meter.unit)].source == source, let chain = units[Int(meter.unit)].upTime.chainAtStart else {
            return
        }
        counts[Int(meter.index)].set(level.code, level.exact, chain: chain, at: start)
    }

    /// Takes the rows of both tables; `frames` and `samples` are bound to the time from the first unit's base to the minute's
    /// end and give their rows in the order of time. Of two values of one microsecond the one of `sample` holds.
    mutating func take(frames: Statement, samples: Statement) throws(StoreError) {
        defer {
            frames.reset()
            samples.reset()
        }
        var (frameIsThere, sampleIsThere) = (try frames.step(), try samples.step())
        while frameIsThere || sampleIsThere {
            rows += 1
            if frameIsThere, !sampleIsThere || frames.integer(0) <= samples.integer(0) {
                takeFrame(at: frames.integer(0), processor: frames.integer(1), frames)
                frameIsThere = try frames.step()
            } else {
                takeSample(at: samples.integer(0), meter: samples.integer(1), Level(samples, 2))
                sampleIsThere = try samples.step()
            }
        }
    }

    private mutating func takeFrame(at time: Int64, processor: Int64, _ row: Statement) {
        guard let index = index(of: processor), units[index].takes(time) else { return }
        let unit = units[index]
        let characters = row.bytes(2)
        let exact = row.isNull(3) ? [] : ExactLevels.read(row.text(3) ?? "")
        var (exactIndex, slot, position) = (0, 0, 0)
        counts.withUnsafeMutableBufferPointer { counts in
            let whole = unit.base == start ? unit.upTime.wholeChain : nil
            let chain = whole ?? unit.upTime.chain(at: time)
            while position < characters.count, slot < unit.slots {
                var code = UInt16(characters[position])
                position += 1
                if code >= 0xC0, position < characters.count {
                    code = (code & 0x1F) << 6 | UInt16(characters[position] & 0x3F)
                    position += 1
                }
                slot += 1
                guard code != LevelCode.none else { continue }
                var value = 0.0
                if code == LevelCode.exact {
                    // Where `exact` tells no level, there is no value.
                    while exactIndex < exact.count, exact[exactIndex].slot < slot { exactIndex += 1 }
                    guard exactIndex < exact.count, exact[exactIndex].slot == slot else { continue }
                    value = exact[exactIndex].level
                }
                let meter = unit.firstMeter + slot - 1
                if let whole {
                    counts[meter].take(code, value, at: time, chain: whole)
                } else {
                    counts[meter].take(code, value, at: time, chain: chain, unit.upTime)
                }
            }
        }
    }

    private mutating func takeSample(at time: Int64, meter: Int64, _ level: Level?) {
        guard let level, meter >= 0, meter < meterIndex.count, meterIndex[Int(meter)] >= 0 else { return }
        let meter = meters[Int(meterIndex[Int(meter)])]
        let unit = units[Int(meter.unit)]
        guard unit.takes(time) else { return }
        if let whole = unit.upTime.wholeChain, unit.base == start {
            counts[Int(meter.index)].take(level.code, level.exact, at: time, chain: whole)
        } else {
            counts[Int(meter.index)].take(
                level.code, level.exact, at: time, chain: unit.upTime.chain(at: time), unit.upTime)
        }
    }

    /// Ends the minute and gives each meter of which there is something to tell, in the order of their ids.
    mutating func finish(_ body: (_ meter: Int64, MeterCount, _ last: Level?) throws(StoreError) -> Void)
        throws(StoreError)
    {
        for meter in meters {
            let upTime = units[Int(meter.unit)].upTime
            guard upTime.isRecorded else { continue }
            var count = counts[Int(meter.index)]
            count.hold(until: upTime.end, upTime)
            let goesOn = count.code != LevelCode.none && upTime.goesOn(count.chain)
            guard count.samples > 0 || count.known > 0 || goesOn else { continue }
            try body(meter.id, count, goesOn ? Level(code: count.code, exact: count.exact) : nil)
        }
    }
}

/// A level as the tables hold it: an integer of tenths of dB, or a real number of dB.
struct Level {
    let code: UInt16
    let exact: Double

    init(code: UInt16, exact: Double) { (self.code, self.exact) = (code, exact) }

    init(_ level: Double) {
        code = LevelCode.code(for: level)
        exact = code == LevelCode.exact ? level : 0
    }

    /// A row's column; nil where it is NULL, or an older version took for a level what is none.
    init?(_ row: Statement, _ column: Int32) {
        guard !row.isNull(column) else { return nil }
        let level = row.isInteger(column) ? Double(row.integer(column)) / 10 : row.real(column)
        guard Reading.isLevel(level) else { return nil }
        self.init(level)
    }

    var stored: SQLValue { code == LevelCode.exact ? .real(exact) : .integer(LevelCode.tenths(code)) }
}

/// Reads the column `exact` of a frame: `{"3":-20.15,"7":-1e-09}`, slots ascending, as `FrameAssembler` writes it. What
/// an older version took for a level, and is none (`Reading.limit`), is passed over as a new one does when it comes.
enum ExactLevels {
    static func read(_ json: String) -> [(slot: Int, level: Double)] {
        var levels: [(slot: Int, level: Double)] = []
        json.withCString { text in
            var next = text
            while next.pointee == UInt8(ascii: "{") || next.pointee == UInt8(ascii: ",") {
                guard next[1] == UInt8(ascii: "\"") else { return }
                var end: UnsafeMutablePointer<CChar>?
                let slot = strtol(next + 2, &end, 10)
                guard let name = end, name[0] == UInt8(ascii: "\""), name[1] == UInt8(ascii: ":") else { return }
                let level = strtod(name + 2, &end)
                guard let rest = end, rest > name + 2 else { return }
                if Reading.isLevel(level) { levels.append((slot, level)) }
                next = UnsafePointer(rest)
            }
        }
        return levels
    }
}
