import AtlasProtocol
import Locks
import RecorderStore
import struct Synchronization.Atomic

/// The way from the recorder's threads to the feed's readers. Whoever puts something here never waits: the way is bounded,
/// and what does not fit is counted as missed by every reader. Without a reader it costs one atomic load a round, and where
/// nobody serves the feed nothing is kept.
package final class Feed: Sendable {
    enum Item: Sendable {
        case values(FrameBlock, after: FrameBlock.Mark)
        case change(Change)
        case knowledge(Knowledge)
        case status(Status)

        /// Slots and last values of a block that goes to the store: a later reader needs them.
        static func learnt(_ block: FrameBlock) -> Item { .knowledge(Knowledge(block)) }
        static func label(_ processor: Int32, _ meter: Meter, _ label: String) -> Item {
            .knowledge(Knowledge(label, of: meter, on: processor))
        }
        static func unit(_ processor: RegisteredProcessor) -> Item { .knowledge(Knowledge(processor)) }
        static func change(_ processor: Int32, _ link: Link, _ state: LinkState, since: Int64) -> Item {
            .change(Change(place: Place(processor: processor, link: link), state: state, since: since))
        }
    }
    struct Place: Hashable {
        let processor: Int32
        let link: Link
    }
    struct Change: Sendable {
        let place: Place
        let state: LinkState
        let since: Int64

        var processor: Int32 { place.processor }
        var link: Link { place.link }
    }
    /// What no line of its own tells. Of everything only the last word is kept, so it grows no larger than the units have
    /// meters.
    struct Knowledge: Sendable {
        struct Channel: Hashable {
            let processor: Int32
            let slot: UInt16
        }
        struct Name: Hashable {
            let processor: Int32
            let meter: Meter
        }
        private(set) var slots: [Channel: Meter] = [:]
        private(set) var labels: [Name: String] = [:]
        private(set) var latest: [Int32: [(at: Int64, level: Double)?]] = [:]
        /// Units that came while it records.
        private(set) var units: [Int32: String] = [:]

        init() {}
        init(_ unit: RegisteredProcessor) {
            units[unit.id] = unit.spec.name
            for (slot, meter) in unit.slots { slots[Channel(processor: unit.id, slot: slot)] = meter }
            for (meter, label) in unit.labels { labels[Name(processor: unit.id, meter: meter)] = label }
        }
        init(_ block: FrameBlock) {
            for (processor, slot, meter) in block.newSlots { slots[Channel(processor: processor, slot: slot)] = meter }
            for (processor, values) in block.latestValues { latest[processor] = values }
        }
        init(_ label: String, of meter: Meter, on processor: Int32) {
            labels[Name(processor: processor, meter: meter)] = label
        }

        mutating func add(_ newer: Knowledge) {
            slots.merge(newer.slots) { $1 }
            labels.merge(newer.labels) { $1 }
            latest.merge(newer.latest) { $1 }
            units.merge(newer.units) { $1 }
        }
        var isEmpty: Bool { units.isEmpty && slots.isEmpty && labels.isEmpty && latest.isEmpty }
    }

    /// What waits.
    struct Waiting: Sendable {
        var knowledge = Knowledge()
        /// The last one.
        var status: Status?
        /// Values and changes, in order.
        var items: [Item] = []
        /// Values that did not fit.
        var missed = 0
        /// The last word on each link of which a change did not fit.
        var late: [Place: Change] = [:]

        var isEmpty: Bool {
            items.isEmpty && knowledge.isEmpty && missed == 0 && late.isEmpty && status == nil
        }
    }
    private struct State {
        var waiting = Waiting()
        var values = 0
        var isCalled = false
        var take: (@Sendable () -> Void)?
    }

    /// Values that may wait for the feed's loop: about a second of a thousand units.
    private static let valueLimit = 400_000
    /// Blocks and changes that may; each block holds on to some 100 KiB.
    private static let itemLimit = 256
    private let state = Mutex(State())
    private let readers = Atomic<Int>(0)

    package init() {}

    /// Whether anybody reads.
    var isWanted: Bool { readers.load(ordering: .relaxed) > 0 }
    func readerCame() { readers.add(1, ordering: .relaxed) }
    func readerLeft() { readers.subtract(1, ordering: .relaxed) }

    /// Something is kept from now on. `take` is called when something waits; it must not wait itself.
    func open(_ take: @escaping @Sendable () -> Void) { state.withLock { $0.take = take } }
    /// What comes from now on is dropped.
    func close() { state.withLock { $0.take = nil } }

    func put(_ item: Item, values: Int = 0) {
        let call = state.withLock { state -> (@Sendable () -> Void)? in
            guard let take = state.take else { return nil }
            let isFull = state.waiting.items.count >= Self.itemLimit || state.values + values > Self.valueLimit
            switch item {
            case .knowledge(let knowledge): state.waiting.knowledge.add(knowledge)
            case .status(let status): state.waiting.status = status
            case .values where isFull: state.waiting.missed += values
            // After one that did not fit none may go before it.
            case .change(let change) where isFull || !state.waiting.late.isEmpty:
                state.waiting.late[change.place] = change
            case .values, .change:
                state.waiting.items.append(item)
                state.values += values
            }
            guard !state.isCalled else { return nil }
            state.isCalled = true
            return take
        }
        call?()
    }

    /// Everything that waits.
    func takeAll() -> Waiting {
        state.withLock { state in
            defer { (state.waiting, state.values, state.isCalled) = (Waiting(), 0, false) }
            return state.waiting
        }
    }
}
