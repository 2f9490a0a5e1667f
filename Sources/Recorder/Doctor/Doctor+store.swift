import Diagnosis
import Glibc
import RecorderStore
import WallTime

extension Doctor {
    func sqlite() -> Finding {
        let version = SQLiteLibrary.version
        if SQLiteLibrary.isFreeOfWALBug() {
            return Finding("sqlite", .ok, "\(version): free of the WAL-reset bug of versions before 3.51.3.")
        }
        return Finding(
            "sqlite", .ok,
            "\(version) has the WAL-reset bug of versions before 3.51.3, which takes two writers. The recorder is the only "
                + "one as long as everybody else opens the store with sqlite3 -readonly.")
    }

    func storeFile(_ file: StoreExamination, _ content: StoreContent) -> Finding {
        let make = "A recorder makes it: atlas-recorder run --processor HOST; or name another with --store."
        switch file.finding {
        case .success(.missing):
            guard let hidden = StorePath.hidden else {
                return Finding("store", .attention, "there is none at \(file.path).", remedy: make)
            }
            return Finding(
                "store", .attention, "there is none at \(file.path), and this user may not look into \(hidden).",
                remedy: "Join its group (sudo usermod -aG atlas-recorder USER, then log in again), or ask with sudo.")
        case .success(.empty): return Finding("store", .attention, "it is empty: nobody has recorded.", remedy: make)
        case .failure(let error):
            return Finding("store", .problem, "\(error.message) (\(error.path)).", remedy: error.remedy)
        case .success(.store(let version)):
            if let error = content.error {
                let status: Finding.Status = error.kind == .schemaTooOld ? .attention : .problem
                return Finding("store", status, "it cannot be asked: \(error.message).", remedy: error.remedy)
            }
            let size = { (suffix: String) in file.files.first { $0.path == file.path + suffix }?.size ?? 0 }
            return Finding(
                "store", .ok,
                "ours, version \(version), \(Self.size(size(""))) and a write-ahead log of \(Self.size(size("-wal"))).")
        }
    }

    func integrity(_ file: StoreExamination) -> Finding? {
        guard case .success(.store) = file.finding, file.files.first?.isReadable == true else { return nil }
        let whole = "sqlite3 -readonly '\(file.path)' 'PRAGMA integrity_check'"
        do throws(StoreError) {
            switch try StoreIntegrity.check(file.path, .init(seconds: Self.checkLimit)) {
            case .sound: return Finding("integrity", .ok, "quick_check found no fault.")
            case .unfinished:
                return Finding(
                    "integrity", .ok,
                    "no fault found in \(Self.checkLimit) s of quick_check, which did not get through; all of it: \(whole)"
                )
            case .faulty(let words):
                return Finding(
                    "integrity", .problem, "quick_check found a fault: \(words).",
                    remedy: "Start the recorder anew: it sets the damaged store aside and begins a new one. Then: "
                        + "atlas-recorder rescue DAMAGED NEW copies what can be read.")
            }
        } catch {
            return Finding("integrity", .problem, "quick_check could not run: \(error.message).", remedy: error.remedy)
        }
    }

    /// Who may write it besides the recorder, and whether the recorder itself may.
    func rights(_ file: StoreExamination) -> Finding? {
        guard let main = file.files.first, main.path == file.path else { return nil }
        let owner = "\(ProcFiles.user(main.uid) ?? "\(main.uid)"):\(ProcFiles.group(main.gid) ?? "\(main.gid)")"
        let text = "\(Self.mode(main.mode)) \(owner)"
        if !main.isReadable {
            return Finding(
                "rights", .problem, "\(text): this user may not read the store.",
                remedy: "Join its group (usermod -aG GROUP USER, then log in again), or ask with sudo.")
        }
        let strangers = file.files.filter { $0.uid != main.uid }
        if !strangers.isEmpty {
            let names = strangers.map(\.path).joined(separator: " ")
            return Finding(
                "rights", .attention,
                "\(text), but of another owner: \(names). A recorder of the store's owner may not write them.",
                remedy: "chown \(owner) \(names)")
        }
        if main.mode & 0o022 != 0 {
            return Finding(
                "rights", .attention, "\(text): more than its owner may write it, and a second writer can damage it.",
                remedy: "chmod g-w,o-w '\(file.path)'")
        }
        return Finding("rights", .ok, "\(text): one writer, whoever is in its group may read.")
    }

    /// Programs that could write beside the recorder: `sqlite3` without -readonly is one, a second recorder another.
    func writers(_ file: StoreExamination, _ recorder: RecorderState) -> [Finding] {
        let writing = (ProcFiles.uses(of: [file.path])[file.path] ?? []).filter(\.writes).map(\.program)
        func names(_ programs: [Program]) -> String {
            programs.map { "\($0.command) (pid \($0.pid))" }.joined(separator: ", ")
        }
        var findings: [Finding] = []
        let recorders = writing.filter(\.isRecorder)
        if recorders.count > 1 {
            findings.append(
                Finding(
                    "writers", .problem, "\(recorders.count) recorders write this store: \(names(recorders)).",
                    remedy:
                        "Stop all but one, now: together they can damage it. Then: atlas-recorder check. Who deleted its "
                        + "lock, \(file.path).lock? With it there only one of them records."))
        }
        let others = writing.filter { !$0.isRecorder && $0.pid != recorder.pid }
        if !others.isEmpty {
            findings.append(
                Finding(
                    "writers", .attention, "\(names(others)) has the store open for writing.",
                    remedy:
                        "Close it, and open the store with sqlite3 -readonly: a second writer holds up the recorder, and "
                        + "with an SQLite before 3.51.3 can damage the store."))
        }
        return findings
    }

    func disk(_ file: StoreExamination) -> Finding {
        guard let free = file.freeBytes else {
            return Finding(
                "disk", .attention, "the store's folder is not there: \(file.path).",
                remedy: "Make it, owned by the recorder's user; or name another --store.")
        }
        let text = "\(Self.size(free)) free where the store is."
        let remedy = "Free space: when it is full samples wait in memory, and then the oldest are lost."
        if free < 100 << 20 { return Finding("disk", .problem, text, remedy: remedy) }
        return free < 1 << 30 ? Finding("disk", .attention, text, remedy: remedy) : Finding("disk", .ok, text)
    }

    /// `4.2 MiB`.
    static func size(_ bytes: Int64) -> String {
        var (value, unit) = (Double(bytes), 0)
        while value >= 1024, unit < 4 { (value, unit) = (value / 1024, unit + 1) }
        let name = ["bytes", "KiB", "MiB", "GiB", "TiB"][unit]
        let tenths = Int((value * 10).rounded(.down))
        return unit == 0 || tenths >= 1000 ? "\(tenths / 10) \(name)" : "\(tenths / 10).\(tenths % 10) \(name)"
    }

    /// `rw-r-----`.
    private static func mode(_ bits: UInt32) -> String {
        var text = ""
        for (index, letter) in "rwxrwxrwx".enumerated() {
            text.append(bits >> UInt32(8 - index) & 1 == 1 ? letter : "-")
        }
        return text
    }
}
