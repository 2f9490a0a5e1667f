import AtlasProtocol
import NIOCore

/// Where the unit is.
extension ProcessorLink {
    /// One look-up at a time: an attempt that finds one under way waits for that.
    func lookUp() -> EventLoopFuture<IPv4Address> {
        if let lookup { return lookup }
        let future = Resolver.resolve(processor.spec.host, on: plane.loop.eventLoop)
        lookup = future
        let (id, loop) = (processor.id, plane.loop)
        future.whenComplete { _ in loop.enter { $0.link(id)?.lookup = nil } }
        return future
    }

    func resolved(_ address: IPv4Address, _ attempt: Int, routed: @escaping @Sendable () -> Void) {
        guard attempt == self.attempt else { return routed() }
        if let before = self.address, before != address { plane.unroute(before, self) }
        let isNew = self.address != address
        self.address = address
        plane.route(address, self, isNew: isNew, done: routed)
    }
}
