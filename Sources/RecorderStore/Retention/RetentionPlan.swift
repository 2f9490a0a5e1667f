/// What retention deletes apart from the rest.
package enum RetainedKind: String, CaseIterable, Sendable {
    case samples, minutes, events
}

/// Up to which time a kind is to be deleted, and why.
package struct Cut: Sendable, Equatable {
    package enum Reason: String, Sendable { case age, size }

    package let kind: RetainedKind
    /// Microseconds since 1970 UTC; rows before it go.
    package let before: Int64
    package let reason: Reason
}

/// Decides what is due to be deleted. Pure: it is told the time and what the store holds. Times are microseconds: `now` since
/// 1970 UTC, `lived` of a clock that nobody sets.
///
/// A clock that was set years ahead must not empty the store, so age alone deletes nothing before the clock has gone on
/// undisturbed for `settling`, and then only so fast (`pace`): what a wrong clock costs in a day are the oldest 24 days.
package struct RetentionPlan: Sendable {
    /// For so long a run must have lived, and the clock not been set, before age counts.
    package static let settling: Int64 = 3_600_000_000
    /// So much faster than time itself the kept time's begin may move.
    package static let pace: Int64 = 24
    /// A clock that is set by less than this moves no cut that matters.
    package static let smallStep: Int64 = 60_000_000
    /// Bytes that the write-ahead log takes beside the file: the 4 MiB that are left of it after a commit, and the commit.
    package static let logReserve: Int64 = 5 << 20

    /// What the plan needs to know of a store.
    package struct Holdings: Sendable {
        /// The oldest row's time of each kind; nil: there is none.
        package var oldest: [RetainedKind: Int64] = [:]
        /// Up to where each kind was cut before.
        package var cut: [RetainedKind: Int64] = [:]
        /// Up to where the minutes of all units are counted; nil: nothing is counted.
        package var countedUntil: Int64?
        /// Bytes of the file that hold something.
        package var usedBytes: Int64 = 0
        /// Cuts that give back a little room: a minute of samples or several, an hour of minutes.
        package var lump: [RetainedKind: Int64] = [:]

        package init() {}
    }

    package enum Decision: Sendable, Equatable {
        case nothing
        case cut(Cut)
        /// The size is exceeded and there is nothing left that may go for it.
        case exceeded
    }

    package let retention: Retention
    private let isTrusted: Bool
    private var steadySince: Int64
    /// From when on a smaller size counts.
    private(set) var sizeCountsFrom = Int64.min
    private var bases: [RetainedKind: (from: Int64, lived: Int64)] = [:]

    /// `isTrusted`: a person has looked at the time, and all that is due goes at once.
    package init(_ retention: Retention, lived: Int64, isTrusted: Bool = false) {
        (self.retention, self.isTrusted) = (retention, isTrusted)
        steadySince = lived
    }

    package mutating func clockSet(by step: Int64, lived: Int64) {
        guard abs(step) >= Self.smallStep else { return }
        (steadySince, bases) = (lived, [:])
    }

    /// The size may be a slip of the pen: one that is smaller than the one in force (nil: any), and that would cost much at
    /// once, counts after `settling` only. Called before `next`; returns how many bytes are too many then, else nil.
    package mutating func sizeSet(inForce: Int64?, usedBytes: Int64, lived: Int64) -> Int64? {
        guard !isTrusted, let size = retention.size, let budget, size < inForce ?? .max, usedBytes > budget / 8 * 9
        else { return nil }
        sizeCountsFrom = lived + Self.settling
        return usedBytes - budget
    }

    /// Bytes that the file may have; nil: any number.
    package var budget: Int64? { retention.size.map { $0 - Self.logReserve } }

    /// Whether samples must go for their size: before the file is full, so that what is written next finds free pages in it
    /// and none need be given back.
    package func isOver(_ holdings: Holdings) -> Bool {
        budget.map { holdings.usedBytes > $0 - max($0 / 64, 512 << 10) } ?? false
    }

    /// The cut that comes first, of samples before minutes before events.
    package mutating func next(_ holdings: Holdings, now: Int64, lived: Int64) -> Decision {
        let isOver = lived >= sizeCountsFrom && isOver(holdings)
        for kind in RetainedKind.allCases {
            if let cut = aged(kind, holdings, now: now, lived: lived) { return .cut(cut) }
            guard isOver, kind != .events, holdings.oldest[kind] != nil, let lump = holdings.lump[kind] else {
                continue
            }
            let before = min(lump, limit(kind, holdings))
            if before > holdings.oldest[kind] ?? .max { return .cut(Cut(kind: kind, before: before, reason: .size)) }
        }
        return isOver ? .exceeded : .nothing
    }

    private func keep(_ kind: RetainedKind) -> Int64? {
        switch kind {
        case .samples: retention.samples
        case .minutes: retention.minutes
        case .events: retention.events
        }
    }

    /// Cuts lie between whole minutes, hours, days: what is counted by them is there whole or not at all.
    package static func grain(_ kind: RetainedKind) -> Int64 {
        switch kind {
        case .samples: 60_000_000
        case .minutes: 3_600_000_000
        case .events: 86_400_000_000
        }
    }

    /// What a minute is counted from stays until it is counted.
    private func limit(_ kind: RetainedKind, _ holdings: Holdings) -> Int64 {
        holdings.countedUntil.map { $0 / Self.grain(kind) * Self.grain(kind) } ?? .max
    }

    private mutating func aged(_ kind: RetainedKind, _ holdings: Holdings, now: Int64, lived: Int64) -> Cut? {
        guard let keep = keep(kind), let oldest = holdings.oldest[kind] else { return nil }
        var until = now - keep
        if !isTrusted {
            guard lived - steadySince >= Self.settling else { return nil }
            var base = bases[kind] ?? (max(oldest, holdings.cut[kind] ?? oldest), lived)
            // Time of which nothing is kept costs no waiting.
            if oldest > base.from + (lived - base.lived) * Self.pace { base = (oldest, lived) }
            bases[kind] = base
            until = min(until, base.from + (lived - base.lived) * Self.pace)
        }
        let before = min(until / Self.grain(kind) * Self.grain(kind), limit(kind, holdings))
        // A cut only for rows: it is on record for as long as the store lives.
        return before > oldest ? Cut(kind: kind, before: before, reason: .age) : nil
    }
}
