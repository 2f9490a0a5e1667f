import CSQLite
import Glibc

/// What can be seen of a store from outside, beside a running recorder too: its files, whether it is whole, who records.
/// Writes nothing. Not for a store that is open in this process: see `StoreFile.inspect`.
package struct StoreExamination: Sendable {
    package struct File: Sendable {
        package let path: String
        package let size: Int64  // bytes
        package let mode: UInt32  // permission bits
        package let uid, gid: UInt32
        package let isReadable: Bool
    }
    package let path: String
    package let finding: Result<StoreFile.Finding, StoreError>
    /// The store, its -wal, -shm and .lock, as far as they are there.
    package let files: [File]
    package let lock: StoreLock.State

    package init(path: String) {
        let path = StoreFile.resolved(path)
        self.path = path
        do throws(StoreError) { finding = .success(try StoreFile.inspect(path)) } catch { finding = .failure(error) }
        files = ["", "-wal", "-shm", ".lock"].compactMap { Self.file(path + $0) }
        lock = StoreLock.state(forStore: path)
    }

    private static func file(_ path: String) -> File? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return File(
            path: path, size: Int64(status.st_size), mode: status.st_mode & 0o7777, uid: status.st_uid,
            gid: status.st_gid, isReadable: access(path, R_OK) == 0)
    }

    /// Bytes free for this user where the store is or will be; nil if that folder is not there.
    package var freeBytes: Int64? {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        var status = statvfs()
        guard statvfs(folder.isEmpty ? "/" : folder, &status) == 0 else { return nil }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }
}

/// The SQLite library that this program runs with.
package enum SQLiteLibrary {
    package static var version: String { String(cString: sqlite3_libversion()) }

    /// STRICT tables are read since 3.37.0 (https://sqlite.org/stricttables.html).
    static var isTooOld: Bool { sqlite3_libversion_number() < 3_037_000 }

    /// Whether it is free of the bug by which two connections that write and checkpoint at the same instant can damage a
    /// WAL database: 3.51.3, and the branches that got the repair (https://sqlite.org/wal.html#walresetbug).
    package static func isFreeOfWALBug(_ number: Int32 = sqlite3_libversion_number()) -> Bool {
        number >= 3_051_003 || (3_050_007..<3_051_000).contains(number) || (3_044_006..<3_045_000).contains(number)
    }
}
