import Foundation
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StoreArgumentTests {
    @Test("a file that is no store of ours is refused by run and report, and not touched")
    func foreignFiles() async throws {
        let folder = Folder()
        let text = folder.file("notes.txt")
        try "not a database, and longer than a header so that nobody thinks it is empty".write(
            toFile: text, atomically: true, encoding: .utf8)
        let other = folder.file("other.sqlite")
        _ = try await Program.tool(
            "sqlite3", [other, "PRAGMA application_id = 7; CREATE TABLE t (x); INSERT INTO t VALUES (1)"])
        for file in [text, other] {
            let before = try Data(contentsOf: URL(fileURLWithPath: file))
            for arguments in [["run", "--simulate", "--for", "1s", "--store", file], ["report", "--store", file]] {
                let result = try await Running(arguments).end()
                #expect(result.status == 1, "\(arguments)")
                #expect(result.errors.contains("left as it is"), "\(result.errors)")
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["notes.txt", "other.sqlite"])
    }

    @Test("a store of a newer version is refused with the remedy")
    func newerStore() async throws {
        let folder = Folder()
        let store = folder.file("atlas.sqlite")
        _ = try await Program.run("run", "--simulate", "--meter-port", "0", "--for", "1s", "--store", store)
        _ = try await Program.tool("sqlite3", [store, "PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)"])
        for arguments in [["run", "--simulate", "--for", "1s", "--store", store], ["report", "--store", store]] {
            let result = try await Running(arguments).end()
            #expect(result.status == 1)
            #expect(result.errors.contains("newer atlas-recorder"), "\(result.errors)")
        }
    }

    @Test("a store in a folder that is missing names the folder's file and what to do")
    func missingFolder() async throws {
        let folder = Folder()
        let result = try await Program.run(
            "run", "--simulate", "--for", "1s", "--store", folder.file("none/atlas.sqlite"))
        #expect(result.status == 1)
        #expect(result.errors.contains("none/atlas.sqlite"))
        #expect(result.errors.contains("folder exists"))
    }

    @Test("report on a store that is not there says how to make one")
    func missingStore() async throws {
        let folder = Folder()
        let result = try await Program.run("report", "--store", folder.file("none.sqlite"))
        #expect(result.status == 1)
        #expect(result.errors.contains("atlas-recorder run"))
    }

    @Test("without a flag the variable names the store, else the user's state folder, and report says which it read")
    func storeRules() async throws {
        let folder = Folder()
        let home = ["HOME": folder.path, "XDG_STATE_HOME": "", "STATE_DIRECTORY": ""]
        let run = try await Running(["run", "--simulate", "--meter-port", "0", "--for", "1s"], environment: home).end()
        #expect(
            run.output.contains("into \(folder.path)/.local/state/atlas-recorder/simulated.sqlite"),
            "\(run.output)\(run.errors)")
        let mode =
            try FileManager.default.attributesOfItem(
                atPath: folder.file(".local/state/atlas-recorder/simulated.sqlite"))[.posixPermissions] as? Int
        #expect(mode == 0o640)
        let named = home.merging(["ATLAS_RECORDER_STORE": folder.file("mine.sqlite")]) { $1 }
        let second = try await Running(["run", "--simulate", "--meter-port", "0", "--for", "1s"], environment: named)
            .end()
        #expect(second.output.contains("into \(folder.file("mine.sqlite"))"))
        let report = try await Running(["report"], environment: named).end()
        #expect(report.status == 0)
        let default_ = try await Running(["report"], environment: home).end()
        #expect(default_.errors.contains("atlas.sqlite"), "\(default_.errors)")
    }

    @Test("a simulation is not recorded into a store that holds real processors")
    func simulationBesideReal() async throws {
        let folder = Folder()
        let store = folder.file("atlas.sqlite")
        _ = try await Program.run("run", "--processor", "Bar=127.0.0.99:9", "--for", "1s", "--store", store)
        let result = try await Program.run("run", "--simulate", "--for", "1s", "--store", store)
        #expect(result.status == 1)
        #expect(result.errors.contains("a real processor"), "\(result.errors)")
    }
}
