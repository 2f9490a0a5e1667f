import Foundation
import Testing

@testable import RecorderStore
@testable import Reporting

@Suite struct ErrorReportTests {
    private func found(_ summary: Summary) -> [String] {
        summary.errors.map { "\($0.code) \($0.count) \($0.processor ?? "-") \($0.holder ?? "-")" }
    }

    @Test("EADDRINUSE is there even where there was none, and says when it was last")
    func absence() throws {
        let store = try HandMadeStore()
        #expect(found(try store.summary(0, 60)) == ["EADDRINUSE 0 - -"])
        #expect(try store.summary(0, 60).errors[0].lastBefore == nil)
        try store.episode("EADDRINUSE", at: [10, 20], holder: "'node (pid 2211)'")
        try store.episode("EADDRINUSE", at: [130])
        try store.episode("ECONNREFUSED", at: [140], socket: "'tcp', 'connect'")
        let after = try store.summary(1_000, 2_000)
        #expect(found(after) == ["EADDRINUSE 0 - -"])
        #expect(after.errors[0].lastBefore == HandMadeStore.at(130))
        #expect(after.errors[0].first == nil && after.errors[0].last == nil)
        let before = try store.summary(-100, 0)
        #expect(found(before) == ["EADDRINUSE 0 - -"] && before.errors[0].lastBefore == nil)
    }

    @Test("errors are counted by code, socket and unit, EADDRINUSE first, with the last holder")
    func counts() throws {
        let store = try HandMadeStore(["A", "B"])
        try store.episode("ECONNREFUSED", at: [1, 2, 3, 4], socket: "'tcp', 'connect'")
        try store.episode("EADDRINUSE", at: [10], holder: "'uid 1000'")
        try store.episode("EADDRINUSE", at: [30, 31], holder: "'node (pid 2211)'")
        try store.episode("EADDRINUSE", at: [50], processor: "2")
        try store.episode("UNKNOWN_SENDER", at: [55], processor: "NULL", socket: "'udp', 'recv'")
        let all = try store.summary(0, 60)
        #expect(
            found(all) == [
                "EADDRINUSE 3 A node (pid 2211)", "EADDRINUSE 1 B -", "ECONNREFUSED 4 A -", "UNKNOWN_SENDER 1 - -",
            ])
        #expect(all.errors[0].first == HandMadeStore.at(10) && all.errors[0].last == HandMadeStore.at(31))
        #expect(found(try store.summary(0, 60, processor: "B")) == ["EADDRINUSE 1 B -", "UNKNOWN_SENDER 1 - -"])
        #expect(found(try store.summary(0, 60, processor: "A")).first == "EADDRINUSE 3 A node (pid 2211)")
    }

    @Test("a window that cuts a long episode counts its minutes in the window")
    func cutEpisode() throws {
        let store = try HandMadeStore()
        try store.episode("EADDRINUSE", at: (0..<600).map { Double($0) + 0.5 })
        #expect(try store.summary(0, 600).errors[0].count == 600)
        #expect(try store.summary(120, 300).errors[0].count == 180)
        #expect(try store.summary(130, 290).errors[0].count == 160)  // of the two minutes that are cut, their share
        #expect(try store.summary(540, 9_999).errors[0].count == 60)
        #expect(try store.summary(600, 9_999).errors[0].count == 0)
        let halves = try store.summary(0, 240).errors[0].count + store.summary(240, 600).errors[0].count
        #expect(halves == 600)
    }

    @Test(
        "every report runs in the plain sqlite3 program",
        .enabled(if: access("/usr/bin/sqlite3", X_OK) == 0, "sqlite3 is missing"),
        arguments: Report.all.map(\.name))
    func plainProgram(name: String) throws {
        let store = try HandMadeStore()
        try store.states([("up", 10), ("down:refused", 20), ("up", 30)])
        try store.episode("EADDRINUSE", at: [10, 20])
        let report = try #require(Report(named: name))
        for processor in ["NULL", "'Main Bar'"] {
            let script = """
                .parameter set :since_us \(HandMadeStore.at(0))
                .parameter set :until_us \(HandMadeStore.at(60))
                .parameter set :processor "\(processor)"
                \(report.sql)
                """
            let (text, complaint) = try PlainSQLite.run(script, on: store.path)
            #expect(complaint.isEmpty)
            let ours = try report.run(
                on: StoreReader(path: store.path), store.question(0, 60, processor == "NULL" ? nil : "Main Bar"))
            #expect(text.split(separator: "\n").count == ours.rows.count, "\(text)")
        }
    }
}
