import Glibc

/// Where to listen: `127.0.0.1:8131`, `localhost:8131`, `[::1]:8131`. An address and no name, so that what it is is known
/// before it is listened on.
package struct ListenAddress: Sendable, Equatable {
    /// Without brackets; `localhost` is 127.0.0.1.
    package let host: String
    /// 0: any free one.
    package let port: UInt16
    /// Whether this host alone reaches it.
    package let isLoopback: Bool

    /// nil: the text is no address with a port.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard let port = UInt16(digits), digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
            return nil
        }
        let written = text[..<colon]
        if written.hasPrefix("["), written.hasSuffix("]") {
            host = String(written.dropFirst().dropLast())
            guard let address = Self.bytes(host, of: AF_INET6, in6_addr()) else { return nil }
            isLoopback = address == [UInt8](repeating: 0, count: 15) + [1]
        } else {
            host = written.lowercased() == "localhost" ? "127.0.0.1" : String(written)
            guard let address = Self.bytes(host, of: AF_INET, in_addr()) else { return nil }
            isLoopback = address[0] == 127
        }
        self.port = port
    }

    /// As a browser takes it, but for the scheme.
    package var text: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// In the network's order; nil: it is no address of that family.
    private static func bytes<Address>(_ text: String, of family: Int32, _ empty: Address) -> [UInt8]? {
        var address = empty
        // A text in C ends at its first 0.
        guard !text.utf8.contains(0), inet_pton(family, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: &address) { [UInt8]($0) }
    }
}
