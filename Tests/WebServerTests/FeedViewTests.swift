import Recorder
import Testing

@testable import WebServer

/// Whether what the feed told still holds, as a conversation of lines and moments.
struct FeedViewTests {
    private var decoder = FeedDecoder()
    private var view = FeedView()
    private static let link = #"{"time":"t","at_us":7,"processor":"Bar","link":"meters","state":"up","cause":null}"#
    private static let status =
        #"{"time":"t","at_us":9,"samples":12,"commits":3,"commit_us":9,"errors":{"udp bind EADDRINUSE":2}}"#

    private func moment(_ seconds: Int64) -> FeedView.Moment {
        FeedView.Moment(steady: seconds * 1_000_000, wall: 1_000_000_000 + seconds * 1_000_000)
    }
    private mutating func hear(_ line: String, at seconds: Int64) -> String {
        let message = decoder.decode(Array(line.utf8))
        return view.take(message, at: moment(seconds))
    }
    private mutating func begin(at seconds: Int64) {
        view.began(levels: true)
        _ = hear(#"{"feed":1,"recorder":"0.1.0","store":"s"}"#, at: seconds)
        _ = hear(Self.link, at: seconds)
    }
    private func metrics(_ format: MetricsText.Format = .prometheus, at seconds: Int64) -> [String] {
        MetricsText(format, view, now: seconds * 1_000_000).text.split(separator: "\n").map(String.init)
    }

    @Test("who greets records, before it has said how it does")
    mutating func greeting() {
        #expect(!view.isRecording)
        begin(at: 0)
        #expect(view.isRecording && metrics(at: 0).contains("atlas_recorder_up 1"))
        #expect(!metrics(at: 0).contains { $0.hasPrefix("atlas_samples_stored_total") })
        #expect(hear(Self.status, at: 1) == "")
        #expect(metrics(at: 1).contains("atlas_samples_stored_total 12"))
        #expect(
            metrics(at: 1).contains(#"atlas_socket_errors_total{socket="udp",operation="bind",code="EADDRINUSE"} 2"#))
    }

    @Test("a recorder that stands still is not up: its links are unknown until it says something again")
    mutating func stalled() {
        begin(at: 0)
        #expect(view.look(at: moment(5)) == "")
        let fallen = view.look(at: moment(6))
        #expect(
            // Since its last word.
            fallen.contains(#"{"state":"gone","cause":"recorder_stalled","since_us":1000000000}"#)
                && fallen.contains(#""state":"unknown","cause":"recorder_stalled""#))
        #expect(view.look(at: moment(7)) == "" && view.isStalled)
        #expect(metrics(at: 8).contains("atlas_recorder_up 0"))
        let state = #"atlas_link_state{processor="Bar",link="meters",state="unknown"} 1"#
        #expect(metrics(at: 8).contains(state))
        let back = hear(Self.status, at: 10)
        #expect(back.contains(#"{"state":"recording"}"#) && back.contains(#""state":"up","cause":null,"since_us":7"#))
        // Up for 6 s and 2 s, unknown for 4 s between.
        let seconds = metrics(at: 12).filter { $0.hasPrefix("atlas_link_state_seconds_total") }
        #expect(seconds.map { $0.split(separator: " ").last! } == ["8", "0", "4"])
    }

    @Test("a feed that ended is said once, however often it is tried again, with the recorder's words where it has any")
    mutating func ended() {
        begin(at: 0)
        let ended = view.ended(at: moment(1))
        #expect(
            ended.contains(#"{"state":"gone","cause":"recorder_stopped","since_us":1001000000}"#) && !view.isStalled)
        view.began(levels: true)
        _ = hear(#"{"error":"64 readers are connected: close one"}"#, at: 2)
        // What was known stays until one greets.
        #expect(view.board.units.map(\.name) == ["Bar"])
        #expect(view.ended(at: moment(2)) == "" && view.words == "64 readers are connected: close one")
        #expect(view.recorderEvent.contains(#""words":"64 readers are connected: close one""#))
        begin(at: 5)
        #expect(view.isRecording && view.words == nil && !view.recorderEvent.contains("words"))
    }

    @Test("a recorder that shows no levels records all the same, and that is said where the meters would be")
    mutating func noLevels() {
        view.began(levels: false)
        let said = hear(#"{"feed":1,"recorder":"0.1.0","store":"s"}"#, at: 0)
        #expect(said.contains(#"{"state":"recording","words":"This recorder shows no levels"#))
        begin(at: 1)
        #expect(view.recorderEvent == "event: recorder\ndata: {\"state\":\"recording\"}\n\n")
    }

    @Test("no name makes the metrics unreadable")
    mutating func names() {
        view.began(levels: true)
        _ = hear(#"{"feed":1,"recorder":"0","store":"s"}"#, at: 0)
        let name = "q\"\u{301}\\\u{308}\n"
        _ = hear(Self.link.replacing("Bar", with: #"q\"\u0301\\\u0308\n"#), at: 0)
        #expect(view.board.units.map(\.name) == [name])
        let line = metrics(.openMetrics, at: 1).first { $0.hasPrefix("atlas_link_state{") } ?? ""
        #expect(
            Array(line.unicodeScalars).starts(
                with: Array(#"atlas_link_state{processor="q\"\#u{301}\\\#u{308}\n",link="#.unicodeScalars)))
        #expect(metrics(.openMetrics, at: 1).last == "# EOF")
    }
}
