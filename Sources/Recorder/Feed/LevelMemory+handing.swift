import CSockets
import Logging
import NIOCore
import NIOPosix
import RecorderStore

extension LevelMemory {
    /// nil where the host gives no such memory, which is logged: then the page shows no levels, and all else goes on.
    static func make(_ logger: Logger) -> LevelMemory? {
        do throws(Failure) {
            return try LevelMemory()
        } catch {
            logger.warning(
                "no memory to show levels in: recording goes on, the page shows no meters",
                metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Writes a new connection's first line with a copy of the descriptor, which only who asks for it gets (unix(7)). Nothing
    /// was written to it before, so it does not have to wait; where it fails all the same the page says that it has no levels.
    /// Returns what is left to write.
    func hand(with line: ByteBuffer, to channel: any Channel) -> ByteBuffer {
        var rest = line
        let sent = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            socket in
            line.withUnsafeReadableBytes { csockets_send_with(socket, $0.baseAddress, $0.count, descriptor) }
        }
        rest.moveReaderIndex(forwardBy: max(0, sent ?? 0))
        return rest
    }
}
