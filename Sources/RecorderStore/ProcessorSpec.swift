import AtlasProtocol

/// A unit as it was named on the command line, `[NAME=]HOST[:PORT]`, or in a configuration file.
package struct ProcessorSpec: Sendable, Equatable {
    package static let defaultPort: UInt16 = 5321

    package let name: String
    /// A name or an IPv4 address, resolved anew at each try.
    package let host: String
    package let controlPort: UInt16
    package let isSimulated: Bool
    package let subscriptions: SubscriptionChoice

    package init(
        name: String, host: String, controlPort: UInt16, isSimulated: Bool = false,
        subscriptions: SubscriptionChoice = .everything
    ) {
        (self.name, self.host, self.controlPort, self.isSimulated) = (name, host, controlPort, isSimulated)
        self.subscriptions = subscriptions
    }

    /// Why an argument names no unit.
    package struct Failure: Error, CustomStringConvertible, Equatable {
        package let argument, reason: String
        package var description: String {
            "'\(argument)' names no processor: \(reason). Write [NAME=]HOST[:PORT], "
                + "for example 'Main Bar=192.168.5.101' or 192.168.5.101:5321."
        }
    }

    /// Without a NAME the unit is called as it was written: `192.168.5.101`, `192.168.5.101:5322`.
    package init(argument: String) throws(Failure) {
        func failure(_ reason: String) -> Failure { Failure(argument: argument, reason: reason) }
        let halves = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let place = halves[halves.count - 1]
        let name = halves.count == 2 ? String(halves[0]) : String(place)
        let parts = place.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { throw failure("an IPv6 address cannot be used, the units speak IPv4") }
        if let reason = Self.fault(ofHost: String(parts[0])) { throw failure(reason) }
        guard let port = parts.count == 1 ? Self.defaultPort : UInt16(parts[1]), port > 0 else {
            throw failure("the port is a number from 1 to 65535")
        }
        guard !name.allSatisfy(\.isWhitespace) else { throw failure("the name before '=' is empty") }
        self.init(name: name, host: String(parts[0]), controlPort: port)
    }

    /// All the arguments, or why two of them cannot be recorded together.
    package static func parse(_ arguments: [String]) throws(Failure) -> [ProcessorSpec] {
        var specs: [ProcessorSpec] = []
        for argument in arguments {
            let spec = try ProcessorSpec(argument: argument)
            if let clash = spec.clash(with: specs) { throw Failure(argument: argument, reason: clash.reason) }
            specs.append(spec)
        }
        return specs
    }

    /// Why this names no host, without its port; nil: it may.
    package static func fault(ofHost host: String) -> String? {
        guard !host.isEmpty else { return "the host is missing" }
        guard
            host.unicodeScalars.allSatisfy({
                !$0.properties.isWhitespace && $0.properties.generalCategory != .control && $0 != "/"
            })
        else { return "'\(host)' is no host name" }
        // All digits and dots is meant as an address; a resolver would make 192.168.5 into 192.168.0.5.
        if host.allSatisfy({ $0.isNumber || $0 == "." }), IPv4Address(host) == nil {
            return "'\(host)' is no IPv4 address"
        }
        return nil
    }

    /// Why two units cannot be recorded together.
    package enum Clash {
        case sameName(String), sameHost(otherName: String)

        package var reason: String {
            switch self {
            case .sameName(let name): "another processor is called '\(name)' already"
            case .sameHost(let other): "'\(other)' has the same host, and meters are told apart by it"
            }
        }
    }

    package func clash(with others: [ProcessorSpec]) -> Clash? {
        if others.contains(where: { $0.name == name }) { return .sameName(name) }
        // The units' datagrams are told apart by the address they come from.
        return others.first { $0.host == host }.map { .sameHost(otherName: $0.name) }
    }
}
