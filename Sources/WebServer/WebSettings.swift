import Configuration

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

    /// `hosts`: names that a proxy passes on. `token`: at least 16 letters, digits, `-` or `_`, else a `Fault` is thrown.
    package init(
        _ address: ListenAddress, store: String, hosts: [String], token: String?, now: @escaping @Sendable () -> Int64
    ) throws(Fault) {
        if let token {
            guard token.utf8.count >= 16, token.utf8.allSatisfy(Self.isPlain) else {
                throw Fault(description: "the token has to have 16 letters, digits, - or _ at least, and nothing else")
            }
        }
        (host, port, self.store) = (address.host, Int(address.port), store)
        (self.token, self.now) = (token, now)
        gate = Gate(isLoopback: address.isLoopback, hosts: hosts, token: token)
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
