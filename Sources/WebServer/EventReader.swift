import NIOCore
import NIOHTTP1

/// A page that follows the meters. What does not fit its socket is not kept for it: when it has read it gets how all is then.
final class EventReader {
    /// Microseconds for which one may read nothing.
    private static let patience: Int64 = 60_000_000

    let scope: LiveBoard.Scope
    private let channel: any Channel
    /// Since when it lacks something, microseconds of a clock that nobody sets.
    private var behindSince: Int64?
    var isBehind: Bool { behindSince != nil }

    init(_ channel: any Channel, _ scope: LiveBoard.Scope) { (self.channel, self.scope) = (channel, scope) }

    func send(_ text: String, at now: Int64) { if !text.isEmpty { send(ByteBuffer(string: text), at: now) } }

    func send(_ bytes: ByteBuffer, at now: Int64) {
        guard channel.isWritable, !isBehind else { return behindSince = behindSince ?? now }
        write(bytes)
    }

    /// Everything.
    func greet(_ view: FeedView, at now: Int64) {
        guard channel.isWritable else { return behindSince = behindSince ?? now }
        behindSince = nil
        write(ByteBuffer(string: view.recorderEvent + view.board.links() + view.board.names(for: scope)))
        if let levels = view.board.levels(of: view.board.units.flatMap(\.meters), for: scope) { write(levels) }
    }

    /// A word that shows whether anybody is there; who has not read for long gives its place to others.
    func probe(at now: Int64) {
        if let behindSince, now - behindSince > Self.patience { return channel.close(promise: nil) }
        send("event: here\ndata: 0\n\n", at: now)
    }

    private func write(_ bytes: ByteBuffer) {
        channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(bytes)), promise: nil)
    }
}
