import AtlasProtocol
import NIOCore
import RecorderStore
import Synchronization

/// The way from the recorder's threads to the feed's readers. Whoever puts something here never waits: the way is bounded,
/// and what does not fit is counted as missed by every reader. Without a reader it costs one atomic load a round.
package final class Feed: Sendable {
    enum Item: Sendable {
        case values(FrameBlock, after: FrameBlock.Mark)
        /// Slots and last values of a block that goes to the store: a later reader needs them.
        case learnt(FrameBlock)
        case label(Int32, Meter, String)
        case change(Int32, Link, LinkState, since: Int64)
    }
    private struct State {
        var items: [Item] = []
        var waiting = 0
        var missed = 0
        var isCalled = false
        var take: (@Sendable () -> Void)?
    }

    /// Values that may wait for the feed's loop: about a second of a thousand units.
    private static let limit = 400_000
    private let state = Mutex(State())
    private let readers = Atomic<Int>(0)

    package init() {}

    /// Whether anybody reads.
    var isWanted: Bool { readers.load(ordering: .relaxed) > 0 }
    func readerCame() { readers.add(1, ordering: .relaxed) }
    func readerLeft() { readers.subtract(1, ordering: .relaxed) }

    /// `take` is called when something waits; it must not wait itself.
    func onItems(_ take: @escaping @Sendable () -> Void) { state.withLock { $0.take = take } }

    func put(_ item: Item, values: Int = 0) {
        let call = state.withLock { state -> (@Sendable () -> Void)? in
            if values > 0, state.waiting + values > Self.limit {
                state.missed += values
                return nil
            }
            state.items.append(item)
            state.waiting += values
            guard !state.isCalled, let take = state.take else { return nil }
            state.isCalled = true
            return take
        }
        call?()
    }

    /// Everything that waits, in order, and how many values did not fit.
    func takeAll() -> (items: [Item], missed: Int) {
        state.withLock { state in
            defer { (state.items, state.waiting, state.missed, state.isCalled) = ([], 0, 0, false) }
            return (state.items, state.missed)
        }
    }
}
