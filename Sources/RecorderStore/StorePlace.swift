/// Where an open store's files are, to notice when somebody moves or deletes them: SQLite goes on writing to files that
/// have no name any more, and nobody would ever read that.
package struct StorePlace: Sendable {
    package enum Displacement: Equatable, Sendable {
        /// The store was moved or deleted; something else may be in its place.
        case store
        /// Its write-ahead log was.
        case log
        /// Its lock was.
        case lock
    }

    private let path: String
    private let store: FileIdentity.Answer
    private let log: FileIdentity.Answer

    /// Looks at the files of a store that is open and has been written.
    init(_ path: String) {
        self.path = path
        (store, log) = (FileIdentity.of(path), FileIdentity.of(path + "-wal"))
    }

    func displacement(_ lock: StoreLock?) -> Displacement? {
        if isOther(FileIdentity.of(path), store) { return .store }
        if isOther(FileIdentity.of(path + "-wal"), log) { return .log }
        if let lock, FileIdentity.of(StoreLock.path(forStore: path)) != .unknown, !lock.isInPlace(forStore: path) {
            return .lock
        }
        return nil
    }

    private func isOther(_ now: FileIdentity.Answer, _ before: FileIdentity.Answer) -> Bool {
        guard case .file = before, now != .unknown else { return false }
        return now != before
    }
}
