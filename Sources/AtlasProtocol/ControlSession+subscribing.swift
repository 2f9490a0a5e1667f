/// Asking for the unit's parameters, and asking again for those it lacked.
extension ControlSession {
    mutating func begin(_ connection: Connection, _ now: Instant) -> [Action] {
        phase = .connected(connection, .asking)
        return sendProbe(now) + continueSubscribing(now)
    }

    mutating func continueSubscribing(_ now: Instant) -> [Action] {
        guard case .connected(var connection, let talk) = phase else { return [] }
        defer { phase = .connected(connection, talk) }
        if let request = connection.dialogue.next() {
            if case .subscribe(_, let list) = request { connection.firstValues.ask(list) }
            return [.send(request), .start(.subscription, at: now + SubscriptionDialogue.answerLimit)]
        }
        guard connection.dialogue.isFinished, !connection.subscribed, talk == .answering else { return [] }
        connection.subscribed = true
        let dialogue = connection.dialogue
        var detail = "\(dialogue.accepted) parameters"
        if !dialogue.refused.isEmpty { detail += ", \(dialogue.refused.count) not on this unit" }
        if dialogue.unanswered > 0 { detail += ", \(dialogue.unanswered) without an answer" }
        return [
            .record(LinkEvent(at: now, link: .control, name: .subscribed, detail: detail)),
            .start(.refusedParameters, at: now + .seconds(3600)),
        ]
    }

    /// A unit that answers nothing else either is not asked for more, which it would not read: the dialogue waits.
    mutating func subscriptionTimer(_ before: Connection, _ talk: Talk, _ now: Instant) -> [Action] {
        var connection = before
        if case .mute = talk { return [] }
        guard talk == .answering, connection.unansweredProbes < 2 else {
            return [.start(.subscription, at: now + SubscriptionDialogue.answerLimit)]
        }
        guard connection.dialogue.giveUpWaiting() else { return [] }
        phase = .connected(connection, talk)
        return continueSubscribing(now)
    }

    /// A unit that is configured anew has other parameters: what it refused or never answered is asked again each hour,
    /// and after a channel was renamed.
    mutating func askRefusedAgain(_ before: Connection, _ talk: Talk, _ now: Instant) -> [Action] {
        var connection = before
        guard connection.subscribed else { return [] }
        guard connection.dialogue.isFinished else { return askRefusedSoon(connection, now) }
        let again = connection.dialogue.missing.map { [Subscription($0.name, $0.format)] }
        guard !again.isEmpty else { return [] }
        connection.dialogue = SubscriptionDialogue(again, firstID: takeIDs())
        phase = .connected(connection, talk)
        return [.start(.refusedParameters, at: now + .seconds(3600))] + continueSubscribing(now)
    }

    func askRefusedSoon(_ connection: Connection, _ now: Instant) -> [Action] {
        connection.subscribed ? [.start(.refusedParameters, at: now + .seconds(5))] : []
    }

    /// Whether a channel was given another name.
    static func renames(_ actions: [Action]) -> Bool {
        actions.contains { action in
            guard case .store(let values) = action else { return false }
            return values.contains { value in
                ChannelFamily.allCases.contains { value.name.hasPrefix($0.prefix + "Name_") }
            }
        }
    }

    /// Asks for everything once more on the same connection.
    mutating func subscribeAgain(_ connection: inout Connection, _ now: Instant) {
        connection.dialogue = SubscriptionDialogue(configuration.subscriptions, firstID: takeIDs())
        connection.subscribed = false
        connection.askedSince = now
    }

    /// Ids of one dialogue are never those of another, so that a late answer is not taken for a new one.
    mutating func takeIDs() -> Int {
        defer { nextID += 1_000 }
        return nextID
    }
}

extension ControlSession.Connection {
    /// Values that came by TCP. A connection's first ones are taken to hold since it began, so that the samples that come
    /// before the names have the right ones. What it tells again need not have held all the time since it told it last.
    mutating func take(_ values: [ParameterValue], isUpdate: Bool, at now: Instant) -> [ControlSession.Action] {
        var (first, again, later): ([ParameterValue], [ParameterValue], [ParameterValue]) = ([], [], [])
        for value in values where value.name != "KeepAlive" {  // the keep-alive's answer is no value
            switch firstValues.take(value.name, at: now) {
            case .first: first.append(value)
            case .firstAgain: again.append(value)
            case .later: later.append(value)
            }
        }
        var actions: [ControlSession.Action] = []
        if !first.isEmpty { actions.append(.learn(first, since: since)) }
        if !again.isEmpty { actions.append(.learn(again, since: askedSince)) }
        // An answer tells what holds, not that anything was fired.
        if !later.isEmpty { actions.append(isUpdate ? .store(later) : .learn(later, since: now)) }
        return actions
    }
}
