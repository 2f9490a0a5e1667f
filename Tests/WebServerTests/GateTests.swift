import Testing

@testable import WebServer

/// Who may ask, as a conversation of heads and verdicts.
struct GateTests {
    private let local = Gate(isLoopback: true, hosts: ["Atlas.Example"], token: nil)
    private let guarded = Gate(isLoopback: false, hosts: [], token: "0123456789abcdef")

    private func head(
        _ target: String = "/", method: String = "GET", host: String? = "127.0.0.1:8131", _ more: (String, String)...
    ) -> Gate.Head {
        Gate.Head(
            method: method, target: target,
            fields: (host.map { [("host", $0)] } ?? []) + more.map { (name: $0.0, value: $0.1) })
    }

    private func status(_ gate: Gate, _ head: Gate.Head) -> Int {
        switch gate.judge(head) {
        case .admitted: 200
        case .signsIn: 303
        case .refused(let refusal): refusal.status
        }
    }

    @Test(
        "a loopback server is asked for by loopback's names and its own, by no other",
        arguments: [
            ("127.0.0.1:8131", 200), ("localhost:8131", 200), ("LOCALHOST", 200), ("[::1]:8131", 200),
            ("127.9.9.9", 200), ("atlas.example", 200), ("ATLAS.EXAMPLE:443", 200), ("evil.example", 421),
            ("127.0.0.1.evil.example:8131", 421), ("192.168.5.9:8131", 421), ("[::2]:8131", 421), ("", 421),
            ("localhost.evil.example", 421), ("10.0.0.1@127.0.0.1", 421),
        ])
    func hosts(_ host: String, _ expected: Int) {
        #expect(status(local, head(host: host)) == expected)
    }

    @Test("a request names its host once")
    func oneHost() {
        #expect(status(local, head(host: nil)) == 400)
        #expect(status(local, head("/", host: "localhost", ("host", "evil.example"))) == 400)
    }

    @Test("nothing can be changed", arguments: ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH"])
    func methods(_ method: String) {
        #expect(status(local, head(method: method)) == 405)
        #expect(status(local, head(method: "HEAD")) == 200)
        #expect(status(local, head("/", host: "localhost", ("content-length", "1"))) == 400)
        #expect(status(local, head("/", host: "localhost", ("transfer-encoding", "chunked"))) == 400)
        #expect(status(local, head("/", host: "localhost", ("content-length", "0"))) == 200)
    }

    @Test("another site's page reads nothing; its link may lead here")
    func origins() {
        #expect(status(local, head("/events", host: "localhost:8131", ("origin", "https://evil.example"))) == 403)
        #expect(status(local, head("/events", host: "localhost:8131", ("origin", "null"))) == 403)
        #expect(status(local, head("/events", host: "localhost:8131", ("origin", "http://localhost:8131"))) == 200)
        #expect(status(local, head("/events", host: "localhost:8131", ("origin", "http://localhost:9"))) == 403)
        #expect(status(local, head("/api/report", host: "localhost", ("sec-fetch-site", "cross-site"))) == 403)
        #expect(status(local, head("/api/report", host: "localhost", ("sec-fetch-site", "same-site"))) == 403)
        #expect(status(local, head("/api/report", host: "localhost", ("sec-fetch-site", "same-origin"))) == 200)
        #expect(status(local, head("/", host: "localhost", ("sec-fetch-site", "none"))) == 200)
        let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]
        #expect(status(local, head("/", host: "localhost", link[0], link[1], link[2])) == 200)
        #expect(status(local, head("/", host: "localhost", link[0], link[1], ("sec-fetch-dest", "iframe"))) == 403)
    }

    @Test("where others reach it, a token is asked for: in a header, in the cookie, or once in the address")
    func token() {
        let right = "0123456789abcdef"
        #expect(status(guarded, head()) == 401)
        #expect(status(guarded, head("/", host: "10.0.0.1", ("authorization", "Bearer \(right)"))) == 200)
        #expect(status(guarded, head("/", host: "10.0.0.1", ("authorization", "bearer \(right)"))) == 200)
        #expect(status(guarded, head("/", host: "10.0.0.1", ("authorization", "Basic \(right)"))) == 401)
        #expect(status(guarded, head("/", host: "10.0.0.1", ("authorization", "Bearer \(right)x"))) == 401)
        #expect(status(guarded, head("/", host: "10.0.0.1", ("authorization", "Bearer "))) == 401)
        #expect(status(guarded, head("/", host: "10.0.0.1", ("cookie", "a=b; atlas_token=\(right)"))) == 200)
        #expect(status(guarded, head("/", host: "10.0.0.1", ("cookie", "atlas_token=0123456789abcdeF"))) == 401)
        #expect(guarded.judge(head("/?token=\(right)&since=16%3A30")) == .signsIn(location: "/?since=16%3a30"))
        #expect(status(guarded, head("/?token=wrong")) == 401)
        #expect(status(guarded, head("/healthz")) == 200)
        // A name could be made to lead here; an address could not.
        #expect(status(guarded, head("/", host: "evil.example", ("authorization", "Bearer \(right)"))) == 421)
    }
}

struct RequestTargetTests {
    @Test("a form's query is read; of a name that comes twice the first counts, and what is empty was not asked")
    func query() throws {
        let target = try #require(RequestTarget("/?since=2+hours+ago&until=&processor=Main%20Bar&since=1h&x"))
        #expect(target.path == "/")
        #expect(target.query == ["since": "2 hours ago", "processor": "Main Bar"])
        #expect(target.without("since") == "/?processor=Main%20Bar")
        #expect(RequestTarget("/events")?.query == [:])
    }

    @Test(
        "what is no path is refused",
        arguments: [
            "", "*", "http://localhost/", "//", "//evil.example/?token=0123456789abcdef", "/ä", "/a\r\nb", "/?since=%",
            "/?since=%4", "/?since=%zz", "/?since=%ff%fe",
            "/" + String(repeating: "a", count: 4096),
        ])
    func refused(_ text: String) {
        #expect(RequestTarget(text) == nil)
    }

    @Test("whatever is encoded is read back")
    func encoding() {
        for text in ["Main Bar", "Ñandú & Söhne", "a=b&c#d?e%f+g", "\u{0}\n\u{7F}", "🥁"] {
            #expect(RequestTarget("/?p=\(RequestTarget.encoded(text))")?.query["p"] == text)
        }
    }
}
