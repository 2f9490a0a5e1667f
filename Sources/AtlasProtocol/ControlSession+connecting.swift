/// Attempts, connections, and how they end.
extension ControlSession {
    mutating func connected(_ localName: String, _ local: IPv4Address, _ now: Instant) -> [Action] {
        let dialogue = SubscriptionDialogue(configuration.subscriptions, firstID: takeIDs())
        let connection = Connection(since: now, local: localName, dialogue: dialogue, askedSince: now)
        guard configuration.recordsMeters else { return begin(connection, now) }
        phase = .connected(connection, .notBegun)
        return [.bindMeters(on: local)]
    }

    /// `since`: when the attempt began.
    mutating func connectFailed(_ cause: Cause, _ detail: String, since: Instant, _ now: Instant) -> [Action] {
        phase = .waiting
        let wait = backoff.next(accepted: Self.isEndedByUnit(cause))
        return attemptFailed(cause, detail, since: Self.failureBegan(cause, since: since, now), now)
            + [.start(.reconnect, at: now + wait)]
    }

    /// The unit took the connection and ended it. Whether that is a FIN or an RST is chance: an RST where it had not read
    /// all that we sent.
    private static func isEndedByUnit(_ cause: Cause) -> Bool { cause == .closed || cause == .reset }

    /// An answer that refuses is evidence when it comes; a question that nobody answers is evidence from its sending.
    private static func failureBegan(_ cause: Cause, since attempt: Instant, _ now: Instant) -> Instant {
        switch cause {
        case .timeout, .unreachable, .unresolved: attempt
        default: now
        }
    }

    /// An attempt is an event only when it fails in another way than the one before it.
    private mutating func attemptFailed(
        _ cause: Cause, _ detail: String, since: Instant, _ now: Instant
    ) -> [Action] {
        var result: [Action] = []
        let isSame =
            if case .down(let before) = control {
                before == cause || Self.isEndedByUnit(before) && Self.isEndedByUnit(cause)
            } else { false }
        if !isSame {
            let event = LinkEvent(at: now, link: .control, name: .connectFailed, cause: cause, detail: detail)
            result = [.record(event)] + move(to: .down(cause), since: since)
        }
        return result + tellMeters { $0.controlLost(since: since, noticed: now) }
    }

    /// `kernel`: the kernel's own evidence of a silence.
    mutating func lost(
        _ connection: Connection, _ talk: Talk, _ cause: Cause, since kernel: Instant?, _ detail: String?,
        _ now: Instant
    ) -> [Action] {
        phase = .waiting
        // A connection that worked is made again at once; one that the unit cuts short again and again is waited for.
        if talk.hasAnswered, now - connection.since >= .seconds(10) { backoff.reset() }
        let atOnce = talk.hasAnswered && backoff.takeFirst()
        let wait = atOnce ? Span(microseconds: 0) : backoff.next(accepted: true)
        let again = Action.start(.reconnect, at: now + wait)
        let isSilence = cause == .silent || cause == .addressGone
        let since = isSilence ? silenceBegan(connection, talk, kernel) ?? now : now
        guard talk.isAnnounced else {
            let detail = detail ?? "accepted, then ended without an answer"
            return [.close] + attemptFailed(cause, detail, since: since, now) + [again]
        }
        // What was found silent already is not down once more.
        let event = LinkEvent(
            at: now, link: .control, name: control == .down(cause) ? .givenUp : .disconnected, cause: cause,
            detail: detail)
        return [.close, .record(event)] + move(to: .down(cause), since: since)
            + tellMeters { $0.controlLost(since: since, noticed: now) } + [again]
    }

    /// Where a silence began: with the oldest question that has no answer, the kernel's or ours; but on a unit that was
    /// mute already, with the oldest that its TCP has not acknowledged.
    func silenceBegan(_ connection: Connection, _ talk: Talk, _ kernel: Instant? = nil) -> Instant? {
        let ours: Instant?
        switch talk {
        case .mute: ours = connection.unacknowledgedSince
        case .notBegun, .asking, .answering: ours = connection.unansweredSince
        }
        return [ours, kernel].compactMap { $0 }.min()
    }

    /// A connection enters the history when it is more than a failed attempt.
    func announce(_ connection: Connection, _ talk: Talk) -> [Action] {
        guard !talk.isAnnounced else { return [] }
        let detail = "from \(connection.local)"
        return [.record(LinkEvent(at: connection.since, link: .control, name: .connected, detail: detail))]
    }
}
