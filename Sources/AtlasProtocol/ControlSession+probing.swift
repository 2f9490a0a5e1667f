/// Probing, and judging what is not answered.
extension ControlSession {
    /// Fires four times an interval: a probe goes out once an interval, and at each firing while one is in doubt.
    mutating func probeTimer(
        _ before: Connection, _ talk: Talk, _ evidence: Evidence, _ now: Instant
    ) -> [Action] {
        var connection = before
        if evidence.isAcknowledged { connection.unacknowledgedSince = nil }
        meters.heard(at: evidence.lastDatagram)
        phase = .connected(connection, talk)
        let limit = configuration.keepAlive
        var result: [Action] = []
        // One lost answer may be chance; three over a whole interval are not.
        if let since = connection.unansweredSince, connection.unansweredProbes >= 3, now - since >= limit {
            result += mute(connection, talk, since: since, now)
        }
        result += tellMeters { $0.judge(at: now, limit: limit, rival: evidence.rival) }
        let due = connection.lastProbe.map { $0 + limit } ?? now
        let inDoubt = connection.unansweredSince != nil || meters.isInDoubt
        if inDoubt || now >= due { return result + sendProbe(now, hasRoom: evidence.hasRoom) }
        return result + [.start(.probe, at: due)]
    }

    /// The unit has not answered for an interval: which of the three ways of not answering it is.
    private mutating func mute(
        _ connection: Connection, _ talk: Talk, since: Instant, _ now: Instant
    ) -> [Action] {
        let unansweredAs = talk.hasAnswered ? Cause.wedged : .notEnabled
        phase = .connected(connection, .mute(unansweredAs))
        // Its TCP is dead, too, when it has acknowledged nothing for half an interval: one segment may be on its way.
        let isSilent = connection.unacknowledgedSince.map { now - $0 >= configuration.keepAlive / 2 } ?? false
        let cause = isSilent ? Cause.silent : unansweredAs
        var result: [Action] = []
        if control != .down(cause) {
            let first = isSilent ? silenceBegan(connection, talk) ?? since : since
            let name = cause == .wedged ? LinkEvent.Name.wedged : .unanswered
            result = announce(connection, talk)
            result.append(.record(LinkEvent(at: now, link: .control, name: name, cause: cause)))
            result += move(to: .down(cause), since: first)
        }
        return result + tellMeters { $0.controlIsMute(at: now) }
    }

    /// A unit that reads no more is asked as much as its TCP takes. Those questions stand, and it answers them when it
    /// reads again; more would be stuck, and its connection be ended for that.
    mutating func sendProbe(_ now: Instant, hasRoom: Bool = true) -> [Action] {
        guard case .connected(var connection, let talk) = phase else { return [] }
        meters.probing(at: now)
        connection.lastProbe = now
        if connection.unansweredSince == nil { connection.unansweredSince = now }
        connection.unansweredProbes += 1
        if hasRoom, connection.unacknowledgedSince == nil { connection.unacknowledgedSince = now }
        phase = .connected(connection, talk)
        return (hasRoom ? [.send(.keepAlive)] : []) + [.start(.probe, at: now + configuration.keepAlive / 4)]
    }
}
