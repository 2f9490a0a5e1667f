import CSQLite
import Glibc

/// What can be seen of a store from outside, beside a running recorder too: its files, whether it is whole, who records.
/// Writes nothing.
package struct StoreExamination: Sendable {
    package struct File: Sendable {
        package let path: String
        package let size: Int64  // bytes
        package let mode: UInt32  // permission bits
        package let uid, gid: UInt32
        package let isReadable: Bool
    }
    /// What SQLite says of the file's pages.
    package enum Integrity: Equatable, Sendable {
        case sound
        /// SQLite's words for the first fault.
        case faulty(String)
        /// No fault found in the time that was given.
        case unfinished
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

    /// Runs `PRAGMA quick_check` for at most `seconds`. Reads the whole file, but holds up nobody: the recorder only
    /// cannot shorten its write-ahead log meanwhile.
    package func checkIntegrity(seconds: Int64) throws(StoreError) -> Integrity {
        let database = try Database(path: path, mode: .readOnly)
        sqlite3_busy_timeout(database.handle, 5_000)
        let deadline = UnsafeMutablePointer<Int64>.allocate(capacity: 1)
        deadline.initialize(to: Self.now + seconds)
        defer { deadline.deallocate() }
        sqlite3_progress_handler(database.handle, 10_000, isOverdue, deadline)
        defer { sqlite3_progress_handler(database.handle, 0, nil, nil) }
        do throws(StoreError) {
            let check = try Statement("PRAGMA quick_check(1)", on: database, doing: "check the store")
            guard try check.step(), let words = check.text(0), words != "ok" else { return .sound }
            return .faulty(words)
        } catch {
            guard error.code & 0xFF == SQLITE_INTERRUPT else { throw error }
            return .unfinished
        }
    }

    fileprivate static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec)
    }
}

/// A plain function: SQLite calls it every so many steps of its virtual machine.
private func isOverdue(_ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let deadline = context?.assumingMemoryBound(to: Int64.self).pointee else { return 0 }
    return StoreExamination.now >= deadline ? 1 : 0
}

/// The SQLite library that this program runs with.
package enum SQLiteLibrary {
    package static var version: String { String(cString: sqlite3_libversion()) }

    /// Whether it is free of the bug by which two connections that write and checkpoint at the same instant can damage a
    /// WAL database: 3.51.3, and the branches that got the repair (https://sqlite.org/wal.html#walresetbug).
    package static func isFreeOfWALBug(_ number: Int32 = sqlite3_libversion_number()) -> Bool {
        number >= 3_051_003 || (3_050_007..<3_051_000).contains(number) || (3_044_006..<3_045_000).contains(number)
    }
}
