/// Where and for whom the page is served.
package struct WebSettings: Sendable {
    /// An address to listen on, without brackets, and its port; 0: any free one.
    package let host: String
    package let port: Int
    package let store: String
    let token: String?
    let gate: Gate
    /// Microseconds since 1970 UTC.
    let now: @Sendable () -> Int64

    /// What is wrong with the choice, with the way out.
    package struct Fault: Error, CustomStringConvertible {
        package let description: String
    }

    /// `address`: `127.0.0.1:8131`, `[::1]:8131`. `hosts`: names that a proxy passes on. Throws a `Fault` where an address of
    /// others is to be listened on and no token guards it.
    package init(
        address: String, store: String, hosts: [String], token: String?, now: @escaping @Sendable () -> Int64
    ) throws(Fault) {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            throw Fault(description: "'\(address)' is no address with a port: write 127.0.0.1:8131")
        }
        var host = String(address[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host == "localhost" { host = "127.0.0.1" }
        let isLoopback = host == "::1" || host.hasPrefix("127.")
        guard !host.isEmpty, isLoopback || token != nil else {
            throw Fault(
                description:
                    "'\(address)' can be reached from other machines: guard it with --http-token-file FILE, or listen on "
                    + "127.0.0.1 and let a proxy that asks for a password pass requests on")
        }
        if let token {
            guard token.utf8.count >= 16, token.utf8.allSatisfy(Self.isPlain) else {
                throw Fault(description: "the token has to have 16 letters, digits, - or _ at least")
            }
        }
        (self.host, self.port, self.store) = (host, Int(port), store)
        (self.token, self.now) = (token, now)
        gate = Gate(isLoopback: isLoopback, hosts: hosts, token: token)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
