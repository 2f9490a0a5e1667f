import AtlasProtocol

/// What a reload asks of one link.
extension ProcessorLink {
    /// Ends the link alone: the recorder goes on without it.
    func leave() {
        stop()
        plane.sockets.leave(self)
        if let address { plane.unroute(address, self) }
    }

    /// From now on: a probe that is due by the new interval goes out at once.
    func keepAliveIs(_ keepAlive: Span) {
        self.keepAlive = keepAlive
        session.keepAliveIs(keepAlive)
        if timers[.probe] != nil { start(.probe, at: plane.clock.now) }
    }
}
