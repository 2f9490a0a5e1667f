import NIOCore
import NIOHTTP1
import NIOPosix
import RecorderStore
import Reporting

/// Asks the store for whole reports, on a thread of its own. The same question within a moment is asked once, however many
/// readers have it. Confined to the server's event loop.
final class ReportDesk {
    enum Kind: String {
        case page, sections, json
    }
    struct Key: Hashable {
        let kind: Kind
        let query: [String: String]
    }

    /// How long an answer is given again.
    private static let freshness = TimeAmount.seconds(1)
    /// Questions that may wait.
    private static let limit = 32

    private let eventLoop: any EventLoop
    private let store: String
    private let now: @Sendable () -> Int64
    let threads = NIOThreadPool(numberOfThreads: 1)
    private var asked: [Key: EventLoopFuture<Answer>] = [:]

    /// `now`: microseconds since 1970 UTC.
    init(_ eventLoop: any EventLoop, store: String, now: @escaping @Sendable () -> Int64) {
        (self.eventLoop, self.store, self.now) = (eventLoop, store, now)
        threads.start()
    }

    func answer(_ kind: Kind, _ query: [String: String]) -> EventLoopFuture<Answer> {
        let key = Key(kind: kind, query: query)
        if let future = asked[key] { return future }
        guard asked.count < Self.limit else {
            var answer = Answer.text(.serviceUnavailable, "too many questions at once: try again in a moment")
            answer.fields.append(("Retry-After", "2"))
            return eventLoop.makeSucceededFuture(answer)
        }
        let (store, now) = (store, now)
        let future = threads.runIfActive(eventLoop: eventLoop) {
            ReportRequest(key.query, store: store, now: now()).answer(kind)
        }
        asked[key] = future
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        future.whenComplete { _ in
            bound.eventLoop.scheduleTask(in: Self.freshness) { bound.value.asked[key] = nil }
        }
        return future
    }
}

/// A report that a browser asked for. Its words are the command's: `since`, `until`, `split`, `processor`.
struct ReportRequest {
    static let names: Set<String> = ["since", "until", "split", "processor"]

    let query: [String: String]
    let store: String
    /// Microseconds since 1970 UTC.
    let now: Int64

    init(_ query: [String: String], store: String, now: Int64) {
        (self.query, self.store, self.now) = (query, store, now)
    }

    func answer(_ kind: ReportDesk.Kind) -> Answer {
        do throws(Unanswerable) {
            return try report(kind)
        } catch {
            // A browser gets a page that can be asked again.
            return kind == .page
                ? Answer(
                    error.status, type: "text/html; charset=utf-8",
                    LivePage(query, isPast: true, retries: error.status == .serviceUnavailable).document(error.words))
                : .text(error.status, error.words)
        }
    }

    private struct Unanswerable: Error {
        let status: HTTPResponseStatus
        let words: String
    }

    private func report(_ kind: ReportDesk.Kind) throws(Unanswerable) -> Answer {
        if let other = query.keys.filter({ !Self.names.contains($0) }).sorted().first {
            throw Unanswerable(
                status: .badRequest,
                words: "there is no '\(other)' to ask for: since, until, split and processor there are")
        }
        do {
            let window = try ReportWindow(
                since: query["since"], until: query["until"], split: query["split"], now: now)
            let reader = try StoreReader(path: store)
            let begin = kind == .json || hasWindow ? nil : try firstRun(reader)
            let question = Question(
                since: begin.map { max(window.sinceMicroseconds, $0) } ?? window.sinceMicroseconds,
                until: window.untilMicroseconds, processor: query["processor"], now: now)
            if let unknown = try unknownProcessor(reader) { throw Unanswerable(status: .notFound, words: unknown) }
            if kind == .json {
                let summary = Report(named: "summary")!
                let inquiry = Inquiry(summary, question, split: window.splitMicroseconds, format: .json)
                return Answer(type: "application/json", try inquiry.answer(from: reader, .plain))
            }
            let page = try ReportPage(reader, question, split: window.splitMicroseconds)
            let text =
                kind == .page
                ? page.document(LivePage(query, isPast: (query["until"] ?? "now") != "now").additions)
                : HTML("<title>\(page.title)</title>\n").markup + page.sections
            return Answer(type: "text/html; charset=utf-8", text)
        } catch let error as Unanswerable {
            throw error
        } catch let error as TimeExpressionError {
            // The command's words, but for its dashes.
            throw Unanswerable(status: .badRequest, words: "\(error)".withoutDashes)
        } catch {
            throw Unanswerable(status: .serviceUnavailable, words: "\(error)")
        }
    }

    private var hasWindow: Bool { ["since", "until", "split"].contains { query[$0] != nil } }

    /// When the store's first recorder began, microseconds since 1970 UTC: who looks at the page of a venue's first evening has
    /// no use for the day before it.
    private func firstRun(_ reader: StoreReader) throws(StoreError) -> Int64? {
        guard case .integer(let start)? = try reader.query("SELECT min(started_us) FROM recorder_run").rows.first?[0],
            start < now  // where the clock was set back it may lie ahead
        else { return nil }
        return min(start, now - 1_000_000)
    }

    private func unknownProcessor(_ reader: StoreReader) throws(StoreError) -> String? {
        guard let name = query["processor"] else { return nil }
        let names = try reader.query("SELECT name FROM processor ORDER BY name").rows.map { $0[0] }
        guard !names.contains(.text(name)) else { return nil }
        return "there is no processor '\(name)' in this store"
    }
}

extension String {
    /// `--since` as a field of the page is called.
    fileprivate var withoutDashes: String {
        var (result, rest) = ("", self[...])
        while let dashes = rest.firstRange(of: "--") {
            result += rest[..<dashes.lowerBound]
            rest = rest[dashes.upperBound...]
        }
        return result + rest
    }
}
