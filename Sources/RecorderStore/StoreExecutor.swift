import Dispatch

/// The thread of the store: SQLite waits for the disk, and a thread of Swift's shared pool must never wait.
final class StoreExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "atlas-recorder.store")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
