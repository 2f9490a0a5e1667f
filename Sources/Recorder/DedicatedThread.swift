import CSockets
import Glibc

/// A thread of our own for a loop that waits in system calls; a thread of Swift's shared pool must never wait.
package enum DedicatedThread {
    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts `body`; the thread ends with it. Throws EAGAIN's words if the host has no thread to give.
    package static func start(named name: String, _ body: @escaping @Sendable () -> Void) throws(ReceiverError) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(
            Box {
                csockets_name_thread(name)
                body()
            })
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let box = Unmanaged<Box>.fromOpaque(context).takeRetainedValue()
                box.body()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw ReceiverError(doing: "start the receiving thread", errno: code)
        }
        pthread_detach(thread)
    }
}

/// The receiver could not be started: the host is out of threads, descriptors or memory.
package struct ReceiverError: Error, CustomStringConvertible {
    package let doing: String
    package let errno: Int32

    package var description: String {
        "cannot \(doing): \(ErrnoName.message(errno)) (\(ErrnoName.name(errno))). "
            + "Look at the limits of this process: cat /proc/self/limits"
    }
}
