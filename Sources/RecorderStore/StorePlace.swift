import Glibc

/// Where an open store's files are, to notice when somebody moves or deletes them: SQLite goes on writing to files that
/// have no name any more, and nobody would ever read that.
package struct StorePlace: Sendable {
    package enum Displacement: Equatable, Sendable {
        /// The store was moved or deleted; something else may be in its place.
        case store
        /// Its write-ahead log was.
        case log
        /// The log's index (-shm) was: who opens the store now sees nothing new, and locks out nobody.
        case index
        /// Its lock was.
        case lock
    }

    private let path: String
    private let store, log, index: FileIdentity.Answer

    /// Looks at the files of a store that is open and has been written.
    init(_ path: String) {
        self.path = path
        (store, log) = (FileIdentity.of(path), FileIdentity.of(path + "-wal"))
        index = FileIdentity.of(path + "-shm")
    }

    func displacement(_ lock: StoreLock?) -> Displacement? {
        if isOther(FileIdentity.of(path), store) { return .store }
        if isOther(FileIdentity.of(path + "-wal"), log) { return .log }
        if isOther(FileIdentity.of(path + "-shm"), index) { return .index }
        if let lock, FileIdentity.of(StoreLock.path(forStore: path)) != .unknown, !lock.isInPlace(forStore: path) {
            return .lock
        }
        return nil
    }

    private func isOther(_ now: FileIdentity.Answer, _ before: FileIdentity.Answer) -> Bool {
        guard case .file = before, now != .unknown else { return false }
        return now != before
    }

    /// What became of the store's file, as far as the descriptor tells that SQLite has of it.
    func fate() -> Fate? {
        guard case .file(let identity) = store, let descriptor = identity.openDescriptor() else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        return status.st_nlink == 0 ? .deleted : FileName.ofOpen(descriptor).map { .moved(to: $0) }
    }
    package enum Fate: Equatable, Sendable {
        case deleted
        case moved(to: String)
    }

    // MARK: putting it right

    /// Makes the files fit for who opens them next; the connection is open still, and writes nothing after this. Returns the
    /// name under which the log of a store that was moved is kept, if it is in the way. `isWhole`: nothing is in the log that
    /// is not in the store. Throws `.cannotOpen`.
    func putRight(_ displacement: Displacement, isWhole: Bool, stamp: String) throws(StoreError) -> String? {
        if displacement == .store { return try clear(isWhole: isWhole, stamp: stamp) }
        if isOther(FileIdentity.of(path + "-wal"), log) { try restoreLog(stamp: stamp) }
        // Another index than ours has another view of the log. It holds nothing: who opens the store makes it anew.
        if isOther(FileIdentity.of(path + "-shm"), index) { unlink(path + "-shm") }
        return nil
    }

    /// Of a store that is not here any more nothing may stay in the way of the next one; what lies here of another is let be.
    private func clear(isWhole: Bool, stamp: String) throws(StoreError) -> String? {
        if FileIdentity.of(path + "-shm") == index { unlink(path + "-shm") }
        guard case .file = log, FileIdentity.of(path + "-wal") == log else { return nil }
        if isWhole {
            unlink(path + "-wal")  // empty
            return nil
        }
        return try StoreAside.moveOrphanedLog(of: path, stamp: stamp)
    }

    /// Writes the log anew, from the descriptor that SQLite has of the one without a name. Its index, which other programs may
    /// share, is right for the copy as well.
    private func restoreLog(stamp: String) throws(StoreError) {
        guard case .file(let identity) = log, let source = identity.openDescriptor() else { return }
        _ = try StoreAside.moveOrphanedLog(of: path, stamp: stamp)  // whatever somebody put in its place
        let copy = "\(path)-wal.\(stamp)"
        do throws(SystemFailure) {
            try FileCopy.copy(source, to: copy)
            guard rename(copy, path + "-wal") == 0 else { throw SystemFailure() }
        } catch {
            unlink(copy)
            throw StoreError(
                .cannotOpen, message: "\(path)-wal was deleted and cannot be written anew: \(error.message)",
                doing: "put the write-ahead log back", path: path)
        }
    }
}
