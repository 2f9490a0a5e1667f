/// Probing, and judging what is not answered.
extension ControlSession {
    /// Fires four times an interval: a probe goes out once an interval, and at each firing while one is in doubt.
    mutating func probeTimer(_ before: Connection, _ evidence: Evidence, _ now: Instant) -> [Action] {
        guard before.begun else { return [] }  // set for a connection that has ended since
        var connection = before
        if evidence.unacknowledged == 0 { connection.unacknowledgedSince = nil }
        meters.heard(at: evidence.lastDatagram)
        let limit = configuration.keepAlive
        var result: [Action] = []
        // One lost answer may be chance; three over a whole interval are not.
        if let since = connection.unansweredSince, connection.unansweredProbes >= 3, now - since >= limit {
            result += mute(&connection, since: since, evidence, now)
        }
        phase = .connected(connection)
        result += tellMeters { $0.judge(at: now, limit: limit, rival: evidence.rival) }
        let due = connection.lastProbe.map { $0 + limit } ?? now
        let inDoubt = connection.unansweredSince != nil || meters.isInDoubt
        if inDoubt || now >= due { return result + sendProbe(now) }
        return result + [.start(.probe, at: due)]
    }

    /// The unit has not answered for an interval: which of the three ways of not answering it is.
    private mutating func mute(
        _ connection: inout Connection, since: Instant, _ evidence: Evidence, _ now: Instant
    ) -> [Action] {
        let cause: Cause
        if evidence.unacknowledged > 0 {
            cause = .silent
        } else {
            cause = connection.everAnswered ? .wedged : .notEnabled
        }
        connection.answers = false
        var result: [Action] = []
        if control != .down(cause) {
            let first = cause == .silent ? silenceBegan(connection) ?? since : since
            result = announce(&connection)
            result.append(.record(LinkEvent(at: now, link: .control, name: .wedged, cause: cause)))
            result += move(to: .down(cause), since: first)
        }
        return result + tellMeters { $0.controlIsMute(at: now) }
    }

    /// Where a silence began: with the oldest probe that has no answer; but on a unit that was mute already, with the
    /// oldest that it has not acknowledged.
    func silenceBegan(_ connection: Connection) -> Instant? {
        if case .down = control { return connection.unacknowledgedSince }
        return connection.unansweredSince
    }

    mutating func sendProbe(_ now: Instant) -> [Action] {
        guard case .connected(var connection) = phase else { return [] }
        meters.probing(at: now)
        connection.lastProbe = now
        if connection.unansweredSince == nil { connection.unansweredSince = now }
        connection.unansweredProbes += 1
        if connection.unacknowledgedSince == nil { connection.unacknowledgedSince = now }
        phase = .connected(connection)
        return [.send(.keepAlive), .start(.probe, at: now + configuration.keepAlive / 4)]
    }
}
