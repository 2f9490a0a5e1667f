import Testing

@testable import RecorderStore

/// The plan alone: times and sizes in, cuts out.
struct RetentionPlanTests {
    private static let day = Retention.day
    private static let now = start
    private var ninetyDays: Retention { Retention(samples: 90 * Self.day, minutes: nil, events: nil, size: nil) }

    private func holdings(oldest days: Int64, kind: RetainedKind = .samples) -> RetentionPlan.Holdings {
        var holdings = RetentionPlan.Holdings()
        holdings.oldest[kind] = Self.now - days * Self.day
        holdings.countedUntil = Self.now
        return holdings
    }

    @Test("age cuts at a whole minute, hour or day, and only where there are rows", arguments: RetainedKind.allCases)
    func wholeUnits(kind: RetainedKind) {
        let keep = 10 * Self.day
        var plan = RetentionPlan(
            Retention(samples: keep, minutes: keep, events: keep, size: nil), lived: 0, isTrusted: true)
        let grain = RetentionPlan.grain(kind)
        let cut = (Self.now + 1 - keep) / grain * grain
        #expect(
            plan.next(holdings(oldest: 12, kind: kind), now: Self.now + 1, lived: 0)
                == .cut(Cut(kind: kind, before: cut, reason: .age)))
        var kept = holdings(oldest: 12, kind: kind)
        kept.oldest[kind] = cut
        #expect(plan.next(kept, now: Self.now + 1, lived: 0) == .nothing)
    }

    @Test("kept for ever, nothing is due by age")
    func forEver() {
        var plan = RetentionPlan(.none, lived: 0, isTrusted: true)
        #expect(plan.next(holdings(oldest: 9_000), now: Self.now, lived: 0) == .nothing)
    }

    @Test("samples whose minutes are not counted stay, by age and for the size")
    func uncounted() {
        var plan = RetentionPlan(
            Retention(samples: Self.day, minutes: nil, events: nil, size: 10_000_000), lived: 0, isTrusted: true)
        var holdings = holdings(oldest: 5)
        holdings.countedUntil = Self.now - 3 * Self.day + 1
        #expect(
            plan.next(holdings, now: Self.now, lived: 0)
                == .cut(Cut(kind: .samples, before: Self.now - 3 * Self.day, reason: .age)))
        holdings.oldest[.samples] = Self.now - 3 * Self.day
        holdings.usedBytes = 9_000_000
        holdings.lump[.samples] = Self.now - 2 * Self.day
        #expect(plan.next(holdings, now: Self.now, lived: 0) == .exceeded)
    }

    @Test("age counts for nothing until the run has lived for an hour, nor for an hour after the clock was set")
    func settling() {
        var plan = RetentionPlan(ninetyDays, lived: 1_000)
        let old = holdings(oldest: 91)
        let settled = 1_000 + RetentionPlan.settling
        #expect(plan.next(old, now: Self.now, lived: settled - 1) == .nothing)
        _ = plan.next(old, now: Self.now, lived: settled)
        #expect(plan.next(old, now: Self.now, lived: settled + hour) != .nothing)
        plan.clockSet(by: RetentionPlan.smallStep - 1, lived: settled + hour)
        #expect(plan.next(old, now: Self.now, lived: settled + hour) != .nothing)
        plan.clockSet(by: -RetentionPlan.smallStep, lived: settled + hour)
        #expect(plan.next(old, now: Self.now, lived: settled + 2 * hour - 1) == .nothing)
    }

    @Test("a clock that is years ahead costs 24 times the time that passes, not everything")
    func wrongClock() {
        var plan = RetentionPlan(ninetyDays, lived: 0)
        var store = holdings(oldest: 90)
        let begin = store.oldest[.samples]!
        let ahead = Self.now + 10 * 365 * Self.day
        store.countedUntil = ahead
        var lived = RetentionPlan.settling
        _ = plan.next(store, now: ahead, lived: lived)  // from here on it counts
        for _ in 0..<48 {
            lived += hour / 2
            guard case .cut(let cut) = plan.next(store, now: ahead + lived, lived: lived) else { continue }
            #expect(cut.before - begin <= (lived - RetentionPlan.settling) * RetentionPlan.pace)
            (store.oldest[.samples], store.cut[.samples]) = (cut.before, cut.before)
        }
        #expect(store.oldest[.samples]! - begin == 24 * Self.day)  // after a day of it
    }

    @Test("time of which nothing is kept is passed over at once, not at the pace of what is deleted")
    func emptyTime() {
        var plan = RetentionPlan(ninetyDays, lived: 0)
        var store = holdings(oldest: 91)
        store.cut[.samples] = Self.now - 3 * 365 * Self.day  // as a clock that was behind left it
        let settled = RetentionPlan.settling
        #expect(plan.next(store, now: Self.now, lived: settled) == .nothing)
        guard case .cut(let cut) = plan.next(store, now: Self.now + hour, lived: settled + hour) else {
            Issue.record("nothing is due after two hours")
            return
        }
        #expect(cut.before == store.oldest[.samples]! + RetentionPlan.pace * hour)
        // The oldest went, and there is a hole behind it.
        (store.oldest[.samples], store.cut[.samples]) = (cut.before + 5 * Self.day, cut.before)
        let later = Self.now + 10 * Self.day
        store.countedUntil = later
        #expect(plan.next(store, now: later, lived: settled + hour) == .nothing)
        #expect(
            plan.next(store, now: later, lived: settled + 2 * hour)
                == .cut(
                    Cut(kind: .samples, before: store.oldest[.samples]! + RetentionPlan.pace * hour, reason: .age)))
    }

    @Test("in the steady state a minute goes with each minute")
    func steady() {
        var plan = RetentionPlan(ninetyDays, lived: 0)
        var store = holdings(oldest: 90)
        var cuts = 0
        for step in 0..<60 {
            let lived = RetentionPlan.settling + Int64(step) * minute
            store.countedUntil = Self.now + Int64(step) * minute
            guard case .cut(let cut) = plan.next(store, now: Self.now + Int64(step) * minute, lived: lived) else {
                continue
            }
            #expect(cut.before == Self.now + Int64(step) * minute - 90 * Self.day)
            (store.oldest[.samples], store.cut[.samples], cuts) = (cut.before, cut.before, cuts + 1)
        }
        #expect(cuts == 59)
    }

    @Test("for the size samples go first, then minutes, never events; the clock has no part in it")
    func size() {
        var plan = RetentionPlan(Retention(samples: nil, minutes: nil, events: nil, size: 20_000_000), lived: 0)
        var store = holdings(oldest: 3)
        store.oldest[.minutes] = Self.now - 5 * Self.day
        store.oldest[.events] = Self.now - 900 * Self.day
        store.usedBytes = plan.budget! - (1 << 20)
        #expect(plan.next(store, now: 0, lived: 0) == .nothing)
        store.usedBytes = plan.budget!
        store.lump = [.samples: Self.now - 3 * Self.day + minute, .minutes: Self.now - 5 * Self.day + hour]
        let grain = { (kind: RetainedKind) in RetentionPlan.grain(kind) }
        #expect(
            plan.next(store, now: 0, lived: 0)
                == .cut(Cut(kind: .samples, before: Self.now - 3 * Self.day + minute, reason: .size)))
        store.oldest[.samples] = nil
        #expect(
            plan.next(store, now: 0, lived: 0)
                == .cut(
                    Cut(
                        kind: .minutes,
                        before: min(store.lump[.minutes]!, Self.now / grain(.minutes) * grain(.minutes)), reason: .size)
                ))
        store.oldest[.minutes] = nil
        #expect(plan.next(store, now: 0, lived: 0) == .exceeded)
    }

    @Test("a size that is smaller than the one in force, and would cost much, counts after an hour; others at once")
    func slip() {
        let small = Retention(samples: nil, minutes: nil, events: nil, size: 20_000_000)
        var plan = RetentionPlan(small, lived: 5)
        let budget = plan.budget!
        var store = holdings(oldest: 3)
        store.usedBytes = 4 * budget
        store.lump[.samples] = Self.now - 2 * Self.day
        #expect(plan.sizeSet(inForce: nil, usedBytes: store.usedBytes, lived: 5) == 3 * budget)
        let settled = 5 + RetentionPlan.settling
        #expect(plan.next(store, now: Self.now, lived: settled - 1) == .nothing)
        let cut = RetentionPlan.Decision.cut(Cut(kind: .samples, before: Self.now - 2 * Self.day, reason: .size))
        #expect(plan.next(store, now: Self.now, lived: settled) == cut)
        for (inForce, used) in [(20_000_000, 4 * budget), (10_000_000, 4 * budget), (nil, budget)] as [(Int64?, Int64)]
        {
            var plan = RetentionPlan(small, lived: 5)
            store.usedBytes = used
            #expect(plan.sizeSet(inForce: inForce, usedBytes: used, lived: 5) == nil)
            #expect(plan.next(store, now: Self.now, lived: 5) == cut)
        }
        let trusted = RetentionPlan(small, lived: 5, isTrusted: true)
        var person = trusted
        #expect(person.sizeSet(inForce: nil, usedBytes: 4 * budget, lived: 5) == nil)
    }

    @Test("what has changed is said in the configuration's words")
    func changes() {
        let old = Retention(samples: nil, minutes: nil, events: nil, size: 20_000_000_000)
        let new = Retention(samples: 90 * Self.day, minutes: nil, events: Retention.year, size: 20_000_000)
        #expect(new.changes(from: old) == "size 20.0 GB -> 20.0 MB, samples forever -> 90d, events forever -> 1y")
        #expect(old.changes(from: old) == "")
    }

    @Test("a step that took too long is followed by a smaller one, and grows only slowly")
    func stepSize() {
        var size = StepSize(8...10_000, first: 1_000)
        size.took(10 * StepSize.target)
        #expect(size.count == 100)
        size.took(1)
        #expect(size.count == 125)
        for _ in 0..<50 { size.took(1) }
        #expect(size.count == 10_000)
        for _ in 0..<50 { size.took(1_000_000_000) }
        #expect(size.count == 8)
    }

    @Test("free pages stay for what comes next, until they are too many; then half of them stay")
    func reserve() {
        var space = SpaceReturn()
        #expect(space.due(pages: 80_000, free: 9_999, budget: nil) == 0)
        #expect(space.due(pages: 80_000, free: 10_001, budget: nil) == 5_001)
        #expect(space.due(pages: 76_000, free: 6_001, budget: nil) == 1_251)
        #expect(space.due(pages: 75_000, free: 4_600, budget: nil) == 0)
        #expect(space.due(pages: 75_000, free: 5_000, budget: nil) == 0)  // not begun anew
        #expect(space.due(pages: 2_500, free: 300, budget: 2_400) == 100)
        #expect(space.due(pages: 2_500, free: 50, budget: 2_400) == 50)
    }

    @Test(
        "sizes",
        arguments: [
            ("20GB", 20_000_000_000), ("1.5 TB", 1_500_000_000_000), ("512MiB", 536_870_912), ("10000000", 10_000_000),
            ("10mb", 10_000_000), ("9.9MB", nil), ("GB", nil), ("-5GB", nil), ("1.GB", nil), ("5 bananas", nil),
            ("300TB", nil), ("1e3GB", nil), ("", nil),
        ] as [(String, Int64?)])
    func sizes(text: String, bytes: Int64?) { #expect((try? SizeExpression.parse(text)) == bytes) }
}
