import CSQLite
import Glibc
import struct Synchronization.Atomic

/// What SQLite says of a store's pages.
package enum StoreIntegrity: Equatable, Sendable {
    case sound
    /// SQLite's words for the first fault.
    case faulty(String)
    /// No fault found in the time that was given.
    case unfinished

    /// Ends a check that is not wanted any more.
    package final class Limit: Sendable {
        private let end: Int64  // seconds of CLOCK_MONOTONIC
        private let isRaised = Atomic(false)

        package init(seconds: Int64) { end = Self.now + seconds }
        package func raise() { isRaised.store(true, ordering: .relaxed) }
        fileprivate var isReached: Bool { isRaised.load(ordering: .relaxed) || Self.now >= end }

        private static var now: Int64 {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec)
        }
    }

    /// Runs `PRAGMA quick_check` up to `limit`, on a connection of its own. Reads the whole file, but holds up nobody: the
    /// recorder only cannot shorten its write-ahead log meanwhile. (Within one table's tree SQLite before 3.43 does not ask
    /// whether it is still wanted.)
    package static func check(_ path: String, _ limit: Limit) throws(StoreError) -> StoreIntegrity {
        let database = try Database(path: path, mode: .readOnly)
        sqlite3_busy_timeout(database.handle, 5_000)
        sqlite3_progress_handler(database.handle, 10_000, isReached, Unmanaged.passUnretained(limit).toOpaque())
        defer {
            sqlite3_progress_handler(database.handle, 0, nil, nil)
            withExtendedLifetime(limit) {}
        }
        do throws(StoreError) {
            let check = try Statement("PRAGMA quick_check(1)", on: database, doing: "check the store")
            guard try check.step(), let words = check.text(0), words != "ok" else { return .sound }
            return .faulty(words)
        } catch {
            guard error.code & 0xFF == SQLITE_INTERRUPT else { throw error }
            return .unfinished
        }
    }
}

/// A plain function: SQLite calls it every so many steps of its virtual machine.
private func isReached(_ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context else { return 0 }
    return Unmanaged<StoreIntegrity.Limit>.fromOpaque(context).takeUnretainedValue().isReached ? 1 : 0
}
