/// Where to listen: `127.0.0.1:8131`, `[::1]:8131`.
package struct ListenAddress: Sendable, Equatable {
    /// Without brackets; `localhost` is 127.0.0.1.
    package let host: String
    /// 0: any free one.
    package let port: UInt16

    /// nil: the text is no address with a port.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            colon > text.startIndex, !text.contains("/")
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        (self.host, self.port) = (host == "localhost" ? "127.0.0.1" : host, port)
    }

    /// Whether this host alone reaches it.
    package var isLoopback: Bool { host == "::1" || host.hasPrefix("127.") }

    /// As a browser takes it, but for the scheme.
    package var text: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}
