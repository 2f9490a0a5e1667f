import AtlasProtocol
import Glibc
import Testing

@testable import RecorderStore

/// Levels where other processes look at them: real shared memory, mapped twice.
struct LevelMemoryTests {
    private let memory: LevelMemory
    private let map: LevelMap

    init() throws {
        memory = try LevelMemory()
        map = try #require(LevelMap(memory.descriptor))
    }

    @Test("a level that is written is read elsewhere, 0 dB too; what was not heard is not there")
    func levels() throws {
        let place = try #require(LevelMemory.place(of: 3, processor: 2))
        #expect(map[place] == nil)
        let row = try #require(memory.row(of: 2))
        for level in [-20.1, 0, -0.0, -80, 12.5] {
            row.set(level, slot: 3)
            #expect(map[place] == Float(level))
        }
        #expect(map[place - 1] == nil && map[place + 1] == nil)
    }

    @Test("units have places of their own, to the last slot; beyond the memory nothing is read")
    func places() throws {
        try #require(memory.row(of: 1)).set(-1, slot: FrameAssembler.slotLimit)
        try #require(memory.row(of: 2)).set(-2, slot: 1)
        let last = try #require(LevelMemory.place(of: UInt16(FrameAssembler.slotLimit), processor: 1))
        #expect(map[last] == -1 && map[last + 1] == -2)
        let end = Int32(LevelMemory.unitLimit)
        try #require(memory.row(of: end - 1)).set(-3, slot: FrameAssembler.slotLimit)
        #expect(map[Int(end) * FrameAssembler.slotLimit - 1] == -3)
        #expect(map[Int(end) * FrameAssembler.slotLimit] == nil && map[-1] == nil)
        for processor in [end, 0, -1, .max] { #expect(memory.row(of: processor) == nil) }
        #expect(LevelMemory.place(of: 0, processor: 1) == nil && LevelMemory.place(of: 257, processor: 1) == nil)
    }

    @Test("a slot that no unit has, as of a store that somebody edited, reaches no other unit's place")
    func edited() throws {
        var block = FrameBlock()
        let meter = Meter(name: "ZoneMeter_0")!
        for slot in [UInt16(FrameAssembler.slotLimit) + 1, .max] {
            var assembler = FrameAssembler(processor: 1, slots: [(slot, meter)], levels: memory.row(of: 1))
            _ = assembler.take(Reading(meter: meter, level: -20), at: 1_000, into: &block)
        }
        for place in 0..<(512 * FrameAssembler.slotLimit) where map[place] != nil { Issue.record("place \(place)") }
    }

    @Test("a unit that begins anew was not heard yet")
    func cleared() throws {
        for processor in [1, 2, 3] as [Int32] { try #require(memory.row(of: processor)).set(-20, slot: 256) }
        try #require(memory.row(of: 2)).clear()
        let heard = (1...3).filter { map[LevelMemory.place(of: 256, processor: $0)!] != nil }
        #expect(heard == [1, 3])
    }

    @Test("who has the descriptor can neither write nor change the size")
    func sealed() {
        #expect(ftruncate(memory.descriptor, 0) == -1 && errno == EPERM)
        #expect(ftruncate(memory.descriptor, 1 << 30) == -1 && errno == EPERM)
        var byte: UInt8 = 1
        #expect(pwrite(memory.descriptor, &byte, 1, 0) == -1 && errno == EPERM)
        let writable = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory.descriptor, 0)
        #expect(writable == MAP_FAILED && errno == EPERM)
    }

    @Test("what is no memory of levels is not mapped: it could end who reads it")
    func foreign() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(LevelMap(ends[0]) == nil && LevelMap(-1) == nil)
        // On tmpfs it could be sealed, and is not.
        var name = Array("/dev/shm/atlas-test.XXXXXX".utf8CString)
        let unsealed = mkstemp(&name)
        defer {
            unlink(name)
            close(unsealed)
        }
        try #require(unsealed >= 0 && ftruncate(unsealed, 4096) == 0)
        #expect(LevelMap(unsealed) == nil)
    }

    @Test("an assembler shows each value as it takes it, and none that the store remembers from before")
    func assembled() throws {
        let meters = (0..<3).map { Meter(name: "ZoneMeter_\($0)")! }
        var block = FrameBlock()
        var assembler = FrameAssembler(
            processor: 7, slots: [(2, meters[0]), (1, meters[1])], latest: [2: (at: 1, level: -50)],
            levels: memory.row(of: 7))
        func level(_ slot: UInt16) -> Float? { map[LevelMemory.place(of: slot, processor: 7)!] }
        #expect(level(2) == nil)
        let readings = zip(meters, [-20.5, 0, -30]).map { Reading(meter: $0, level: $1) }
        // The first opens the frame, the second fills it, the third is a meter that is new.
        _ = readings.withUnsafeBufferPointer { assembler.take($0, at: 1_000, into: &block) { false } }
        #expect([level(2), level(1), level(3)] == [-20.5, 0, -30])
        _ = assembler.take(Reading(meter: meters[1], level: -7), at: 90_000, into: &block)
        #expect(level(1) == -7)
    }
}
