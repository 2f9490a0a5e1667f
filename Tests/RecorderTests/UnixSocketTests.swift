import Glibc
import Testing

@testable import Recorder

/// Whose the feed's socket is, where the folder is somebody's who may change it at any moment.
@Suite struct UnixSocketTests {
    private static let rights = UnixSocket.Rights(uid: geteuid(), gid: getegid(), mode: 0o666)
    private let folder = Rig.newStore().split(separator: "/").dropLast().map { "/" + $0 }.joined()
    private func file(_ name: String) -> String { "\(folder)/\(name)" }

    private func status(_ name: String) -> stat {
        var status = stat()
        #expect(lstat(file(name), &status) == 0)
        return status
    }
    private func clean(_ names: String...) {
        for name in names { unlink(file(name)) }
        rmdir(folder)
    }

    @Test("the file of a bound socket gets the mode that was asked for, whatever the umask")
    func mode() throws {
        let descriptor = try UnixSocket.bound(to: file("feed"), Self.rights)
        #expect(status("feed").st_mode == S_IFSOCK | 0o666)
        close(descriptor)
        clean("feed")
    }

    @Test("what stands in the socket's place is left as it is, and so is what it leads to", arguments: 0...3)
    func swapped(kind: Int) throws {
        let victim = open(file("victim"), O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        let other = try UnixSocket.bound(to: file("other"), .init(uid: geteuid(), gid: getegid(), mode: 0o600))
        switch kind {
        case 0: #expect(symlink(file("victim"), file("feed")) == 0)
        case 1: #expect(symlink(file("other"), file("feed")) == 0)
        case 2: #expect(link(file("other"), file("feed")) == 0)
        default: #expect(link(file("victim"), file("feed")) == 0)
        }
        #expect(throws: UnixSocket.Failure.self) { try UnixSocket.give(file("feed"), Self.rights) }
        #expect(status("victim").st_mode == S_IFREG | 0o600 && status("other").st_mode == S_IFSOCK | 0o600)
        close(victim)
        close(other)
        clean("feed", "victim", "other")
    }

    @Test("another user's socket is left as it is", .enabled(if: geteuid() == 0))
    func otherOwner() throws {
        let other = try UnixSocket.bound(to: file("feed"), .init(uid: 1, gid: 1, mode: 0o600))
        #expect(status("feed").st_uid == 1 && status("feed").st_gid == 1)
        #expect(throws: UnixSocket.Failure.self) { try UnixSocket.give(file("feed"), Self.rights) }
        #expect(status("feed").st_uid == 1 && status("feed").st_mode == S_IFSOCK | 0o600)
        close(other)
        clean("feed")
    }

    @Test("a file that is gone is said to be")
    func gone() {
        #expect(throws: UnixSocket.Failure.self) { try UnixSocket.give(file("feed"), Self.rights) }
        clean()
    }
}
