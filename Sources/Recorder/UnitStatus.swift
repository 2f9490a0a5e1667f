import AtlasProtocol
import Synchronization

/// What the receiving thread and a unit's control link tell each other without waiting.
final class UnitStatus: Sendable {
    private let lastDatagramAt = Atomic<Int64>(0)
    private let isAwaited = Atomic<Bool>(false)
    private let source = Atomic<UInt16>(0)

    /// When this unit's last readable datagram arrived; nil if none has.
    var lastDatagram: Instant? {
        let at = lastDatagramAt.load(ordering: .relaxed)
        return at == 0 ? nil : Instant(microseconds: at)
    }

    /// The port that its last datagram came from; 0: none has come.
    var sourcePort: UInt16 { source.load(ordering: .relaxed) }
    func sends(from port: UInt16) { source.store(port, ordering: .relaxed) }

    /// Asks to be told of the next datagram.
    func awaitDatagram() { isAwaited.store(true, ordering: .relaxed) }

    /// A readable datagram arrived. True if somebody asked to be told, once.
    func heard(at instant: Instant) -> Bool {
        lastDatagramAt.store(instant.microseconds, ordering: .relaxed)
        return isAwaited.load(ordering: .relaxed) && isAwaited.exchange(false, ordering: .relaxed)
    }
}
