#if THREAD_SANITIZER
    import Glibc

    /// As Synchronization's, on a lock that the thread sanitizer knows: that one waits in a futex of its own, and each
    /// contended access is taken for a race. Only `scripts/sanitize thread` builds with this.
    package final class Mutex<Value>: @unchecked Sendable {
        private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private var value: Value

        package init(_ value: consuming sending Value) {
            self.value = value
            pthread_mutex_init(lock, nil)
        }

        package func withLock<Result, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            return try body(&value)
        }

        deinit {
            pthread_mutex_destroy(lock)
            lock.deallocate()
        }
    }
#else
    import Synchronization

    package typealias Mutex = Synchronization.Mutex
#endif
