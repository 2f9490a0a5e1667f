import Foundation
import Locks
import Testing

@testable import RecorderStore

@Suite struct LockTests {
    private let folder = TemporaryFolder()

    private func failure() -> StoreError? {
        do throws(StoreError) {
            _ = try StoreLock(store: folder.store, holder: "pid 2")
            return nil
        } catch { return error }
    }

    @Test("a second writer is told who holds the store, and writes nothing")
    func heldByAnother() async throws {
        let first = try await Recording(folder.store)
        let error = #expect(throws: StoreError.self) {
            try StoreWriter(path: folder.store, holder: "pid 2", queue: FrameQueue()) { _ in }
        }
        #expect(error?.kind == .lockHeld)
        #expect(error?.description.contains("(test)") == true, "\(String(describing: error))")
        try await first.writer.finish([], at: start + second)
    }

    @Test("the lock is held until the last connection is closed, and free at once afterwards")
    func releasedWithTheWriter() async throws {
        for _ in 0..<3 {
            do {
                let recording = try await Recording(folder.store)
                #expect(failure()?.kind == .lockHeld)
                try await recording.writer.finish([], at: start + second)
                #expect(failure()?.kind == .lockHeld, "the connection is open still")
            }
            await waitUntilFree(folder.store)
        }
    }

    @Test("a recorder that stops waits for no reader: the next one is at the door")
    func stopsBesideAReader() async throws {
        let recording = try await Recording(folder.store)
        let reader = try StoreReader(path: folder.store)
        #expect(try reader.query("SELECT count(*) FROM recorder_run").rows == [[.integer(1)]])
        try await recording.commit([.seen(processor: recording.id, at: start)], at: start + second)
        let waits = try await recording.writer.finishCountingWaits(at: start + 2 * second)
        #expect(waits == 0)
        #expect(try integer(folder.store, "SELECT clean FROM recorder_run") == 1)
        withExtendedLifetime(reader) {}
    }

    @Test("a refused lock closes no descriptor but its own")
    func refusedLockClosesItsOwnOnly() throws {
        let holder = try StoreLock(store: folder.store, holder: "pid 1")
        let store = folder.store
        let stolen = Mutex(0)
        // While one thread is refused again and again, the other's descriptors must stay open.
        DispatchQueue.concurrentPerform(iterations: 2) { thread in
            for _ in 0..<3_000 {
                if thread == 0 {
                    _ = try? StoreLock(store: store, holder: "pid 2")
                } else {
                    let descriptor = open("/dev/null", O_RDONLY)
                    for _ in 0..<10 where fcntl(descriptor, F_GETFD) < 0 { stolen.withLock { $0 += 1 } }
                    close(descriptor)
                }
            }
        }
        #expect(stolen.withLock { $0 } == 0)
        withExtendedLifetime(holder) {}
    }

    @Test("when its holder is killed the kernel releases the lock")
    func releasedByKill() throws {
        let path = StoreLock.path(forStore: folder.store)
        // flock(1) as another process that holds the lock: it says so, and then waits for its input to end.
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/bin/sh")
        child.arguments = ["-c", #"exec 9<>"$1"; flock -x 9; echo 'pid 77' >&9; echo held; exec cat"#, "sh", path]
        let (input, output) = (Pipe(), Pipe())
        (child.standardInput, child.standardOutput) = (input, output)
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        try child.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "held\n")
        #expect(failure()?.kind == .lockHeld)
        #expect(failure()?.message.contains("pid 77") == true)
        kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
        #expect(failure() == nil)
    }

    @Test("a link in place of the lock file is not followed")
    func linkIsNotFollowed() throws {
        #expect(symlink(folder.path + "/target", StoreLock.path(forStore: folder.store)) == 0)
        #expect(failure()?.kind == .cannotOpen)
        #expect(access(folder.path + "/target", F_OK) != 0)
    }

    @Test("a lock whose file is deleted again and again is not taken: it would keep nobody out")
    func deletedAgainAndAgain() {
        var looks = 0
        let error = #expect(throws: StoreError.self) {
            try StoreLock(store: folder.store, holder: { "pid 2" }, waits: false) { _, path in
                looks += 1
                unlink(path)
                return false
            }
        }
        #expect(error?.kind == .cannotOpen && looks == 10)
        #expect(error?.description.contains("no second recorder out") == true)
    }

    @Test("the lock of a file with the same inode on another file system is another lock")
    func otherFileSystem() {
        let table = LockTable(
            Array(
                """
                1: FLOCK  ADVISORY  WRITE 2211 00:1b:42 0 EOF
                1: -> FLOCK  ADVISORY  WRITE 2212 00:1b:42 0 EOF
                2: POSIX  ADVISORY  WRITE 2213 fe:00:42 0 EOF
                3: FLOCK  ADVISORY  WRITE 2214 fe:00:142 0 EOF
                """.utf8))
        #expect(table.count(inode: 42, device: "00:1b") == (1, 1))
        #expect(table.count(inode: 42, device: "fe:00") == (0, 0))
        #expect(table.count(inode: 142, device: "fe:00") == (1, 0))
        #expect(table.count(inode: 42, device: nil) == (1, 1))
        let mounts = Array(
            """
            29 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
            36 29 0:27 / /mnt rw - tmpfs none rw
            """.utf8)
        #expect(LockTable.device(ofMount: "36", in: mounts) == "00:1b")
        #expect(LockTable.device(ofMount: "29", in: mounts) == "fe:00")
        #expect(LockTable.device(ofMount: "3", in: mounts) == nil)
    }

    @Test("a held lock is seen from outside, on the file system that this one is on")
    func seen() throws {
        #expect(StoreLock.state(forStore: folder.store) == .free)
        let lock = try StoreLock(store: folder.store, holder: "pid 1")
        #expect(LockTable.device(of: StoreLock.path(forStore: folder.store)) != nil)
        #expect(StoreLock.state(forStore: folder.store) == .held(by: "pid 1", waiting: 0))
        withExtendedLifetime(lock) {}
    }
}
