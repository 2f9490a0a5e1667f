/// Asks for everything, one message at a time: the next goes out when the last was answered, or after
/// `answerLimit` where a unit answers nothing. A message that the unit refuses is asked again parameter by parameter,
/// because nobody documents whether one unknown name spoils the rest; of an open-ended list only up to the second in a
/// row that the unit lacks. An answer that comes after `answerLimit` still counts for the message it names.
struct SubscriptionDialogue {
    /// How long an unanswered message keeps the next one waiting.
    static let answerLimit = Span.milliseconds(500)
    /// The error for a parameter that this unit does not have.
    static let noSuchParameter = -32604

    /// What the unit lacks, or seems to.
    private(set) var refused: [Subscription] = []
    private(set) var accepted = 0
    /// Refused one by one, with nothing accepted between.
    private var refusedInARow = 0
    private var waiting: [[Subscription]]  // last is next
    private var inFlight: (id: Int, subscriptions: [Subscription])?
    /// Sent, and not answered within `answerLimit`; by id.
    private var late: [Int: [Subscription]] = [:]
    private var nextID: Int

    init(_ messages: [[Subscription]], firstID: Int) {
        waiting = messages.reversed()
        nextID = firstID
    }

    var isFinished: Bool { inFlight == nil && waiting.isEmpty }
    var unanswered: Int { late.values.reduce(0) { $0 + $1.count } }
    /// What may be asked again: refused, or never answered.
    var missing: [Subscription] { refused + late.sorted { $0.key < $1.key }.flatMap(\.value) }

    /// The next message to send, when none is under way.
    mutating func next() -> Request? {
        guard inFlight == nil, let subscriptions = waiting.popLast() else { return nil }
        inFlight = (nextID, subscriptions)
        defer { nextID += 1 }
        return .subscribe(id: nextID, subscriptions)
    }

    /// Takes a `result`, and returns what it is for; one that answers nothing that was asked changes nothing.
    @discardableResult
    mutating func accept(id: Int?) -> [Subscription] {
        let subscriptions = answered(id)
        accepted += subscriptions.count
        refusedInARow = 0
        return subscriptions
    }

    /// Takes an error. Its single parameter is refused, and returned; several are asked again one by one.
    mutating func refuse(id: Int?) -> [Subscription] {
        let subscriptions = answered(id)
        if subscriptions.count == 1 {
            refused += subscriptions
            refusedInARow += 1
            if refusedInARow >= 2, subscriptions[0].isOpenEnded { skipRest() }
            return subscriptions
        }
        refusedInARow = 0
        waiting += subscriptions.reversed().map { [$0] }
        return []
    }

    /// The list ended two numbers ago.
    private mutating func skipRest() {
        while let next = waiting.last, next.count == 1, next[0].isOpenEnded {
            refused += next
            waiting.removeLast()
        }
        refusedInARow = 0
    }

    /// No answer within `answerLimit`: goes on with the next. True if something was waited for.
    mutating func giveUpWaiting() -> Bool {
        guard let inFlight else { return false }
        late[inFlight.id] = inFlight.subscriptions
        self.inFlight = nil
        return true
    }

    /// What an answer is for: the message that it names; without an id, the one under way.
    private mutating func answered(_ id: Int?) -> [Subscription] {
        if let inFlight, id == nil || id == inFlight.id {
            self.inFlight = nil
            return inFlight.subscriptions
        }
        return id.flatMap { late.removeValue(forKey: $0) } ?? []
    }
}
