import Glibc
import RecorderStore
import ServiceLifecycle
import WallTime

/// The right to record into one store: taken at once, or waited for behind the recorder that has it. Until it is had no
/// socket is opened, and of the store only the lock beside it, and the header that says whether it is ours.
struct Standby: Sendable {
    /// The store's own file, behind links.
    private let path: String
    private let clock: RecorderClock

    /// Throws `.notOurs`, `.schemaTooNew` and the like for a file that nobody should wait for.
    init(store: String, clock: RecorderClock) throws(StoreError) {
        _ = try StoreFile.inspect(store)
        (path, self.clock) = (StoreFile.resolved(store), clock)
    }

    /// What the holder writes of itself into the lock file.
    private var name: String { "pid \(getpid()) since \(LocalTime.text(clock.wallNow).prefix(19))" }

    /// Who has it now, in its own words.
    var holder: String { StoreLock.words(forStore: path) ?? "another recorder" }

    /// Takes the lock, or throws `.lockHeld` with the holder's name.
    func claim() throws(StoreError) -> StoreLock { try StoreLock(store: path, holder: name) }

    /// Waits until the holder lets go or dies, kill -9 included; the service manager is told of each new holder. nil:
    /// graceful shutdown came first.
    func wait(_ manager: ServiceManager, first holder: String) async throws -> StoreLock? {
        let (locks, continuation) = AsyncStream<Result<StoreLock, StoreError>>.makeStream()
        // flock(2) is woken by the kernel when the holder is gone, but by nothing else: where nobody wants the lock any
        // more, this thread ends with the process, or lets go of what it got too late.
        try DedicatedThread.start(named: "atlas-standby") { [self] in
            do throws(StoreError) {
                continuation.yield(.success(try StoreLock(store: path, holder: name, waits: true)))
            } catch {
                continuation.yield(.failure(error))
            }
            continuation.finish()
        }
        let telling = Task { await tell(manager, first: holder) }
        var lock: StoreLock?
        for await result in locks.cancelOnGracefulShutdown() {
            lock = try result.get()
            break
        }
        telling.cancel()
        await telling.value  // it says nothing more once this one records
        return lock
    }

    /// Of several that stand by one has its turn: the others then wait for that one.
    private func tell(_ manager: ServiceManager, first: String) async {
        var told = first
        let own = "pid \(getpid()) "
        while true {
            try? await Task.sleep(for: .seconds(1))
            if Task.isCancelled { return }
            let holder = holder
            guard holder != told, !holder.hasPrefix(own) else { continue }
            manager.tell(["STATUS=standing by: \(holder) records"])
            told = holder
        }
    }
}
