import Dispatch
import Locks
import RecorderStore

/// Events, states and errors on their way to the store, in order. Whoever puts them here never waits; the writer's thread
/// is woken by what is urgent. Bounded: beyond the limit, changes of parameters are dropped and counted, because only
/// they can be made up by a sender without end.
package final class EntryOutbox: Sendable {
    static let limit = 20_000

    /// What is to be done on the writer's thread besides writing entries.
    enum Request: Sendable {
        case register(StoreWriter.Registration)
        case retain(Retention)
    }

    private struct State {
        var entries: [Entry] = []
        var requests: [Request] = []
        var dropped: [Int32: Int] = [:]
        var isClosed = false
        /// Whether one of the entries is.
        var isUrgent = false
    }
    private let state = Mutex(State())
    private let signal = DispatchSemaphore(value: 0)

    package init() {}

    package func put(_ entries: [Entry]) {
        guard !entries.isEmpty else { return }
        let isUrgent = entries.contains(where: \.isUrgent)
        state.withLock { state in
            state.isUrgent = state.isUrgent || isUrgent
            for entry in entries {
                if case .parameter(let processor, _, _, _, _) = entry, state.entries.count >= Self.limit {
                    state.dropped[processor, default: 0] += 1
                } else {
                    state.entries.append(entry)
                }
            }
        }
        if isUrgent { wake() }
    }

    /// After the entries that were put before.
    func ask(_ request: Request) {
        state.withLock { $0.requests.append(request) }
        wake()
    }

    /// To be called before `take`: then the entries that were put before a request are taken with it.
    func takeRequests() -> [Request] {
        state.withLock { state in
            defer { state.requests = [] }
            return state.requests
        }
    }

    /// Wakes the writer without an entry.
    package func wake() { signal.signal() }

    func close() {
        state.withLock { $0.isClosed = true }
        wake()
    }

    /// Blocks the caller's thread, the writer's own, until somebody wakes it or `limit` has passed. False once closed.
    func wait(atMost limit: DispatchTimeInterval) -> Bool {
        if signal.wait(timeout: .now() + limit) == .success {
            while signal.wait(timeout: .now()) == .success {}  // one look answers all the calls until now
        }
        return state.withLock { !$0.isClosed }
    }

    /// All entries, in order; what was dropped comes as losses at `now`. `onlyUrgent`: none unless one of them is urgent, so
    /// that the others share a commit.
    func take(at now: Int64, onlyUrgent: Bool = false) -> [Entry] {
        state.withLock { state in
            guard !onlyUrgent || state.isUrgent else { return [] }
            let losses = state.dropped.map { processor, count in
                Entry.loss(
                    Loss(processor: processor, reason: .parametersDropped, at: now, datagrams: count, samples: nil))
            }
            defer { (state.entries, state.dropped, state.isUrgent) = ([], [:], false) }
            return state.entries + losses
        }
    }
}
