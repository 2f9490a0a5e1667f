import CSQLite
import Foundation
import Testing

@testable import RecorderStore

@Suite struct StoreFileTests {
    private let folder = TemporaryFolder()

    private func refusalToRead(_ path: String) -> StoreError.Kind? {
        do throws(StoreError) { _ = try StoreReader(path: path).query("SELECT 1 FROM frame") } catch {
            return error.kind
        }
        return nil
    }

    private func refusalToWrite(_ path: String) -> StoreError.Kind? {
        do throws(StoreError) {
            _ = try StoreWriter(path: path, holder: "test", queue: FrameQueue()) { _ in }
        } catch { return error.kind }
        return nil
    }

    /// What a file is to a reader and to a writer.
    private func refusal(_ path: String) -> StoreError.Kind? {
        let writing = refusalToWrite(path)
        #expect(refusalToRead(path) == writing)
        return writing
    }

    /// Bytes and time of last change of everything in the folder.
    private func contents() throws -> [String: String] {
        var result: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            var status = stat()
            #expect(lstat("\(folder.path)/\(name)", &status) == 0)
            var bytes = Data()
            if status.st_mode & S_IFMT == S_IFREG {
                bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)"))
            }
            let changed = "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
            result[name] = "\(changed) \(status.st_mode) \(bytes.base64EncodedString())"
        }
        return result
    }

    private func database(_ sql: String) throws {
        let database = try Database(path: folder.store, mode: .readWrite)
        try database.execute(sql, doing: "make another database")
    }

    @Test("a store of a newer version is refused and left as it was, to the byte")
    func newerVersion() throws {
        let marks = "PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = \(Schema.version + 1)"
        try database(marks + "; CREATE TABLE a (b)")
        let before = try contents()
        #expect(refusal(folder.store) == .schemaTooNew)
        #expect(try contents() == before)
    }

    @Test("a store that a newer version changed while we waited for its lock is refused")
    func newerVersionInTheLog() throws {
        do {
            let database = try Database(forWriting: folder.store, lock: StoreLock(store: folder.store, holder: "newer"))
            try database.execute("PRAGMA user_version = \(Schema.version + 1)", doing: "become newer")
        }
        #expect(refusal(folder.store) == .schemaTooNew)
    }

    @Test("a store of a former version is read only after a recorder brought it up to date")
    func olderVersion() throws {
        try database(
            "PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = 0; CREATE TABLE a (b); DROP TABLE a"
        )
        let before = try contents()
        #expect(refusalToRead(folder.store) == .schemaTooOld)
        #expect(try contents() == before)
        #expect(refusalToWrite(folder.store) == nil)
        #expect(refusalToRead(folder.store) == nil)
    }

    @Test("a store whose log was not moved into the file yet is read as it is")
    func versionInTheLog() throws {
        let writer = try Database(forWriting: folder.store, lock: StoreLock(store: folder.store, holder: "test"))
        #expect(try StoreFile.inspect(folder.store) == .store(version: 0))
        #expect(refusalToRead(folder.store) == nil)
        try writer.execute("PRAGMA user_version = \(Schema.version + 1)", doing: "become newer")
        #expect(refusalToRead(folder.store) == .schemaTooNew)
    }

    @Test("another application's database is left as it was", arguments: ["PRAGMA application_id = 7;", ""])
    func anotherApplication(mark: String) throws {
        try database(mark + "CREATE TABLE a (b)")
        let before = try contents()
        #expect(refusal(folder.store) == .notOurs)
        #expect(try contents() == before)
    }

    @Test("another application's database in WAL mode is not even opened: no -shm appears")
    func anotherApplicationInWAL() throws {
        try database("PRAGMA journal_mode = WAL; CREATE TABLE a (b)")
        let before = try contents()
        #expect(refusal(folder.store) == .notOurs)
        #expect(try contents() == before)
    }

    @Test(
        "a file that is no SQLite database is left as it was",
        arguments: ["x", "SQLite format 3", String(repeating: "log line\n", count: 1000), "SQLite format 3\0"])
    func notSQLite(text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.store))
        let before = try contents()
        #expect(refusal(folder.store) == .notOurs)
        #expect(try contents() == before)
    }

    @Test("a folder and a pipe are refused at once")
    func folderAndPipe() throws {
        #expect(mkdir(folder.path + "/folder", 0o755) == 0)
        #expect(mkfifo(folder.path + "/pipe", 0o644) == 0)
        let before = try contents()
        #expect(refusal(folder.path + "/folder") == .notOurs)
        #expect(refusal(folder.path + "/pipe") == .notOurs)
        #expect(refusal("/dev/null") == .notOurs)
        #expect(try contents() == before)
    }

    @Test("a path that leads nowhere says why")
    func noPath() throws {
        try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
        #expect(refusal(folder.path + "/file/atlas.sqlite") == .cannotOpen)
        #expect(refusal(folder.path + "/" + String(repeating: "n", count: 300)) == .cannotOpen)
        #expect(symlink(folder.path + "/loop", folder.path + "/loop") == 0)
        #expect(refusal(folder.path + "/loop") == .cannotOpen)
        let missing = folder.path + "/no/atlas.sqlite"
        #expect(refusalToRead(missing) == .missing)
        #expect(refusalToWrite(missing) == .cannotOpen)
    }

    @Test("a store that this user may not read is refused as such")
    func unreadable() throws {
        _ = try Database(forWriting: folder.store, lock: StoreLock(store: folder.store, holder: "test"))
        #expect(chmod(folder.store, 0) == 0 && chmod(folder.path, 0o755) == 0)
        asAnotherUser { #expect(refusal(folder.store) == .cannotOpen) }
    }

    @Test("a store that this user may read but not write can be read, not written")
    func unwritable() throws {
        _ = try Database(forWriting: folder.store, lock: StoreLock(store: folder.store, holder: "test"))
        for suffix in ["", "-wal", "-shm", ".lock"] { #expect(chmod(folder.store + suffix, 0o444) == 0) }
        #expect(chmod(folder.path, 0o755) == 0)
        asAnotherUser {
            #expect(refusalToRead(folder.store) == nil)
            #expect(refusalToWrite(folder.store) == .cannotOpen)
        }
    }

    /// Root may read and write everything, so for files this thread becomes nobody for a moment (setfsuid(2)).
    private func asAnotherUser(_ body: () -> Void) {
        typealias SetUser = @convention(c) (UInt32) -> Int32
        guard geteuid() == 0, let symbol = dlsym(nil, "setfsuid") else { return body() }
        let setUser = unsafeBitCast(symbol, to: SetUser.self)
        _ = setUser(65534)
        defer { _ = setUser(0) }
        body()
    }

    @Test("an empty file becomes a store; a reader says it is empty")
    func emptyFile() throws {
        try Data().write(to: URL(fileURLWithPath: folder.store))
        #expect(refusalToRead(folder.store) == .missing)
        #expect(refusalToWrite(folder.store) == nil)
        #expect(try StoreFile.inspect(folder.store) == .store(version: Schema.version))
    }

    @Test("a store whose log was left behind when it was deleted is made anew")
    func logLeftBehind() throws {
        do { _ = try Database(forWriting: folder.store, lock: StoreLock(store: folder.store, holder: "test")) }
        #expect(access(folder.store + "-wal", F_OK) == 0)
        #expect(unlink(folder.store) == 0)
        _ = try Database(forWriting: folder.store, lock: StoreLock(store: folder.store, holder: "test"))
        #expect(try rows(folder.store, "SELECT count(*) FROM recorder_run") == [[.integer(0)]])
    }

    @Test("every error names the file and one thing to do")
    func remedies() {
        let kinds: [StoreError.Kind] = [
            .busy, .full, .cannotOpen, .missing, .damaged, .notOurs, .schemaTooNew, .schemaTooOld, .lockHeld, .badSQL,
            .beyondRescue, .folder, .other,
        ]
        for kind in kinds {
            let text = StoreError(kind, message: "no", doing: "try", path: "/a/b").description
            #expect(text.hasPrefix("cannot try in /a/b: no. ") && text.count > 40, "\(text)")
        }
    }
}
