import AtlasProtocol
import CSQLite

/// Writes blocks of frames: new meters first, then frames, lone values, last values and counts.
final class FrameRows {
    private struct Slot: Hashable {
        let processor: Int32
        let slot: UInt16
    }
    private struct Minute: Hashable {
        let processor: Int32
        let start: Int64
    }

    private let database: Database
    private let insertFrame, insertSample, insertMeter, findMeter, upsertLatest, upsertMinute: Statement
    private var meterIDs: [Slot: Int64] = [:]
    private struct Count {
        var stored = 0
        var duplicate = 0
        var datagrams = 0
        var received = 0
    }
    private var counts: [Minute: Count] = [:]

    init(_ database: Database) throws(StoreError) {
        self.database = database
        let doing = "write samples"
        func prepare(_ sql: String) throws(StoreError) -> Statement { try Statement(sql, on: database, doing: doing) }
        insertFrame = try prepare("INSERT INTO frame (at_us, processor_id, levels, exact) VALUES (?, ?, ?, ?)")
        insertSample = try prepare("INSERT INTO sample (at_us, meter_id, level) VALUES (?, ?, ?)")
        insertMeter = try prepare(
            "INSERT INTO meter (processor_id, slot, name) VALUES (?, ?, ?) ON CONFLICT (processor_id, slot) DO NOTHING")
        findMeter = try prepare("SELECT id FROM meter WHERE processor_id = ? AND slot = ?")
        upsertLatest = try prepare(
            "INSERT INTO latest_level (processor_id, levels) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET levels = ?2")
        upsertMinute = try prepare(
            """
            INSERT INTO sample_minute (start_us, processor_id, stored, duplicate, datagrams, received)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT DO UPDATE SET stored = stored + ?3, duplicate = duplicate + ?4, datagrams = datagrams + ?5,
                   received = received + ?6
            """)
    }

    func write(_ block: FrameBlock) throws(StoreError) {
        for new in block.newMeters {
            try insertMeter.run(.integer(Int64(new.processor)), .integer(Int64(new.slot)), .text(new.meter.name))
        }
        try writeFrames(block)
        for value in block.loneInOrder {
            try writeLone(value)
            counts[minute(value.processor, value.at), default: Count()].stored += 1
        }
        for latest in block.latest {
            let values = latest.values.map { $0.map { "[\($0.at),\($0.level)]" } ?? "null" }
            try upsertLatest.run(.integer(Int64(latest.processor)), .text("[\(values.joined(separator: ","))]"))
        }
        for tally in block.tallies {
            var count = counts[minute(tally.processor, tally.minute)] ?? Count()
            count.datagrams += tally.datagrams
            count.received += tally.received
            count.duplicate += tally.duplicates
            counts[minute(tally.processor, tally.minute)] = count
        }
    }

    /// The hot path: nothing is copied and nothing is allocated for a frame.
    private func writeFrames(_ block: FrameBlock) throws(StoreError) {
        let code = block.bytes.withUnsafeBytes { bytes -> Int32 in
            let text = bytes.bindMemory(to: CChar.self)
            for frame in block.framesInOrder {
                guard let levels = text.baseAddress.map({ $0 + Int(frame.levels) }) else { return SQLITE_MISUSE }
                _ = insertFrame.bind(bytes: levels, count: Int(frame.levelsCount), at: 3)
                if frame.exactCount > 0 {
                    let exact = levels + Int(frame.levelsCount)
                    _ = insertFrame.bind(bytes: exact, count: Int(frame.exactCount), at: 4)
                } else {
                    _ = insertFrame.bindNull(at: 4)
                }
                _ = insertFrame.bind(integer: Int64(frame.processor), at: 2)
                let code = insertApart(insertFrame, at: frame.at)
                guard code == SQLITE_DONE else { return code }
                counts[minute(frame.processor, frame.at), default: Count()].stored += Int(frame.values)
            }
            return SQLITE_DONE
        }
        guard code == SQLITE_DONE else { throw database.error(code, doing: "write \(block.frames.count) frames") }
    }

    /// Inserts at its time, or at the next free microsecond: another unit's row may be there, or, after the clock
    /// was set back, an older one.
    private func insertApart(_ statement: Statement, at: Int64) -> Int32 {
        var moment = at
        while true {
            _ = statement.bind(integer: moment, at: 1)
            let code = statement.runOnce()
            guard code == SQLITE_CONSTRAINT_PRIMARYKEY_CODE else { return code }
            // Beyond 10 ms in leaps: a commit that gives up here would be tried again for ever.
            moment += moment - at < 10_000 ? 1 : moment - at
        }
    }

    private func writeLone(_ value: FrameBlock.LoneValue) throws(StoreError) {
        let meter = try meterID(value.processor, value.slot)
        if value.code == LevelCode.exact {
            try insertSample.bind(.real(value.level), at: 3)
        } else {
            _ = insertSample.bind(integer: LevelCode.tenths(value.code), at: 3)
        }
        _ = insertSample.bind(integer: meter, at: 2)
        let code = insertApart(insertSample, at: value.at)
        guard code == SQLITE_DONE else { throw database.error(code, doing: "write a sample") }
    }

    private func meterID(_ processor: Int32, _ slot: UInt16) throws(StoreError) -> Int64 {
        let key = Slot(processor: processor, slot: slot)
        if let id = meterIDs[key] { return id }
        try findMeter.bind(.integer(Int64(processor)), at: 1)
        try findMeter.bind(.integer(Int64(slot)), at: 2)
        defer { findMeter.reset() }
        guard try findMeter.step() else {
            throw StoreError(.other, message: "slot \(slot) has no meter", doing: "write a sample", path: database.path)
        }
        let id = findMeter.integer(0)
        meterIDs[key] = id
        return id
    }

    @inline(__always)
    private func minute(_ processor: Int32, _ at: Int64) -> Minute {
        Minute(processor: processor, start: at.startOfMinute)
    }

    /// Adds what this commit brought to the minutes' counts; last in the transaction.
    func writeCounts() throws(StoreError) {
        for (minute, count) in counts {
            try upsertMinute.run(
                .integer(minute.start), .integer(Int64(minute.processor)), .integer(Int64(count.stored)),
                .integer(Int64(count.duplicate)), .integer(Int64(count.datagrams)), .integer(Int64(count.received)))
        }
        counts.removeAll(keepingCapacity: true)
    }

    /// The transaction was rolled back, and with it the meters that it made.
    func forgetCounts() {
        counts.removeAll(keepingCapacity: true)
        meterIDs.removeAll(keepingCapacity: true)
    }
}

/// SQLITE_CONSTRAINT_PRIMARYKEY: a macro that Swift does not see (https://sqlite.org/rescode.html).
private let SQLITE_CONSTRAINT_PRIMARYKEY_CODE: Int32 = SQLITE_CONSTRAINT | (6 << 8)
