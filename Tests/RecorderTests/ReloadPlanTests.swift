import AtlasProtocol
import RecorderStore
import Testing

@testable import Recorder

/// From one configuration to another: what has to be done, and in what words.
struct ReloadPlanTests {
    private func unit(
        _ name: String, _ host: String, _ port: UInt16 = 5321, _ subscriptions: SubscriptionChoice = .everything
    ) -> ProcessorSpec {
        ProcessorSpec(name: name, host: host, controlPort: port, subscriptions: subscriptions)
    }

    private func settings(
        _ units: [ProcessorSpec], keepAlive: Int = 10, relays: Bool = true, retention: Retention = .default
    ) -> LiveSettings {
        LiveSettings(processors: units, keepAlive: .seconds(keepAlive), relays: relays, retention: retention)
    }

    @Test("the same settings ask for nothing, in whatever order")
    func same() {
        let (bar, patio) = (unit("Bar", "a"), unit("Patio", "b"))
        let plan = ReloadPlan(from: settings([bar, patio]), to: settings([patio, bar]))
        #expect(plan.isEmpty && plan.detail == "nothing has changed")
    }

    @Test("a processor is known by its name: the others come and go, this one moves")
    func processors() {
        let old = settings([unit("Bar", "a"), unit("Patio", "b"), unit("Hall", "c")])
        let new = settings([
            unit("Bar", "a"), unit("Patio", "d", 5322, .init(meters: false)), unit("Roof", "c"),
        ])
        let plan = ReloadPlan(from: old, to: new)
        #expect(plan.removed == [unit("Hall", "c")])
        #expect(plan.added == [unit("Roof", "c")])
        #expect(plan.changed == [.init(old: old.processors[1], new: new.processors[1])])
        #expect(!plan.isEmpty)
        #expect(
            plan.detail
                == "removed Hall; Patio: b:5321 -> d:5322, other subscriptions; added Roof (c:5321)")
    }

    @Test("two that change places change both; nobody comes or goes")
    func swapped() {
        let plan = ReloadPlan(
            from: settings([unit("A", "a"), unit("B", "b")]), to: settings([unit("A", "b"), unit("B", "a")]))
        #expect(plan.changed.count == 2 && plan.added.isEmpty && plan.removed.isEmpty)
    }

    @Test("what holds for all is told only where it is new")
    func common() {
        var kept = Retention.default
        kept.size = 20_000_000_000
        let plan = ReloadPlan(
            from: settings([unit("A", "a")]),
            to: settings([unit("A", "a")], keepAlive: 30, relays: false, retention: kept))
        #expect(plan.keepAlive == .seconds(30) && plan.relays == false && plan.retention == kept)
        #expect(plan.detail == "keep_alive 30 s; relay off; retention: \(kept.changes(from: .default))")
    }

    @Test("every way leads there: old settings with the plan carried out are the new ones", arguments: [1, 2, 3, 4])
    func everyWay(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        for _ in 0..<500 {
            let (old, new) = (any(&random), any(&random))
            let plan = ReloadPlan(from: old, to: new)
            var units = old.processors.filter { !plan.removed.contains($0) }
            for change in plan.changed { units[units.firstIndex(of: change.old)!] = change.new }
            units += plan.added
            #expect(Set(units.map(\.name)) == Set(new.processors.map(\.name)), "seed \(seed)")
            for unit in units { #expect(new.processors.contains(unit), "seed \(seed)") }
            #expect((plan.keepAlive ?? old.keepAlive) == new.keepAlive)
            #expect(
                plan.isEmpty
                    == (Set(units.map(\.name)) == Set(old.processors.map(\.name)) && sameUnits(old, new)
                        && old.keepAlive == new.keepAlive))
        }
    }

    private func sameUnits(_ old: LiveSettings, _ new: LiveSettings) -> Bool {
        old.processors.count == new.processors.count && old.processors.allSatisfy(new.processors.contains)
    }

    private func any(_ random: inout SeededNumbers) -> LiveSettings {
        let names = ["A", "B", "C", "D"].filter { _ in Bool.random(using: &random) }
        let units = names.map {
            unit($0, ["a", "b"].randomElement(using: &random)!, UInt16.random(in: 1...2, using: &random))
        }
        return settings(units, keepAlive: Int.random(in: 1...2, using: &random))
    }
}

/// SplitMix64: the same numbers at every run.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
