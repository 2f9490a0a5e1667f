import AtlasProtocol
import Locks
import RecorderStore

/// A recording into one store, from when its links have started until it ends: what a reload changes.
final class LiveRecording: Sendable {
    let loop: ControlLoop
    let outbox: EntryOutbox
    let clock: RecorderClock
    let names: Names
    let overview: LinkOverview
    /// What ends each wait; nil: the recording has ended.
    private let waits = Mutex<[@Sendable () -> Void]?>([])

    init(loop: ControlLoop, outbox: EntryOutbox, clock: RecorderClock, names: Names, overview: LinkOverview) {
        (self.loop, self.outbox, self.clock, self.names, self.overview) = (loop, outbox, clock, names, overview)
    }

    /// False if the recording ended meanwhile: then whatever is missing is the next one's beginning.
    func carryOut(_ plan: ReloadPlan, count: Int) async -> Bool {
        let isWithdrawn: Bool? = await answer { done in
            loop.change { $0.withdraw(plan) { done(true) } }
        }
        guard isWithdrawn != nil else { return false }
        let begun = plan.changed.map(\.new) + plan.added
        if !begun.isEmpty {
            // Only when the store has their rows can anything be written of them.
            let registered: [RegisteredProcessor]? = await answer { done in
                outbox.ask(.register(StoreWriter.Registration(begun, done: done)))
            }
            guard let registered else { return false }
            names.set(registered)
            loop.change { $0.begin(registered) }
        }
        if let retention = plan.retention { outbox.ask(.retain(retention)) }
        overview.set(count: count)
        say(.reloaded, plan.detail)
        return true
    }

    func say(_ name: LinkEvent.Name, _ detail: String) {
        outbox.put([.event(.init(processor: nil, at: clock.wallNow, link: nil, name: name, detail: detail))])
    }

    /// Nobody is waited for any more.
    func end() {
        let ended = waits.withLock { waits in
            defer { waits = nil }
            return waits ?? []
        }
        for end in ended { end() }
    }

    /// What another thread calls back with; nil: the recording has ended.
    private func answer<Answer: Sendable>(_ ask: (@escaping @Sendable (Answer) -> Void) -> Void) async -> Answer? {
        let (stream, continuation) = AsyncStream<Answer>.makeStream()
        let isAlive = waits.withLock { waits in
            waits?.append { continuation.finish() }
            return waits != nil
        }
        guard isAlive else { return nil }
        ask {
            continuation.yield($0)
            continuation.finish()
        }
        for await answer in stream { return answer }
        return nil
    }
}

/// The settings that hold now. They outlive the store that is written: the next one begins with them.
final class LiveState: Sendable {
    private struct State {
        var settings: LiveSettings
        /// What the recording does.
        var applied: LiveSettings?
        var recording: LiveRecording?
        var isApplying = false
        var isReady = false
    }
    private let state: Mutex<State>

    init(_ settings: LiveSettings) { state = Mutex(State(settings: settings)) }

    var settings: LiveSettings { state.withLock { $0.settings } }
    var recording: LiveRecording? { state.withLock { $0.recording } }
    /// Whether the service manager was told that the recorder has started.
    var isReady: Bool { state.withLock { $0.isReady } }
    func isReadyNow() { state.withLock { $0.isReady = true } }

    /// Returns whether that is anything new.
    func set(_ settings: LiveSettings) -> Bool {
        state.withLock { state in
            defer { state.settings = settings }
            return state.settings != settings
        }
    }

    /// From now on `recording` is what a reload changes; it began with these.
    func began(_ recording: LiveRecording, with settings: LiveSettings) {
        state.withLock { ($0.recording, $0.applied, $0.isApplying) = (recording, settings, false) }
    }

    func ended() {
        let recording = state.withLock { state in
            defer { (state.recording, state.applied) = (nil, nil) }
            return state.recording
        }
        recording?.end()
    }

    /// Until the recording does what the settings say. One at a time: the second call leaves it to the first.
    func apply() async {
        while let (recording, plan, target) = next() {
            let isDone = await recording.carryOut(plan, count: target.processors.count)
            state.withLock { state in
                guard state.recording === recording else { return }
                (state.isApplying, state.applied) = (false, isDone ? target : state.applied)
            }
            guard isDone else { return }
        }
    }

    private func next() -> (LiveRecording, ReloadPlan, LiveSettings)? {
        state.withLock { state in
            guard !state.isApplying, let recording = state.recording, let applied = state.applied,
                applied != state.settings
            else { return nil }
            state.isApplying = true
            return (recording, ReloadPlan(from: applied, to: state.settings), state.settings)
        }
    }
}

/// The units' names by their row.
final class Names: Sendable {
    private let names = Mutex<[Int32: String]>([:])

    func set(_ processors: [RegisteredProcessor]) {
        names.withLock { names in for processor in processors { names[processor.id] = processor.spec.name } }
    }
    subscript(id: Int32) -> String { names.withLock { $0[id] ?? "processor \(id)" } }
}
