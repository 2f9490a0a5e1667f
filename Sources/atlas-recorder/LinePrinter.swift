import Dispatch
import Locks

/// Prints lines on stdout in order, on a thread of its own: whoever reads them slowly, or not at all, must not hold up
/// the recorder. Beyond a thousand waiting lines new ones are dropped; they are in the store all the same.
final class LinePrinter: Sendable {
    private static let limit = 1_000
    private let queue = DispatchQueue(label: "atlas-recorder.lines")
    private let waiting = Mutex(0)

    func print(_ line: String) {
        let isFull = waiting.withLock { count in
            guard count < Self.limit else { return true }
            count += 1
            return false
        }
        guard !isFull else { return }
        queue.async { [self] in
            Console.line(line)
            waiting.withLock { $0 -= 1 }
        }
    }

    /// Waits until all is printed, but no longer than a second.
    func flush() {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + 1)
    }
}
