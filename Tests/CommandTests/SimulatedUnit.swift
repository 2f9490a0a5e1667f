import Foundation

/// A unit on loopback as a process of its own, for recorders that are started beside one another.
final class SimulatedUnit: Sendable {
    let process: Running
    let port: Int
    let meterPort: Int

    init(meterPort: Int = freeUDPPort(), address: String = "127.0.0.1", _ more: String...) async throws {
        self.meterPort = meterPort
        process = try Running(
            ["simulate", "--address", address, "--port", "0", "--meter-port", "\(meterPort)"] + more)
        try await process.line("listens on \(address):")
        port = process.number(after: "listens on \(address):") ?? 0
    }

    /// A recorder of this unit.
    func recorder(_ store: String, _ more: String..., environment: [String: String] = [:]) throws -> Running {
        try Running(
            ["run", "--processor", "Bar=127.0.0.1:\(port)", "--meter-port", "\(meterPort)", "--keep-alive", "1"]
                + ["--store", store] + more, environment: environment)
    }

    func stop() async throws {
        process.send(SIGTERM)
        _ = try await process.end()
    }
}

/// A UDP port that nobody uses now.
func freeUDPPort() -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = bind(descriptor, $0, size)
            _ = getsockname(descriptor, $0, &size)
        }
    }
    return Int(UInt16(bigEndian: address.sin_port))
}

/// A TCP port that nobody uses now.
func freeTCPPort() -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    return Int(bound(descriptor, "127.0.0.1"))
}

/// Asks again until it is true; the test's time limit ends it.
func eventually(_ condition: () async throws -> Bool) async throws {
    while try await !condition() { try await Task.sleep(for: .milliseconds(20)) }
}

/// The first column of the first row, read as any user would.
func sql(_ store: String, _ query: String) async throws -> String {
    try await Program.tool("sqlite3", ["-readonly", store, query]).output.trimmingCharacters(in: .newlines)
}
