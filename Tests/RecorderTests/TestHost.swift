import Recorder
import Synchronization

/// A host whose wall clock a test sets and that it puts to sleep; else its clocks go as the real ones do.
final class TestHost: Sendable {
    private let wallOffset = Atomic<Int64>(0)
    private let slept = Atomic<Int64>(0)

    /// Sets the wall clock by so many microseconds.
    func setClock(by step: Int64) { wallOffset.add(step, ordering: .sequentiallyConsistent) }
    /// The host wakes up after so many microseconds.
    func sleep(_ microseconds: Int64) { slept.add(microseconds, ordering: .sequentiallyConsistent) }

    var clocks: HostClocks {
        let real = HostClocks.system
        return HostClocks(
            wall: { real.wall() + self.wallOffset.load(ordering: .relaxed) + self.slept.load(ordering: .relaxed) },
            boot: { real.boot() + self.slept.load(ordering: .relaxed) }, awake: real.awake,
            stamping: real.wall)
    }
}
