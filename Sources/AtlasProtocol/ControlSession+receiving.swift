/// What the unit says.
extension ControlSession {
    /// What a unit says of itself, before it was asked for anything.
    func told(_ message: Message, _ before: Connection, _ now: Instant) -> [Action] {
        var connection = before
        if case .update(let values) = message { return connection.take(values, isUpdate: true, at: now) }
        return connection.take(message.values, isUpdate: false, at: now)
    }

    mutating func received(_ message: Message, _ before: Connection, _ talk: Talk, _ now: Instant) -> [Action] {
        var connection = before
        var result: [Action] = []
        switch message {
        case .update(let values):
            // It proves that the unit lives, not that it takes commands.
            let told = connection.take(values, isUpdate: true, at: now)
            phase = .connected(connection, talk)
            return told + (Self.renames(told) ? askRefusedSoon(connection, now) : [])
        case .getResponse(let values):
            result = connection.take(values, isUpdate: false, at: now)
        case .result(let id, let values):
            connection.firstValues.accept(connection.dialogue.accept(id: id), at: now)
            result = connection.take(values, isUpdate: false, at: now)
        case .failure(let id, let code, let text):
            let refused = connection.dialogue.refuse(id: id)
            connection.firstValues.refuse(refused)
            if code != SubscriptionDialogue.noSuchParameter, let first = refused.first {
                let detail = "\(first.name): \(text) (\(code))"
                result.append(.record(LinkEvent(at: now, link: .control, name: .parameterRefused, detail: detail)))
            }
        case .unknown:
            return []
        }
        return result + answered(connection, talk, now)
    }

    private mutating func answered(_ before: Connection, _ talk: Talk, _ now: Instant) -> [Action] {
        var connection = before
        connection.unansweredSince = nil
        connection.unansweredProbes = 0
        connection.unacknowledgedSince = nil
        var result: [Action] = []
        if talk != .answering {
            result = announce(connection, talk)
            result.append(.record(LinkEvent(at: now, link: .control, name: .answering)))
            // What it did not answer while it was mute may never have been taken.
            if case .mute = talk { subscribeAgain(&connection, now) }
        }
        phase = .connected(connection, .answering)
        result += move(to: .up, since: now) + tellMeters { $0.controlAnswers(at: now) }
        return result + continueSubscribing(now)
    }
}
