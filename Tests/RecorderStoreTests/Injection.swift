import CFaults

@testable import RecorderStore

/// What can go wrong under SQLite (Tests/CFaults).
enum Fault: String, CaseIterable, Sendable {
    case noSpace = "ENOSPC"
    case io = "EIO"
    case interrupted = "EINTR"
    case short = "a short read or write"
    case busy = "a lock that somebody else has"
    case noMemory = "no memory"

    fileprivate var kind: cfaults_kind {
        switch self {
        case .noSpace: CFAULTS_ENOSPC
        case .io: CFAULTS_EIO
        case .interrupted: CFAULTS_EINTR
        case .short: CFAULTS_SHORT
        case .busy: CFAULTS_BUSY
        case .noMemory: CFAULTS_NOMEM
        }
    }
}

/// A fault at one point of a script: the `point`-th call that it can strike in all of what runs in `during`, whatever the
/// thread, fails; if it lasts, also those after it until `lift()`.
struct Injection: Sendable {
    let fault: Fault
    let isLasting: Bool
    private let point: Int
    private(set) var passed = 0
    private(set) var hits = 0
    private var isLifted = false

    /// `point` from 1; 0: nothing fails, and `passed` tells how many points there are.
    init(_ fault: Fault, lasting: Bool, atPoint point: Int) {
        (self.fault, isLasting, self.point) = (fault, lasting, point)
    }

    mutating func lift() { isLifted = true }

    /// Runs `body` with the fault under it; gives back what it threw.
    mutating func during(_ body: () throws(StoreError) -> Void) -> StoreError? {
        let isOver = isLifted || (hits > 0 && !isLasting)
        if !isOver {
            let next = point == 0 ? 0 : max(1, point - passed)
            cfaults_arm(fault.kind, next, isLasting ? 1 : 0)
        }
        defer {
            if !isOver {
                let outcome = cfaults_disarm()
                (passed, hits) = (passed + outcome.points, hits + outcome.hits)
            }
        }
        do throws(StoreError) { try body() } catch { return error }
        return nil
    }
}

extension StoreWriter {
    /// The same on the writer's own thread.
    func under(
        _ injection: Injection, _ body: @Sendable (isolated StoreWriter) throws(StoreError) -> Void
    ) -> (Injection, StoreError?) {
        var injection = injection
        let failure = injection.during { () throws(StoreError) in try body(self) }
        return (injection, failure)
    }
}
