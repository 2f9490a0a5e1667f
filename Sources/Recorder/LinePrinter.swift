import Dispatch
import Locks

/// Prints lines on stdout in order, on a thread of its own: whoever reads them slowly, or not at all, must not hold up
/// the recorder. Beyond `limit` waiting lines new ones are left out, and a line says how many; they are in the store all the
/// same.
package final class LinePrinter: Sendable {
    private struct State {
        var waiting = 0
        var leftOut = 0
    }
    private let queue = DispatchQueue(label: "atlas-recorder.lines")
    private let state = Mutex(State())
    private let limit: Int
    private let write: @Sendable (String) -> Void

    /// `limit`: the default has room for five lines of each of 2,000 units that begin at once, about a megabyte.
    package init(limit: Int = 10_000, write: @escaping @Sendable (String) -> Void) {
        (self.limit, self.write) = (limit, write)
    }

    package func print(_ line: String) {
        let isFull = state.withLock { state in
            guard state.waiting < limit else {
                state.leftOut += 1
                return true
            }
            state.waiting += 1
            return false
        }
        guard !isFull else { return }
        queue.async { [self] in
            write(line)
            let leftOut = state.withLock { state in
                state.waiting -= 1
                // What was left out came after all that waits: it is told of behind that.
                guard state.waiting == 0 else { return 0 }
                defer { state.leftOut = 0 }
                return state.leftOut
            }
            if leftOut > 0 { write("(\(leftOut) lines left out: stdout was read too slowly; the store has them all)") }
        }
    }

    /// Waits until all is printed, but no longer than a second.
    package func flush() {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + 1)
    }
}
