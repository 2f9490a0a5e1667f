import Foundation

/// A page that is served, asked by hand: one request a connection, written as it is given.
struct Served {
    let port: Int

    struct Reply {
        let status: Int
        let head, body: String
    }

    /// Waits for the line that says where.
    init(_ program: Running) async throws {
        try await program.line("page at http://")
        port = program.number(after: "page at http://127.0.0.1:") ?? 0
    }
    init(port: Int) { self.port = port }

    func get(_ target: String, method: String = "GET", host: String? = nil, _ fields: String...) throws -> Reply {
        let lines =
            ["\(method) \(target) HTTP/1.1", "Host: \(host ?? "127.0.0.1:\(port)")", "Connection: close"] + fields
        return try ask(lines.joined(separator: "\r\n") + "\r\n\r\n")
    }

    /// The reply to these bytes, up to the connection's end.
    func ask(_ request: String) throws -> Reply {
        let connection = try Connection(port)
        connection.send(request)
        var text = ""
        while let more = connection.read() { text += more }
        let halves = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        return Reply(
            status: Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0, head: String(halves.first ?? ""),
            body: halves.count > 1 ? String(halves[1]) : "")
    }

    /// One TCP connection, blocking.
    final class Connection: @unchecked Sendable {  // one thread's at a time
        let descriptor: Int32

        init(_ port: Int) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let code = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        }
        deinit { close(descriptor) }

        /// False once the other end is gone.
        @discardableResult
        func send(_ text: String) -> Bool { sendAll(text, on: descriptor) }

        /// What has come, or nil at the end.
        func read() -> String? {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
        }
    }
}

/// Server-sent events as a page gets them, on a thread of their own.
final class Events: @unchecked Sendable {  // what is not constant is behind the lock
    private let connection: Served.Connection
    private let lock = NSLock()
    private var collected = ""

    init(_ served: Served, _ target: String = "/events") throws {
        connection = try Served.Connection(served.port)
        connection.send("GET \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        Thread.detachNewThread { [self] in
            while let more = connection.read() { lock.withLock { collected += more } }
        }
    }
    deinit { shutdown(connection.descriptor, Int32(SHUT_RDWR)) }

    var text: String { lock.withLock { collected } }
}
