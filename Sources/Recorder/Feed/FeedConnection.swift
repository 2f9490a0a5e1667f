import CSockets
import Glibc
import RecorderStore

/// A connection to the feed until the recorder has spoken. With its first bytes, and with no others, comes its memory of levels;
/// so they are read here. Waits for nothing: for event loops. Who needs no levels reads with `FeedReader`.
package final class FeedConnection {
    package enum Look {
        case waiting
        /// `first`: a part of the first lines, which may end in the middle of one. `levels` nil: this recorder hands none.
        case spoke(first: [UInt8], levels: LevelMap?)
        /// The recorder has closed it, or it broke.
        case gone
    }

    private var descriptor: Int32

    /// nil if nobody serves the feed of this store, this user may not read it, or so many wait to be let in that one more would
    /// have to wait, too: those of a recorder that stands still.
    package init?(store: String) {
        let path = FeedServer.path(forStore: StoreFile.resolved(store))
        guard let descriptor = try? UnixSocket.connected(to: path, waits: false) else { return nil }
        self.descriptor = descriptor
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Whether it has spoken by now. Asked until it has, and not after.
    package func look() -> Look {
        var handed: Int32 = -1
        var first = [UInt8](repeating: 0, count: 4096)
        let count = csockets_receive_with(descriptor, &first, first.count, &handed)
        defer { if handed >= 0 { close(handed) } }
        if count == -Int(EAGAIN) { return .waiting }
        guard count > 0 else { return .gone }
        return .spoke(first: Array(first[..<count]), levels: handed >= 0 ? LevelMap(handed) : nil)
    }

    /// The socket, which is the caller's from here on.
    package func release() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }
}
