/// Who may ask: decided from a request's head alone, before anything is done for it. Pure.
///
/// A page on the web can make a browser send requests to 127.0.0.1. It can read no answer of another origin, unless it makes
/// its own name lead here (DNS rebinding): then the request's `Host` names it, and is refused. What a browser says of where a
/// request comes from (`Origin`, `Sec-Fetch-Site`) is held to as well.
package struct Gate: Sendable {
    package struct Head: Sendable {
        package let method, target: String
        /// Names in lower case.
        package let fields: [(name: String, value: String)]

        package init(method: String, target: String, fields: [(name: String, value: String)]) {
            (self.method, self.target, self.fields) = (method, target, fields)
        }

        /// RFC 9112, section 6.
        var hasBody: Bool {
            !values("transfer-encoding").isEmpty || values("content-length").contains { $0 != "0" }
        }

        package func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
    }

    package struct Refusal: Error, Equatable, Sendable {
        package let status: Int
        /// For a person, with what to do.
        package let words: String
    }

    package enum Verdict: Equatable, Sendable {
        case admitted(RequestTarget)
        /// The token came in the address: it moves into a cookie, and out of what a browser shows and keeps.
        case signsIn(location: String)
        case refused(Refusal)
    }

    static let cookie = "atlas_token"
    /// Names by which this server is asked for, besides addresses.
    private let hosts: Set<String>
    /// Whether it listens for this host alone.
    private let isLoopback: Bool
    private let token: String?

    /// `hosts`: other names that it is reached by, as behind a proxy. `token`: what has to be told; nil: nothing.
    package init(isLoopback: Bool, hosts: [String], token: String?) {
        (self.isLoopback, self.token) = (isLoopback, token)
        self.hosts = Set(hosts.map { $0.lowercased() } + ["localhost"])
    }

    package func judge(_ head: Head) -> Verdict {
        do throws(Refusal) {
            return try admit(head)
        } catch {
            return .refused(error)
        }
    }

    private func admit(_ head: Head) throws(Refusal) -> Verdict {
        guard head.method == "GET" || head.method == "HEAD" else {
            throw Refusal(status: 405, words: "only GET and HEAD: nothing can be changed here")
        }
        guard !head.hasBody else { throw Refusal(status: 400, words: "a request here has no body") }
        guard let target = RequestTarget(head.target) else {
            throw Refusal(status: 400, words: "the address cannot be read")
        }
        let named = head.values("host")
        guard named.count == 1 else {
            throw Refusal(status: 400, words: "a request names the host that it means once: Host")
        }
        let host = Self.name(ofHost: named[0])
        guard isOurs(host) else {
            throw Refusal(
                status: 421,
                words:
                    "this server is not called '\(host)'. If it is, as behind a proxy, start it with --http-host \(host), "
                    + "or name it under [http] hosts in its configuration file"
            )
        }
        try checkOrigin(head, host: named[0])
        // Says nothing that is anybody's secret, and those who ask often cannot sign in.
        guard let token, target.path != "/healthz" else { return .admitted(target) }
        if let told = target.query["token"] {
            guard Self.isSame(told, token) else { throw Self.wrong }
            return .signsIn(location: target.without("token"))
        }
        let told =
            head.values("authorization").compactMap(Self.bearer)
            + head.values("cookie").flatMap { $0.split(separator: ";") }.compactMap(Self.cookieToken)
        guard !told.isEmpty else { throw Self.unknown }
        guard told.contains(where: { Self.isSame($0, token) }) else { throw Self.wrong }
        return .admitted(target)
    }

    private static let wrong = Refusal(
        status: 401,
        words: "this is not the token: that is in the file which --http-token-file, or token_file under [http], names")
    private static let unknown = Refusal(
        status: 401,
        words: "a token is needed here: open /?token=… once, or send the header Authorization: Bearer …")

    /// Other pages may lead a person here, and fetch nothing.
    private func checkOrigin(_ head: Head, host: String) throws(Refusal) {
        let refusal = Refusal(status: 403, words: "another site's page may not read this one")
        for origin in head.values("origin") {
            guard origin == "http://\(host)" || origin == "https://\(host)" else { throw refusal }
        }
        for site in head.values("sec-fetch-site") where site != "same-origin" && site != "none" {
            let leads = head.values("sec-fetch-mode") == ["navigate"] && head.values("sec-fetch-dest") == ["document"]
            guard leads else { throw refusal }
        }
    }

    /// An address cannot be rebound: no name service stands behind it.
    private func isOurs(_ host: String) -> Bool {
        if hosts.contains(host) { return true }
        guard host.hasPrefix("[") || host.allSatisfy({ $0 == "." || ("0"..."9").contains($0) }) else { return false }
        return !isLoopback || host == "[::1]" || host.hasPrefix("127.")
    }

    /// Without its port, in lower case.
    static func name(ofHost field: String) -> String {
        let field = field.lowercased()
        if field.hasPrefix("["), let end = field.firstIndex(of: "]") { return String(field[...end]) }
        return String(field.prefix { $0 != ":" })
    }

    private static func bearer(_ field: String) -> String? {
        let scheme = "bearer "
        return field.lowercased().hasPrefix(scheme) ? String(field.dropFirst(scheme.count)) : nil
    }

    private static func cookieToken(_ pair: Substring) -> String? {
        let pair = pair.drop { $0 == " " }
        return pair.hasPrefix(cookie + "=") ? String(pair.dropFirst(cookie.count + 1)) : nil
    }

    /// Takes as long for a nearly right one as for any other.
    private static func isSame(_ told: String, _ token: String) -> Bool {
        let (told, token) = (Array(told.utf8), Array(token.utf8))
        var difference = UInt8(told.count == token.count ? 0 : 1)
        for index in told.indices { difference |= told[index] ^ token[index % token.count] }
        return difference == 0
    }
}
