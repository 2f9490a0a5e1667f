import AtlasProtocol
import Glibc
import RecorderStore

/// The other end of the feed, for programs of this package: connects and reads lines until the recorder stops.
package struct FeedReader: ~Copyable {
    /// Why the feed cannot be read.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// For poll(2); readable when `read` does not wait.
    package let descriptor: Int32
    private var framer = LineFramer()
    private var chunk = [UInt8](repeating: 0, count: 64 * 1024)

    /// Throws `Failure` if nobody serves the feed of this store, or this user may not read it.
    package init(store: String) throws(Failure) {
        let path = FeedServer.path(forStore: StoreFile.resolved(store))
        do throws(UnixSocket.Failure) {
            descriptor = try UnixSocket.connected(to: path)
        } catch {
            throw Failure(description: Self.explanation(path, error.errno))
        }
    }

    deinit { close(descriptor) }

    private static func explanation(_ path: String, _ reason: Int32) -> String {
        let what = "cannot read the feed \(path): \(String(cString: strerror(reason)))"
        return switch reason {
        case ENOENT, ECONNREFUSED:
            "\(what). No recorder writes this store now: start one with 'atlas-recorder run', or name its store with --store."
        case EACCES, EPERM:
            "\(what). Who may read the store may read its feed: be in its group, or ask as the recorder's user."
        case ENAMETOOLONG:
            "\(what). A socket's path has at most 107 bytes: keep the store in a folder with a shorter path."
        default: "\(what)."
        }
    }

    /// Waits for bytes and calls `body` for each line that they end, without its newline. False: the feed has ended.
    package mutating func read(_ body: ([UInt8]) -> Void) -> Bool {
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            framer.feed(chunk[..<count]) { line in if case .complete(let bytes) = line { body(bytes) } }
            return true
        }
    }

    /// Calls `body` for each line until the recorder ends the feed or `body` returns false.
    package mutating func lines(_ body: ([UInt8]) -> Bool) {
        var goesOn = true
        while goesOn, read({ line in if goesOn { goesOn = body(line) } }) {}
    }
}
