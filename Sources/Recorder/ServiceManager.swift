import Glibc

/// Tells systemd how the recorder is: a datagram of `NAME=value` lines to the socket that $NOTIFY_SOCKET names, as a path
/// or, after `@`, in the abstract namespace (sd_notify(3), unix(7)). Does nothing where there is no such variable.
package final class ServiceManager: Sendable {
    private let address: [UInt8]
    private let descriptor: Int32
    /// Whether it restarts a recorder that gives no sign of life ($WATCHDOG_USEC, sd_watchdog_enabled(3)).
    let isWatching: Bool

    package init(_ environment: [String: String]) {
        let name = Array(environment["NOTIFY_SOCKET", default: ""].utf8)
        let isAbstract = name.first == UInt8(ascii: "@")
        let isUsable = (isAbstract || name.first == UInt8(ascii: "/")) && (2...107).contains(name.count)
        address = isUsable ? (isAbstract ? [0] + name.dropFirst() : name) : []
        descriptor = isUsable ? socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0) : -1
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let isForUs = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        isWatching = descriptor >= 0 && isForUs && (environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0) > 0
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// `READY=1` and the like. 0, or the errno; 0 as well where nobody asked to be told. `waits`: up to a second for a
    /// manager that is busy, for what must not be lost.
    @discardableResult
    package func tell(_ lines: [String], waits: Bool = false) -> Int32 {
        guard descriptor >= 0 else { return 0 }
        let flags = waits ? MSG_NOSIGNAL : MSG_NOSIGNAL | MSG_DONTWAIT
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: address) }
        let size = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + address.count
        let bytes = Array(lines.joined(separator: "\n").utf8)
        let sent = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(flags), $0, socklen_t(size))
            }
        }
        return sent == bytes.count ? 0 : errno
    }

    /// The configuration is being read anew; READY=1 ends it (sd_notify(3)).
    func reloads() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
        tell(["RELOADING=1", "MONOTONIC_USEC=\(microseconds)"], waits: true)
    }

    /// A sign of life, at least each second: what stops it for longer than the unit's WatchdogSec restarts the recorder.
    func isAlive() { if isWatching { tell(["WATCHDOG=1"]) } }

    /// Gives signs of life until cancelled: while it waits for the store or opens it, nothing else does.
    func giveSignsOfLife() async {
        while isWatching, !Task.isCancelled {
            isAlive()
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
