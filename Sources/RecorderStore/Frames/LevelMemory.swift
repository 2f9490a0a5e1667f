import CSockets
import Glibc

/// The last level of every meter, where other processes can look at it: writing there costs as much as writing anywhere, and
/// who looks costs the recorder nothing, however often. One `Float` in dB a meter, in a memory of fixed size (memfd_create(2));
/// one that was not heard yet has no bit set.
package final class LevelMemory: Sendable {
    /// One unit's levels, by slot - 1. Holds while the memory does; one thread writes.
    package struct Row: @unchecked Sendable {
        fileprivate let start: UnsafeMutablePointer<Float>

        /// `slot`: 1...FrameAssembler.slotLimit. Another one, which only a store that somebody edited has, is not shown.
        @inline(__always)
        func set(_ level: Double, slot: Int) {
            guard UInt(bitPattern: slot &- 1) < UInt(FrameAssembler.slotLimit) else { return }
            csockets_level_write(start + (slot - 1), Float(level))
        }

        /// None of its meters was heard yet.
        package func clear() { for place in 0..<FrameAssembler.slotLimit { csockets_level_clear(start + place) } }
    }

    /// Row ids of processors that have a place; pages of those that are not used take no memory.
    static let unitLimit = 16_384

    private nonisolated(unsafe) let levels: UnsafeMutablePointer<Float>
    /// To hand to those who look: they can map it, and neither write it nor change its size.
    package let descriptor: Int32

    /// Throws errno's words where the host gives no such memory.
    package init() throws(Failure) {
        var descriptor: Int32 = -1
        guard let levels = csockets_levels_create(Self.unitLimit * FrameAssembler.slotLimit, &descriptor) else {
            throw Failure(description: "memory to share: \(String(cString: strerror(errno)))")
        }
        (self.levels, self.descriptor) = (levels, descriptor)
    }

    deinit {
        csockets_levels_unmap(levels, Self.unitLimit * FrameAssembler.slotLimit)
        close(descriptor)
    }

    package struct Failure: Error, CustomStringConvertible { package let description: String }

    /// Where a meter's level is, in levels from the memory's begin; nil: it has no place.
    package static func place(of slot: UInt16, processor: Int32) -> Int? {
        guard (1..<Int32(unitLimit)).contains(processor), (1...FrameAssembler.slotLimit).contains(Int(slot)) else {
            return nil
        }
        return Int(processor) * FrameAssembler.slotLimit + Int(slot) - 1
    }

    /// nil: a store that has seen more processors than there is room for.
    package func row(of processor: Int32) -> Row? {
        Self.place(of: 1, processor: processor).map { Row(start: levels + $0) }
    }
}

/// Another process's levels, to look at.
package final class LevelMap: Sendable {
    private nonisolated(unsafe) let levels: UnsafePointer<Float>
    private let count: Int

    /// Maps what a recorder handed over; the descriptor stays the caller's. nil: it is no memory of levels.
    package init?(_ descriptor: Int32) {
        var count = 0
        guard let levels = csockets_levels_map(descriptor, &count) else { return nil }
        (self.levels, self.count) = (levels, count)
    }

    deinit { csockets_levels_unmap(levels, count) }

    /// dB; nil: not heard yet, or no such place.
    package subscript(place: Int) -> Float? {
        guard (0..<count).contains(place) else { return nil }
        var level: Float = 0
        return csockets_level_read(levels + place, &level) != 0 ? level : nil
    }
}
