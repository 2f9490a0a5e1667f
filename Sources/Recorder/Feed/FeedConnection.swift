import CSockets
import Glibc
import RecorderStore

/// A connection to the feed whose first line has come, with the recorder's memory of levels: that comes with the first bytes and
/// with no others, so they are read here. Else see `FeedReader`.
package struct FeedConnection: Sendable {
    /// The caller's from here on.
    package let descriptor: Int32
    /// What was read.
    package let first: [UInt8]
    /// nil: this recorder hands none.
    package let levels: LevelMap?

    /// Waits for the first line, at most so many seconds; nil if none comes or nobody serves the feed. Not for an event loop.
    package init?(store: String, waitingAtMost seconds: Int) {
        guard let socket = try? UnixSocket.connected(to: FeedServer.path(forStore: StoreFile.resolved(store))) else {
            return nil
        }
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var handed: Int32 = -1
        var first = [UInt8](repeating: 0, count: 4096)
        let count = csockets_receive_with(socket, &first, first.count, &handed)
        defer { if handed >= 0 { close(handed) } }
        guard count > 0 else {
            close(socket)
            return nil
        }
        (descriptor, self.first) = (socket, Array(first[..<count]))
        levels = handed >= 0 ? LevelMap(handed) : nil
    }
}
