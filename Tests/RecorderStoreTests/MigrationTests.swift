import CSQLite
import Foundation
import Migrations
import Testing

@testable import RecorderStore

@Suite struct MigrationTests {
    private let folder = TemporaryFolder()

    private func open() throws -> Database {
        try Database(forWriting: folder.store, lock: StoreLock(store: folder.store, holder: "test"))
    }

    @Test("a fresh store carries our mark, its version, and the page layout")
    func freshStore() throws {
        let database = try open()
        #expect(try database.integer("PRAGMA application_id", doing: "") == 0x4174_6C52)
        #expect(try database.integer("PRAGMA user_version", doing: "") == Int64(Migrations.files.count))
        #expect(try database.integer("PRAGMA page_size", doing: "") == 4096)
        #expect(try database.integer("PRAGMA auto_vacuum", doing: "") == 2)
        #expect(try database.integer("PRAGMA foreign_keys", doing: "") == 1)
        #expect(try database.integer("PRAGMA mmap_size", doing: "") == 0)
        #expect(try database.integer("PRAGMA journal_size_limit", doing: "") == 4_194_304)
        let mode = try Statement("PRAGMA journal_mode", on: database)
        #expect(try mode.step() && mode.text(0) == "wal")
        #expect(try StoreFile.inspect(folder.store) != .missing)
    }

    @Test("the store and its companions have mode 0640, whatever the umask")
    func fileMode() throws {
        let before = umask(0o077)
        defer { umask(before) }
        let database = try open()
        try database.execute("INSERT INTO processor (name, host, control_port) VALUES ('a', 'b', 1)", doing: "write")
        for suffix in ["", "-wal", "-shm"] {
            var status = stat()
            #expect(stat(folder.store + suffix, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o640, "\(suffix)")
        }
    }

    @Test("a store that is cut off at any point while it is made is ours, whole or of a former version", .timeLimit(.minutes(1)))
    func cutOffAtAnyPoint() throws {
        var check = 1
        var versions: Set<Int> = []
        while check < 100_000 {
            try? FileManager.default.removeItem(atPath: folder.path)
            try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
            try StoreFile.create(folder.store)
            var ended = false
            do {
                let database = try Database(path: folder.store, mode: .readWrite)
                try database.execute("PRAGMA synchronous = OFF", doing: "")  // this test kills no machine
                let interruption = Interruption(database, atCheck: check)
                do throws(StoreError) {
                    try database.prepare()
                    try Schema.migrate(database)
                } catch { #expect(error.code & 0xFF == SQLITE_INTERRUPT, "\(error)") }
                ended = interruption.isAhead
                if !ended {
                    let version = Int(try database.integer("PRAGMA user_version", doing: ""))
                    versions.insert(version)
                    #expect(try database.integer("SELECT count(*) FROM sqlite_schema", doing: "") == Self.objects[version])
                }
            }
            // Nothing was checkpointed: what the header says now is all that the next start has to go by.
            #expect(throws: Never.self, "check \(check)") { try StoreFile.inspect(folder.store) }
            let again = try open()
            #expect(try again.integer("PRAGMA user_version", doing: "") == Int64(Schema.version), "check \(check)")
            #expect(try again.integer("SELECT count(*) FROM sqlite_schema", doing: "") == Self.objects[Schema.version])
            if ended { break }
            check += check < 100 ? 1 : 37
        }
        #expect(versions == Set(0..<Schema.version))
    }

    /// How many tables, indexes and views each version has.
    private static let objects: [Int64] = {
        let folder = TemporaryFolder()
        return (0...Migrations.files.count).map { version in
            let path = folder.path + "/\(version)"
            guard let database = try? Database(path: path, mode: .readWrite),
                (try? Schema.migrate(database, by: Array(Migrations.files.prefix(version)))) != nil
            else { return -1 }
            return (try? database.integer("SELECT count(*) FROM sqlite_schema", doing: "")) ?? -1
        }
    }()

    @Test("a step that fails half-way leaves the version before it, and says which step")
    func brokenStep() throws {
        let database = try open()
        let broken: Migrations.File = ("9999-broken", "CREATE TABLE half (a); INSERT INTO nowhere VALUES (1);")
        let error = #expect(throws: StoreError.self) { try Schema.migrate(database, by: Migrations.files + [broken]) }
        #expect(error?.description.contains("9999-broken") == true)
        #expect(try database.integer("PRAGMA user_version", doing: "") == Int64(Schema.version))
        #expect(try database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'", doing: "") == 0)
        let mended: Migrations.File = ("9999-broken", "CREATE TABLE half (a);")
        try Schema.migrate(database, by: Migrations.files + [mended])
        #expect(try database.integer("PRAGMA user_version", doing: "") == Int64(Schema.version + 1))
    }
}
