import Foundation

/// A file system of so many MiB in memory, seen only by the programs that are started in it. It goes with the process that
/// holds it.
final class SmallDisk: Sendable {
    /// Whether this user may have one: root, or anyone where the system gives user namespaces.
    static let isPossible: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = unshare + ["mount", "-t", "tmpfs", "none", "/mnt"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()
    private static let isRoot = getuid() == 0
    private static let unshare = ["unshare"] + (isRoot ? [] : ["--user", "--map-root-user"]) + ["--mount"]

    private let folder = Folder()
    private let holder: Running

    init(mebibytes: Int) async throws {
        let mount = "mount -t tmpfs -o size=\(mebibytes)m none '\(folder.path)' && echo there; exec sleep 300"
        holder = try Running(Self.unshare + ["sh", "-c", mount], executable: "/usr/bin/env")
        try await holder.line("there")
    }

    /// A path on it, for programs that are started here.
    func file(_ name: String) -> String { folder.file(name) }

    func start(_ command: [String]) throws -> Running {
        let enter = ["nsenter"] + (Self.isRoot ? [] : ["--user", "--preserve-credentials"])
        return try Running(
            enter + ["--mount", "--target", "\(holder.pid)", "--"] + command, executable: "/usr/bin/env")
    }

    /// Writes until nothing more fits.
    func fill() async throws { _ = try await start(["sh", "-c", "cat /dev/zero > '\(file("ballast"))'"]).end() }
    /// Gives the space back.
    func free() async throws { _ = try await start(["rm", file("ballast")]).end() }

    /// The first column of the first row.
    func sql(_ store: String, _ query: String) async throws -> String {
        try await start(["sqlite3", "-readonly", store, query]).end().output.trimmingCharacters(in: .newlines)
    }
}
