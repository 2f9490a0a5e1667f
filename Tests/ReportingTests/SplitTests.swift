import Foundation
import Testing

@testable import RecorderStore
@testable import Reporting

@Suite struct SplitTests {
    /// Errors by code, samples, what was lost, and what the links were: all that must add up, in µs or by count.
    private func figures(_ summary: Summary) -> [String: Int64] {
        var result = ["window": summary.window, "recorded": summary.recorded]
        for error in summary.errors {
            result["error \(error.code) \(error.processor ?? "-")", default: 0] += error.count
        }
        for loss in summary.losses {
            result["datagrams \(loss.reason)", default: 0] += loss.datagrams
            result["samples \(loss.reason)", default: 0] += loss.samples ?? 0
        }
        for unit in summary.processors {
            result["stored \(unit.processor)"] = unit.samples
            result["lost \(unit.processor)"] = unit.samplesLost
            result["unread \(unit.processor)"] = unit.datagramsLost
            for link in unit.links {
                result["up \(unit.processor) \(link.link)"] = link.up
                result["down \(unit.processor) \(link.link)"] = link.down
                result["unknown \(unit.processor) \(link.link)"] = link.unknown
            }
        }
        return result.filter { $0.value != 0 }
    }

    private func random(_ generator: inout SeededGenerator, _ range: ClosedRange<Double>) -> Double {
        (Double.random(in: range, using: &generator) * 1e3).rounded() / 1e3
    }

    private func randomStore(_ generator: inout SeededGenerator) throws -> HandMadeStore {
        let store = try HandMadeStore(["A", "B"], ended: 2_000)
        try store.addRun(2_300, 3_600)
        for processor in 1...2 {
            for link in ["control", "meters"] {
                var rows: [(String, Double?)] = []
                for _ in 0..<20 {
                    let state = ["up", "down:refused", "unknown:clock_step"].randomElement(using: &generator)!
                    rows.append((state, random(&generator, 0.001...300)))
                }
                try store.states(rows, link: link, processor: processor)
            }
        }
        for _ in 0..<25 {
            let begin = random(&generator, 0...3_000)
            let count = Int.random(in: 1...40, using: &generator)
            let step = random(&generator, 0...20)
            let times = (0..<count).map { begin + Double($0) * step }
            let code = ["EADDRINUSE", "ECONNREFUSED", "ETIMEDOUT"].randomElement(using: &generator)!
            let processor = ["1", "2", "NULL"].randomElement(using: &generator)!
            try store.episode(code, at: times, processor: processor)
        }
        for _ in 0..<40 {
            let from = random(&generator, 0...3_000)
            let until = Bool.random(using: &generator) ? from : from + random(&generator, 0...60)
            let datagrams = Int.random(in: 0...9, using: &generator)
            let samples =
                datagrams == 0 || Bool.random(using: &generator)
                ? "\(Int.random(in: 1...900, using: &generator))" : "NULL"
            let reason = ["queue_full", "kernel_drop", "unreadable"].randomElement(using: &generator)!
            let processor = ["1", "2", "NULL"].randomElement(using: &generator)!
            try store.losses([(processor, reason, from, until, datagrams, samples)])
        }
        return store
    }

    @Test("before and after add up to the whole, wherever the window and the split cut", arguments: 1...6)
    func sums(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let store = try randomStore(&generator)
        for round in 0..<12 {
            let since = random(&generator, -100...2_500)
            let until = since + random(&generator, 0.01...1_500)
            let split = since + (until - since) * Double.random(in: 0.001...0.999, using: &generator)
            let (from, to, middle) = (HandMadeStore.at(since), HandMadeStore.at(until), HandMadeStore.at(split))
            guard from < middle, middle < to else { continue }
            let processor = [nil, nil, "A"].randomElement(using: &generator)!
            let question = Question(since: from, until: to, processor: processor, now: to)
            let reader = try StoreReader(path: store.path)
            let whole = figures(try Summary(reader, question))
            let halves = try SplitSummary(reader, question, split: middle)
            let sum = figures(halves.before).merging(figures(halves.after), uniquingKeysWith: +)
            #expect(sum == whole, "seed \(seed), round \(round): \(since) \(split) \(until)")
        }
    }

