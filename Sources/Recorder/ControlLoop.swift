import AtlasProtocol
import NIOCore
import RecorderStore

/// What all links have in common.
package struct LinkSettings: Sendable {
    /// UDP port of the meters; 0: any free one, for a simulator that is told.
    package let meterPort: UInt16
    package var keepAlive: Span
    /// Whether datagrams are passed on to the other programs of this host.
    package var relays: Bool
    /// Told of each meters' socket that is bound.
    package let onBound: @Sendable (IPv4Address, UInt16) -> Void
    /// Called each second by the control plane, while it works.
    package var onTick: @Sendable () -> Void = {}
    package var limits = ReceiveLimits()

    package init(
        meterPort: UInt16, keepAlive: Span, relays: Bool = true,
        onBound: @escaping @Sendable (IPv4Address, UInt16) -> Void = { _, _ in }
    ) {
        (self.meterPort, self.keepAlive, self.relays, self.onBound) = (meterPort, keepAlive, relays, onBound)
    }
}

/// Owns the `ControlPlane` and runs it on one event loop, the same that its channels and timers use; so what they report
/// needs no hop.
package actor ControlLoop {
    package nonisolated let eventLoop: any EventLoop
    private nonisolated let executor: any SerialExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private var plane: ControlPlane?

    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        executor = eventLoop.executor
    }

    package func start(
        _ processors: [RegisteredProcessor], clock: RecorderClock, outbox: EntryOutbox, receiver: MeterReceiver,
        feed: Feed, settings: LinkSettings
    ) {
        let plane = ControlPlane(
            loop: self, clock: clock, outbox: outbox, receiver: receiver, feed: feed, settings: settings)
        self.plane = plane
        plane.start(processors)
    }

    package func stop() { plane?.stop() }

    /// Returns when what the receiver has told so far is taken: its notices and this call queue on the same loop.
    package func settle() {}

    /// Called from any thread, by the receiver.
    package nonisolated func notice(_ notice: MeterReceiver.Notice) {
        eventLoop.execute { self.enter { $0.take(notice) } }
    }

    /// Called from any thread.
    nonisolated func change(_ body: @escaping @Sendable (ControlPlane) -> Void) {
        eventLoop.execute { self.enter(body) }
    }

    /// For callbacks that run on the event loop.
    nonisolated func enter(_ body: @Sendable (ControlPlane) -> Void) {
        assumeIsolated { isolated in
            if let plane = isolated.plane { body(plane) }
        }
    }
}
