/// Asks for everything, one message at a time: the next goes out when the last was answered, or after
/// `answerLimit` where a unit answers nothing. A message that the unit refuses is asked again parameter by parameter,
/// because nobody documents whether one unknown name spoils the rest.
struct SubscriptionDialogue {
    /// How long an unanswered message keeps the next one waiting.
    static let answerLimit = Span.milliseconds(500)
    /// The error for a parameter that this unit does not have.
    static let noSuchParameter = -32604

    private(set) var refused: [Subscription] = []
    private(set) var accepted = 0
    private(set) var unanswered = 0
    private var waiting: [[Subscription]]  // last is next
    private var inFlight: (id: Int, subscriptions: [Subscription])?
    private var nextID: Int

    init(_ messages: [[Subscription]], firstID: Int) {
        waiting = messages.reversed()
        nextID = firstID
    }

    var isFinished: Bool { inFlight == nil && waiting.isEmpty }

    /// The next message to send, when none is under way.
    mutating func next() -> Request? {
        guard inFlight == nil, let subscriptions = waiting.popLast() else { return nil }
        inFlight = (nextID, subscriptions)
        defer { nextID += 1 }
        return .subscribe(id: nextID, subscriptions)
    }

    /// Takes a `result`; one that answers nothing under way (a late one) changes nothing here.
    mutating func accept(id: Int?) {
        guard let inFlight, id == nil || id == inFlight.id else { return }
        accepted += inFlight.subscriptions.count
        self.inFlight = nil
    }

    /// Takes an error. Its single parameter is refused; several are asked again one by one.
    mutating func refuse(id: Int?) -> [Subscription] {
        guard let inFlight, id == nil || id == inFlight.id else { return [] }
        self.inFlight = nil
        if inFlight.subscriptions.count == 1 {
            refused += inFlight.subscriptions
            return inFlight.subscriptions
        }
        waiting += inFlight.subscriptions.reversed().map { [$0] }
        return []
    }

    /// No answer within `answerLimit`: goes on with the next. True if something was waited for.
    mutating func giveUpWaiting() -> Bool {
        guard let inFlight else { return false }
        unanswered += inFlight.subscriptions.count
        self.inFlight = nil
        return true
    }
}
