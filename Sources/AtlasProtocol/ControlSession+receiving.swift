/// What the unit says.
extension ControlSession {
    mutating func received(_ message: Message, _ before: Connection, _ talk: Talk, _ now: Instant) -> [Action] {
        var connection = before
        var result: [Action] = []
        switch message {
        case .update(let values):
            // It proves that the unit lives, not that it takes commands.
            return store(values) + (Self.renames(values) ? askRefusedSoon(connection, now) : [])
        case .getResponse(let values):
            result = store(values)
        case .result(let id, let values):
            connection.dialogue.accept(id: id)
            result = store(values)
        case .failure(let id, let code, let text):
            let refused = connection.dialogue.refuse(id: id)
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
            if case .mute = talk {
                connection.dialogue = SubscriptionDialogue(configuration.subscriptions, firstID: takeIDs())
                connection.subscribed = false
            }
        }
        phase = .connected(connection, .answering)
        result += move(to: .up, since: now) + tellMeters { $0.controlAnswers(at: now) }
        return result + continueSubscribing(now)
    }

    /// The keep-alive's answer is no value.
    func store(_ values: [ParameterValue]) -> [Action] {
        let others = values.filter { $0.name != "KeepAlive" }
        return others.isEmpty ? [] : [.store(others)]
    }
}
