import AtlasProtocol
import Glibc
import NIOCore
import NIOPosix

/// Host name to IPv4 address, anew at each try: a unit's address may change with its lease.
enum Resolver {
    struct Failure: Error {
        /// EAI_NONAME and the like, getaddrinfo(3).
        let code: String
        let message: String
    }

    /// Threads of its own, so that one name whose server is dead keeps few others waiting.
    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 4)
        pool.start()
        return pool
    }()

    /// Resolves off the event loop. An address needs no resolver.
    static func resolve(_ host: String, on eventLoop: any EventLoop) -> EventLoopFuture<IPv4Address> {
        if let address = IPv4Address(host) { return eventLoop.makeSucceededFuture(address) }
        return pool.runIfActive(eventLoop: eventLoop) { try lookUp(host)[0] }
    }

    /// All addresses that a name has; none where nobody knows it, or no answer came within 5 s.
    static func addresses(of host: String, on eventLoop: any EventLoop) async -> Set<IPv4Address> {
        if let address = IPv4Address(host) { return [address] }
        let answer = eventLoop.makePromise(of: [IPv4Address].self)
        pool.runIfActive(eventLoop: eventLoop) { try lookUp(host) }.cascade(to: answer)
        let timer = eventLoop.scheduleTask(in: .seconds(ControlChannel.connectLimit)) { answer.succeed([]) }
        defer { timer.cancel() }
        return Set((try? await answer.futureResult.get()) ?? [])
    }

    /// At least one.
    private static func lookUp(_ host: String) throws -> [IPv4Address] {
        var hints = addrinfo()
        hints.ai_family = AF_INET
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        let addresses = sequence(first: list, next: { $0?.pointee.ai_next }).prefix { $0 != nil }.compactMap { entry in
            entry?.pointee.ai_addr?.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                IPv4Address(bits: UInt32(bigEndian: $0.pointee.sin_addr.s_addr))
            }
        }
        guard code == 0, !addresses.isEmpty else {
            throw Failure(code: names[code] ?? "EAI_\(code)", message: String(cString: gai_strerror(code)))
        }
        return addresses
    }

    private static let names: [Int32: String] = [
        EAI_AGAIN: "EAI_AGAIN", EAI_FAIL: "EAI_FAIL", EAI_NONAME: "EAI_NONAME", EAI_MEMORY: "EAI_MEMORY",
        EAI_SYSTEM: "EAI_SYSTEM", EAI_FAMILY: "EAI_FAMILY", -5: "EAI_NODATA",
    ]
}
