import CSockets
import Glibc

/// Stream sockets with a path, unix(7).
enum UnixSocket {
    struct Failure: Error, CustomStringConvertible {
        let doing: String
        let errno: Int32
        var description: String { "\(doing): \(ErrnoName.message(errno)) (\(ErrnoName.name(errno)))" }
    }

    /// Whose a socket's file is, and who may connect.
    struct Rights: Equatable {
        let uid, gid: UInt32
        let mode: UInt32

        init(uid: UInt32, gid: UInt32, mode: UInt32) { (self.uid, self.gid, self.mode) = (uid, gid, mode) }

        /// Those who may read a file: they may talk to the socket, which takes the right to write it.
        init(readersOf path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else {
                (uid, gid, mode) = (geteuid(), getegid(), 0o600)
                return
            }
            (uid, gid) = (status.st_uid, status.st_gid)
            let readers = status.st_mode & 0o044
            mode = 0o600 | readers | readers >> 1
        }
    }

    /// Returns a descriptor. `waits` false: neither does this where so many wait to be let in that the queue is full (EAGAIN),
    /// nor does reading.
    static func connected(to path: String, waits: Bool = true) throws(Failure) -> Int32 {
        try make(path, "connect to \(path)", waits: waits) { connect($0, $1, $2) }
    }

    /// Returns the descriptor of a socket that is bound and does not listen yet: until it does nobody can connect, so there
    /// is no moment in which somebody could who may not. (A umask would do it too, and be that of all other threads as well.)
    static func bound(to path: String, _ rights: Rights) throws(Failure) -> Int32 {
        let descriptor = try make(path, "bind \(path)") { bind($0, $1, $2) }
        do throws(Failure) {
            try give(path, rights)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Gives the file of a socket that was just bound to those whom it is for. Where the owner may not be given away, it is
    /// ours; where the group may not, it is nobody's but the owner's, or everybody's where everybody may read the store.
    static func give(_ path: String, _ rights: Rights) throws(Failure) {
        let modeWithout: UInt32 = rights.mode & 0o006 == 0 ? 0o600 : 0o666
        let code = csockets_give_socket(path, rights.uid, rights.gid, rights.mode, modeWithout)
        guard code == 0 else { throw Failure(doing: "set the rights of \(path)", errno: -code) }
    }

    private static func make(
        _ path: String, _ doing: String, waits: Bool = true,
        _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(Failure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { place -> Bool in
            guard path.utf8.count < place.count else { return false }
            place.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { throw Failure(doing: doing, errno: ENAMETOOLONG) }
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (waits ? 0 : SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, Int32(kind), 0)
        guard descriptor >= 0 else { throw Failure(doing: "make a socket", errno: errno) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            let reason = errno
            close(descriptor)
            throw Failure(doing: doing, errno: reason)
        }
        return descriptor
    }
}
