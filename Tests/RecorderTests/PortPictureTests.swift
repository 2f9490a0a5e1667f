import AtlasProtocol
import Diagnosis
import Testing

/// Who gets what, by the table alone. Tables are as the kernel lists them: IPv4 first, newest first.
@Suite struct PortPictureTests {
    private static let here = PortSocket.Address.ipv4(IPv4Address("192.168.5.10")!)
    private static let unit = PortSocket.Peer(address: .ipv4(IPv4Address("192.168.5.101")!), port: 50_000)
    private static let recorder = Program(pid: 1, command: "atlas-recorder", arguments: ["atlas-recorder", "run"])
    private static let quietRecorder = Program(
        pid: 1, command: "atlas-recorder", arguments: ["atlas-recorder", "run", "--no-relay"])

    private func socket(
        _ pid: Int32, _ local: PortSocket.Address, peer: PortSocket.Peer? = nil, isIPv6: Bool = false,
        by program: Program? = nil
    ) -> PortSocket {
        let program = program ?? Program(pid: pid, command: "node", arguments: ["node", "a.js"])
        return PortSocket(
            isIPv6: isIPv6, local: local, port: 3131, peer: peer,
            owner: Owner(uid: 1000, user: "bar", programs: [program]), inode: UInt64(pid))
    }
    private func picture(_ sockets: [PortSocket], canBindBeside: Bool? = nil, recorders: [Program] = []) -> PortPicture
    {
        PortPicture(
            port: 3131, sockets: sockets, controlPort: 5321, clients: [], recorders: recorders,
            canBindBeside: canBindBeside)
    }
    private func shares(_ sockets: [PortSocket]) -> [PortPicture.Share] { picture(sockets).entries.map(\.share) }

    @Test("of those bound to 0.0.0.0 the last one has it all, and goes before [::]")
    func wildcards() {
        #expect(shares([socket(2, .any)]) == [.all])
        #expect(shares([socket(3, .any), socket(2, .any)]) == [.all, .nothing])
        #expect(shares([socket(2, .any), socket(3, .any, isIPv6: true)]) == [.all, .nothing])
        #expect(shares([socket(3, .any, isIPv6: true)]) == [.all])
    }

    @Test("the very address goes before 0.0.0.0, whoever came first")
    func specific() {
        #expect(shares([socket(3, .any), socket(2, Self.here)]) == [.rest, .all])
        #expect(shares([socket(3, Self.here), socket(2, .any)]) == [.all, .rest])
        #expect(shares([socket(3, Self.here), socket(2, Self.here)]) == [.all, .nothing])
        let mapped = socket(4, Self.here, isIPv6: true)
        #expect(shares([socket(2, Self.here), mapped]) == [.all, .nothing])
        #expect(shares([socket(5, .ipv6("fe80::1"), isIPv6: true)]) == [.nothing])
    }

    @Test("connected to the unit goes before all, for what that one sends")
    func connected() {
        let entries = picture([socket(3, Self.here, peer: Self.unit), socket(2, Self.here)]).entries
        #expect(entries.map(\.share) == [.fromPeer, .all])
        #expect(entries[1].reason.contains("not what comes from 192.168.5.101:50000 (node (pid 3))"))
        #expect(
            shares([socket(3, Self.here, peer: Self.unit), socket(2, Self.here, peer: Self.unit)]) == [
                .fromPeer, .nothing,
            ])
    }

    @Test("a recorder that receives relays to every 0.0.0.0; one that does not, or may not, relays nothing")
    func relay() {
        let others = [socket(3, .any), socket(2, .any)]
        #expect(shares([socket(1, Self.here, by: Self.recorder)] + others) == [.all, .relayed, .relayed])
        #expect(shares([socket(1, Self.here, by: Self.quietRecorder)] + others) == [.all, .rest, .nothing])
        #expect(
            shares([socket(9, Self.here), socket(1, Self.here, by: Self.recorder)] + others)
                == [.all, .nothing, .nothing, .nothing])
    }

    @Test("two that share a port both asked for it; of one alone it is known only if somebody tried")
    func reuse() {
        func reuse(_ sockets: [PortSocket], _ canBindBeside: Bool?) -> [Bool?] {
            picture(sockets, canBindBeside: canBindBeside).entries.map(\.reusesAddress)
        }
        #expect(reuse([socket(3, .any), socket(2, Self.here)], nil) == [true, true])
        #expect(reuse([socket(2, .any)], true) == [true])
        #expect(reuse([socket(2, .any)], false) == [false])
        #expect(reuse([socket(2, .any)], nil) == [nil])
        #expect(reuse([socket(2, Self.here)], true) == [nil])
        // 0.0.0.0 and a [::] that takes IPv6 only may stand side by side: whose refusal was it?
        #expect(reuse([socket(2, .any), socket(3, .any, isIPv6: true)], false) == [nil, nil])
    }

    @Test("what to do is said: who keeps others out, who would be kept out, which recorder is not there")
    func notes() {
        let alone = picture([socket(2, .any)], canBindBeside: false, recorders: [Self.recorder]).notes
        #expect(alone.contains { $0.hasPrefix("node (pid 2) holds UDP 3131 without address reuse") })
        #expect(alone.contains { $0.hasPrefix("atlas-recorder (pid 1) records for UDP 3131 and has no socket on it") })
        #expect(alone.contains { $0.contains("reuseAddr: true") })
        let beside = picture([socket(1, Self.here, by: Self.recorder)], recorders: [Self.recorder]).notes
        #expect(beside.count == 1)
        #expect(beside[0].hasPrefix("A program that binds UDP 3131 without address reuse gets EADDRINUSE"))
        let elsewhere = Program(
            pid: 7, command: "atlas-recorder", arguments: ["atlas-recorder", "run", "--meter-port", "4000"])
        #expect(picture([], recorders: [elsewhere]).notes == [])
        let two = picture([socket(3, .any), socket(2, .any)]).notes
        #expect(two == ["A recorder on this host would give every one of them all datagrams: atlas-recorder run."])
    }

    @Test("a program whose owner may not be looked into is shown as its user, and the way to see more is said")
    func hidden() {
        let owner = Owner(uid: 1000, user: "bar", programs: [])
        let picture = picture([PortSocket(local: .any, port: 3131, owner: owner, inode: 1)])
        #expect(picture.entries[0].socket.owner.name == "uid 1000")
        #expect(picture.notes.contains { $0.contains("sudo atlas-recorder ports") })
    }

    @Test("a socket that several processes share is one, with all their numbers")
    func cluster() {
        let programs = (11...16).map { Program(pid: $0, command: "node") }
        #expect(Owner(uid: 0, user: nil, programs: programs).name == "node (pids 11, 12, 13, 14 and 2 more)")
    }
}
