/// Whether datagrams reach our socket. Meters may rightly be quiet for hours (a value is sent when it changes), so
/// silence alone is not down: the keep-alive's echo by UDP decides. Pure; a part of `ControlSession`.
struct MeterLink {
    private enum Control { case down, answering, mute }
    private enum Socket: Equatable { case none, bound, failed(Cause) }

    private(set) var state = LinkState.unknown(.recorderStarting)
    /// When the present state began, and when that was noticed.
    private var began: (since: Instant, noticed: Instant)?
    private var socket = Socket.none
    private var control = Control.down
    private var lastHeard: Instant?
    /// The first datagram of a connection on which the unit has answered nothing yet: another program's, or the echo
    /// that outran the answer. It counts when the unit answers, or lives without answering.
    private var early: Instant?
    private var lastProbe: Instant?
    /// When the oldest probe was sent that no datagram has followed, and how many have gone out since.
    private var unechoedSince: Instant?
    private var lostEchoes = 0

    /// What came of one step: the new state and the event to record, if it changed.
    typealias Outcome = (change: LinkChange, event: LinkEvent)?

    /// Subscriptions end with the connection, so the meters do; but not before the last datagram that was seen.
    mutating func controlLost(since: Instant, noticed: Instant) -> Outcome {
        control = .down
        forgetProbes()
        if case .failed = socket { return nil }
        return move(to: .down(.controlDown), since: max(since, lastHeard ?? since), noticed: noticed)
    }

    mutating func controlAnswers(at now: Instant) -> Outcome {
        if control != .answering, unechoedSince != nil {
            restartDoubt()  // before, no echo was to be had
        }
        control = .answering
        return takeEarly(now)
    }

    mutating func controlIsMute(at now: Instant) -> Outcome {
        control = .mute
        return takeEarly(now)
    }

    /// The socket is there; what was missed before it was is no fault of the way to it. Without a connection nothing can
    /// come to it; with one, the first datagram or a lost echo tells what it is worth.
    mutating func bound(at now: Instant, isConnected: Bool) -> Outcome {
        let before = socket
        socket = .bound
        forgetProbes()
        guard !isConnected, case .failed(let errno) = before, state == .down(errno) else { return nil }
        return move(to: .down(.controlDown), since: now, noticed: now)
    }

    /// The socket could not be bound, or failed later, with this errno.
    mutating func bindFailed(_ errno: Cause, at now: Instant, detail: String?) -> Outcome {
        socket = .failed(errno)
        early = nil
        return move(to: .down(errno), since: now, noticed: now, detail: detail)
    }

    /// Whether the edge should tell of the next datagram.
    var awaitsDatagram: Bool { socket == .bound && state != .up }

    mutating func datagramArrived(at instant: Instant) -> Outcome {
        guard socket == .bound else { return nil }  // of a socket that has failed since
        heard(instant)
        guard control != .down else {
            early = early ?? instant
            return nil
        }
        return move(to: .up, since: instant, noticed: instant)
    }

    /// Another socket takes the datagrams, as the kernel's table shows. Whatever arrives after this proves otherwise.
    mutating func taken(by rival: String, at now: Instant) -> Outcome {
        guard socket == .bound, control != .down else { return nil }
        return move(to: .down(.taken), since: now, noticed: now, detail: rival)
    }

    /// A probe is about to be sent; nothing came for the one before it unless `lastDatagram` says so.
    mutating func probing(at now: Instant) {
        guard socket == .bound else { return }
        lastProbe = now
        if unechoedSince == nil { unechoedSince = now }
        lostEchoes += 1
    }

    /// What the receiver saw last, when a timer fires: anything readable from this unit proves the way.
    mutating func heard(at lastDatagram: Instant?) {
        guard let since = unechoedSince, let lastDatagram, lastDatagram >= since else { return }
        heard(lastDatagram)
    }

    /// True while the last probe's echo is missing, so that the next probe should come soon.
    var isInDoubt: Bool { unechoedSince != nil }

    /// Judges at a probe's time: down when three probes over `limit` had no echo.
    mutating func judge(at now: Instant, limit: Span, rival: String?) -> Outcome {
        guard socket == .bound, let since = unechoedSince, lostEchoes >= 3, now - since >= limit else { return nil }
        // A cause learnt soon after corrects the row; one that comes later, by the same evidence, is a new one.
        let isOld = began.map { $0.since >= since && now - $0.noticed > limit } ?? false
        let first = isOld ? now : since
        switch control {
        case .down: return nil
        case .mute: return move(to: .down(.controlDown), since: first, noticed: now)
        case .answering:
            if state == .down(.taken), rival == nil, let noticed = began?.noticed, since <= noticed {
                // The other socket has gone: its lost echoes prove nothing more, the next ones will.
                restartDoubt()
                return nil
            }
            let cause = rival == nil ? Cause.notArriving : .taken
            return move(to: .down(cause), since: first, noticed: now, detail: rival)
        }
    }

    private mutating func heard(_ instant: Instant) {
        lastHeard = max(instant, lastHeard ?? instant)
        unechoedSince = nil
        lostEchoes = 0
    }

    /// Only the last probe's echo can still be waited for.
    private mutating func restartDoubt() {
        unechoedSince = lastProbe
        lostEchoes = 1
    }

    private mutating func forgetProbes() {
        early = nil
        unechoedSince = nil
        lostEchoes = 0
    }

    private mutating func takeEarly(_ now: Instant) -> Outcome {
        guard let datagram = early else { return nil }
        early = nil
        return move(to: .up, since: datagram, noticed: now)
    }

    /// A state never begins before the one it follows.
    private mutating func move(
        to next: LinkState, since: Instant, noticed: Instant, detail: String? = nil
    ) -> Outcome {
        guard next != state else { return nil }
        let since = max(since, began?.since ?? since)
        state = next
        began = (since, noticed)
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
