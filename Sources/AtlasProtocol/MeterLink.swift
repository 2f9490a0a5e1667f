/// Whether datagrams reach our socket. Meters may rightly be quiet for hours (a value is sent when it changes), so
/// silence alone is not down: the keep-alive's echo by UDP decides. Pure; a part of `ControlSession`.
struct MeterLink {
    private enum Control { case down, answering, mute }
    private enum Socket: Equatable { case none, bound, failed(Cause) }

    private(set) var state = LinkState.unknown(.recorderStarting)
    private var socket = Socket.none
    private var control = Control.down
    /// When the oldest probe was sent that no datagram has followed.
    private var unechoedSince: Instant?
    private var lostEchoes = 0

    /// What came of one step: the new state and the event to record, if it changed.
    typealias Outcome = (change: LinkChange, event: LinkEvent)?

    /// Subscriptions end with the connection, so the meters do.
    mutating func controlLost(at now: Instant) -> Outcome {
        control = .down
        unechoedSince = nil
        lostEchoes = 0
        if case .failed = socket { return nil }
        return move(to: .down(.controlDown), since: now, noticed: now, detail: nil)
    }

    mutating func controlAnswers() { control = .answering }
    mutating func controlIsMute() { control = .mute }

    /// The socket is there; what was missed before it was is no fault of the way to it.
    mutating func bound() {
        socket = .bound
        unechoedSince = nil
        lostEchoes = 0
    }

    /// The socket could not be bound, or failed later, with this errno.
    mutating func bindFailed(_ errno: Cause, at now: Instant, detail: String?) -> Outcome {
        socket = .failed(errno)
        return move(to: .down(errno), since: now, noticed: now, detail: detail)
    }

    /// Whether the edge should tell of the next datagram.
    var awaitsDatagram: Bool { socket == .bound && state != .up }

    mutating func datagramArrived(at instant: Instant) -> Outcome {
        unechoedSince = nil
        lostEchoes = 0
        return move(to: .up, since: instant, noticed: instant, detail: nil)
    }

    /// A probe is about to be sent; nothing came for the one before it unless `lastDatagram` says so.
    mutating func probing(at now: Instant) {
        guard socket == .bound else { return }
        if unechoedSince == nil { unechoedSince = now }
        lostEchoes += 1
    }

    /// What the receiver saw last, when a timer fires: anything readable from this unit proves the way.
    mutating func heard(at lastDatagram: Instant?) {
        guard let since = unechoedSince, let lastDatagram, lastDatagram >= since else { return }
        unechoedSince = nil
        lostEchoes = 0
    }

    /// True while the last probe's echo is missing, so that the next probe should come soon.
    var isInDoubt: Bool { unechoedSince != nil }

    /// Judges at a probe's time: down when three probes over `limit` had no echo.
    mutating func judge(at now: Instant, limit: Span, rival: String?) -> Outcome {
        guard socket == .bound, let since = unechoedSince, lostEchoes >= 3, now - since >= limit else { return nil }
        switch control {
        case .down: return nil
        case .mute: return move(to: .down(.controlDown), since: since, noticed: now, detail: nil)
        case .answering:
            let cause = rival == nil ? Cause.notArriving : .taken
            return move(to: .down(cause), since: since, noticed: now, detail: rival)
        }
    }

    private mutating func move(to next: LinkState, since: Instant, noticed: Instant, detail: String?) -> Outcome {
        guard next != state else { return nil }
        state = next
        let name: LinkEvent.Name
        switch next {
        case .up, .unknown: name = .metersFlowing
        case .down(.taken): name = .taken
        case .down: name = .metersLost
        }
        return (
            LinkChange(link: .meters, state: next, since: since),
            LinkEvent(at: noticed, link: .meters, name: name, cause: next.cause, detail: detail)
        )
    }
}