    @Test(
        "errors in a minute that is cut: the first and the last have their time, those between are spread evenly",
        arguments: [
            // seconds of the errors, the split, how many before and after
            ([10.0], 10, 0, 1), ([10], 10.000_001, 1, 0),
            ([10, 20], 15, 1, 1), ([10, 20], 10, 0, 2), ([10, 20], 20, 1, 1), ([10, 20], 20.000_001, 2, 0),
            ([10, 11, 12, 50], 30, 2, 2),  // one of the two between, by their share of 40 s
            ([10, 11, 12, 50], 49, 3, 1), ([10, 11, 12, 50], 11, 1, 3),
            ([18, 18, 18, 18, 18, 18], 20, 6, 0), ([18, 18, 18], 18, 0, 3),
            // Over three minutes: the middle one is spread over itself.
            ([50, 70, 80, 90, 130], 75, 2, 3), ([50, 70, 80, 90, 130], 90, 3, 2), ([50, 70, 80, 90, 130], 121, 4, 1),
            ([50, 70, 80, 90, 130], 120, 4, 1), ([50, 70, 80, 90, 130], 60, 1, 4), ([50, 55, 70], 57, 2, 1),
            ([50, 70, 75, 80], 79, 3, 1),
        ])
    func cutMinute(at seconds: [Double], split: Double, before: Int64, after: Int64) throws {
        let store = try HandMadeStore()
        try store.episode("EADDRINUSE", at: seconds)
        let halves = try SplitSummary(
            StoreReader(path: store.path), store.question(0, 600), split: HandMadeStore.at(split))
        #expect(halves.before.errors[0].count == before)
        #expect(halves.after.errors[0].count == after)
    }

    @Test(
        "first and last are exact where the episode began and ended in the window, else the ends of a minute that has one"
    )
    func firstAndLast() throws {
        let store = try HandMadeStore()
        try store.episode("EADDRINUSE", at: [30, 200, 210, 250, 400])
        func times(_ since: Double, _ until: Double) throws -> [Double?] {
            let error = try store.summary(since, until).errors[0]
            return [error.first, error.last].map { $0.map { Double($0 - HandMadeStore.begin) / 1e6 } }
        }
        #expect(try times(0, 600) == [30, 400])
        #expect(try times(60, 600) == [180, 400])
        #expect(try times(60, 300) == [180, 300])
        #expect(try times(0, 100) == [30, 60])
        #expect(try times(60, 250) == [180, 240])
        #expect(try times(240, 260) == [nil, nil])  // a third of a minute with one error
        #expect(try times(390, 600) == [390, 400])
    }

    @Test(
        "an episode that was written while the clock was set back is counted once",
        arguments: [-30.0, 10, 60, 100, 200])
    func setBack(split: Double) throws {
        let store = try HandMadeStore()
        try store.episode("EADDRINUSE", at: [100, 110, 50])
        try store.run("UPDATE socket_error SET first_us = \(HandMadeStore.at(100))")  // as if it were not mended
        let halves = try SplitSummary(
            StoreReader(path: store.path), store.question(-60, 600), split: HandMadeStore.at(split))
        #expect(halves.before.errors[0].count + halves.after.errors[0].count == 3)
    }

    @Test(
        "a loss's row that is cut: the first and the last have their time",
        arguments: [
            (10.0, 20.0, 2, 10.0, 0, 2), (10, 20, 2, 15, 1, 1), (10, 20, 2, 20, 1, 1), (10, 20, 2, 20.000_001, 2, 0),
            (10, 20, 12, 15, 6, 6), (10, 10, 5, 10, 0, 5), (10, 10, 5, 10.5, 5, 0), (10, 20, 1, 15, 1, 0),
        ])
    func cutLoss(from: Double, until: Double, count: Int, split: Double, before: Int64, after: Int64) throws {
        let store = try HandMadeStore()
        try store.losses([
            ("1", "kernel_drop", from, until, count, "NULL"), ("1", "queue_full", from, until, 0, "\(count)"),
        ])
        let halves = try SplitSummary(
            StoreReader(path: store.path), store.question(0, 600), split: HandMadeStore.at(split))
        for (side, wanted) in [(halves.before, before), (halves.after, after)] {
            #expect(side.samplesLost == wanted && side.datagramsLost == wanted)
            #expect(side.processors[0].samplesLost == wanted && side.processors[0].datagramsLost == wanted)
        }
    }

    @Test("what --fail-on judges is the time after the split")
    func judged() throws {
        let store = try HandMadeStore.mended()
        let reader = try StoreReader(path: store.path)
        func verdict(_ split: Double?, _ condition: FailCondition) throws -> Verdict {
            let inquiry = Inquiry(
                try #require(Report(named: "summary")), store.question(0, 14_400),
                split: split.map { HandMadeStore.at($0) }, format: .text)
            let causes = try Summary.causes(reader, inquiry.judged)
            return try Summary(reader, inquiry.judged).verdict(on: [condition], causes: causes)
        }
        #expect(try verdict(nil, .code("EADDRINUSE")) == .found("EADDRINUSE, 360 times"))
        #expect(try verdict(7_220, .code("EADDRINUSE")) == .notFound(unrecorded: 1_800_000_000))
        #expect(try verdict(7_220, .code("ECONNREFUSED")) == .found("ECONNREFUSED, 2 times"))
        #expect(try verdict(7_220, .code("timeout")) == .notFound(unrecorded: 1_800_000_000))
        #expect(try verdict(3_610, .code("timeout")) == .found("timeout, as the cause of a link's state"))
    }
}
