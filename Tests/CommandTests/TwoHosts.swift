import Foundation

/// Two hosts and the cable between them: network namespaces with a veth pair. The recorder's is 10.77.0.1, the unit's
/// 10.77.0.2. They go with the processes that hold them; nothing of the machine's own network is touched.
final class TwoHosts: Sendable {
    enum Host: String { case recorder, unit }

    /// Whether this user may have them: root, or anyone where the system gives user namespaces.
    static let isPossible: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = unshare + ["sh", "-c", "ip link add one type veth peer name other"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()
    private static let isRoot = getuid() == 0
    private static let unshare = ["unshare"] + (isRoot ? [] : ["--user", "--map-root-user"]) + ["--net"]
    /// They end by themselves, should the tests be killed.
    private static let hold = ["sh", "-c", "echo there; exec sleep 300"]

    private let recorder, unit: Running

    init() async throws {
        recorder = try Running(Self.unshare + Self.hold, executable: "/usr/bin/env")
        try await recorder.line("there")
        unit = try Running(Self.enter(recorder) + ["unshare", "--net"] + Self.hold, executable: "/usr/bin/env")
        try await unit.line("there")
        try await ip(.recorder, "link add cable type veth peer name cable netns \(unit.pid)")
        for (host, address) in [(Host.recorder, "10.77.0.1/24"), (.unit, "10.77.0.2/24")] {
            try await ip(host, "link set lo up")
            try await ip(host, "addr add \(address) dev cable")
            try await ip(host, "link set cable up")
        }
    }

    private static func enter(_ holder: Running) -> [String] {
        ["nsenter"] + (isRoot ? [] : ["--user", "--preserve-credentials"]) + [
            "--net", "--target", "\(holder.pid)", "--",
        ]
    }

    /// Starts a program on a host.
    func start(_ host: Host, _ command: String...) throws -> Running {
        try Running(Self.enter(host == .unit ? unit : recorder) + command, executable: "/usr/bin/env")
    }

    /// Runs `ip` with these words on a host.
    func ip(_ host: Host, _ words: String) async throws {
        let holder = host == .unit ? unit : recorder
        let command = Self.enter(holder) + ["ip"] + words.split(separator: " ").map(String.init)
        let result = try await Running(command, executable: "/usr/bin/env").end()
        guard result.status == 0 else { throw Failure(description: "ip \(words): \(result.errors)") }
    }

    struct Failure: Error, CustomStringConvertible { let description: String }
}
