import Glibc

/// How many descriptors this process may have open (getrlimit(2), RLIMIT_NOFILE): a connection to each unit takes one, and
/// the usual soft limit of 1,024 would leave some of 1,000 units without.
package enum DescriptorLimit {
    /// What the recorder opens beside its units: store, log, sockets of the meters, the feed and its readers, /proc.
    static let besides = 128

    /// Raises the soft limit to the hard one, which needs no right. Returns what is then allowed.
    @discardableResult
    package static func raise() -> UInt64 {
        var limit = rlimit()
        let isKnown = getrlimit(resource, &limit) == 0
        guard isKnown, limit.rlim_cur < limit.rlim_max else { return UInt64(limit.rlim_cur) }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        return UInt64(setrlimit(resource, &limit) == 0 ? limit.rlim_cur : before)
    }

    /// What to say where the hard limit is too low for so many units; nil: it is not.
    package static func shortage(units: Int, allowed: UInt64) -> String? {
        let needed = UInt64(units + besides)
        guard allowed < needed else { return nil }
        return "this process may open \(allowed) files and sockets, and \(units) processors need about \(needed): some "
            + "will not be reached (EMFILE). Raise the hard limit (systemd: LimitNOFILE=, a shell: ulimit -Hn) and start again."
    }

    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
}
