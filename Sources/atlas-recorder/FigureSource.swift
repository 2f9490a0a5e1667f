import CSockets
import Glibc
import Locks
import Recorder
import Watching

/// Asks the store for today's figures, on a thread of its own: over a store of years that may take a while.
final class FigureSource: Sendable {
    /// Seconds from one answer to the next question, and how many times as long as the answer took: so it never takes more
    /// than two per cent of a processor.
    private static let (pause, share) = (5.0, 50.0)

    /// For poll(2): readable when there is something new.
    let descriptor: Int32
    private let latest = Mutex(Watch.Figures.asked)

    init(store: String, processor: String?) throws {
        descriptor = csockets_wake_create()
        try DedicatedThread.start(named: "figures") { [self] in
            while true {
                let began = Moment.now
                let figures: Watch.Figures
                do {
                    figures = .known(try DayFigures(store: store, processor: processor, now: began.wall))
                } catch {
                    figures = .failed("\(error)")
                }
                latest.withLock { $0 = figures }
                csockets_wake(descriptor)
                let took = Double(Moment.now.steady - began.steady) / 1e6
                usleep(UInt32(min(max(Self.pause, took * Self.share), 3_600) * 1e6))
            }
        }
    }

    func take() -> Watch.Figures {
        csockets_wake_drain(descriptor)
        return latest.withLock { $0 }
    }
}
