import RecorderStore
import Synchronization

/// Events, states and errors on their way to the store, in order. Whoever puts them here never waits; the
/// writer is woken by what is urgent. Bounded: beyond the limit, changes of parameters are dropped and counted, because only they can be made up by
/// a sender without end.
package final class EntryOutbox: Sendable {
    static let limit = 50_000

    private struct State {
        var entries: [Entry] = []
        var dropped: [Int32: Int] = [:]
    }
    private let state = Mutex(State())
    private let continuation: AsyncStream<Void>.Continuation
    /// Yields when there is something to take. One reader.
    let wakes: AsyncStream<Void>

    package init() {
        (wakes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package func put(_ entries: [Entry]) {
        guard !entries.isEmpty else { return }
        state.withLock { state in
            for entry in entries {
                if case .parameter(let processor, _, _, _) = entry, state.entries.count >= Self.limit {
                    state.dropped[processor, default: 0] += 1
                } else {
                    state.entries.append(entry)
                }
            }
        }
        if entries.contains(where: \.isUrgent) { continuation.yield() }
    }

    /// Wakes the reader without an entry.
    func wake() { continuation.yield() }

    func close() { continuation.finish() }

    /// All entries, in order; what was dropped comes as losses at `now`.
    func take(at now: Int64) -> [Entry] {
        state.withLock { state in
            let losses = state.dropped.map { processor, count in
                Entry.loss(Loss(processor: processor, reason: .queueFull, at: now, datagrams: 0, samples: count))
            }
            defer { state = State() }
            return state.entries + losses
        }
    }
}
