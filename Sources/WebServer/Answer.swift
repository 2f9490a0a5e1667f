import NIOCore
import NIOHTTP1

/// What is sent back, but for events, which have no end.
struct Answer: Sendable {
    var status: HTTPResponseStatus = .ok
    var type: String
    var body: ByteBuffer
    var fields: [(String, String)] = []

    init(_ status: HTTPResponseStatus = .ok, type: String, _ text: String) {
        (self.status, self.type, body) = (status, type, ByteBuffer(string: text))
    }

    static func text(_ status: HTTPResponseStatus, _ words: String) -> Answer {
        Answer(status, type: "text/plain; charset=utf-8", words + "\n")
    }
    static func refusal(_ refusal: Gate.Refusal) -> Answer {
        var answer = text(HTTPResponseStatus(statusCode: refusal.status), refusal.words)
        if refusal.status == 405 { answer.fields.append(("Allow", "GET, HEAD")) }
        if refusal.status == 401 { answer.fields.append(("WWW-Authenticate", "Bearer")) }
        return answer
    }
    /// The browser goes on without the token in its address, and with the cookie.
    static func signIn(_ token: String, location: String) -> Answer {
        var answer = text(.seeOther, "go on at \(location)")
        answer.fields = [
            ("Location", location), ("Set-Cookie", "\(Gate.cookie)=\(token); Path=/; HttpOnly; SameSite=Lax"),
        ]
        return answer
    }

    /// Of every answer: nothing is fetched from elsewhere, no other page may show or read this one, and nothing is kept.
    static let common: [(String, String)] = [
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
                + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"), ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ]

    static func head(_ status: HTTPResponseStatus, type: String, length: Int?, _ more: [(String, String)] = [])
        -> HTTPResponseHead
    {
        var headers = HTTPHeaders(common)
        headers.add(name: "Content-Type", value: type)
        if let length { headers.add(name: "Content-Length", value: "\(length)") }
        for (name, value) in more { headers.add(name: name, value: value) }
        return HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    }
}
