import AtlasProtocol
import Testing

@testable import Recorder

/// Who gets what of the meters' port. Tables are as the kernel lists them, newest first.
@Suite struct PortWatchTests {
    private static let anywhere = IPv4Address(bits: 0)
    private static let here = IPv4Address("192.168.5.2")!
    private static let unit = IPv4Address("192.168.5.101")!
    private static let otherUnit = IPv4Address("192.168.5.102")!

    private func socket(_ inode: UInt64, _ local: IPv4Address, to remote: IPv4Address? = nil) -> PortInspector.Socket {
        PortInspector.Socket(
            local: local, localPort: 3131, remote: remote ?? Self.anywhere, remotePort: remote == nil ? 0 : 50_000,
            isConnected: remote != nil, uid: 1000, inode: inode)
    }
    private var own: PortInspector.Socket { socket(1, Self.here) }

    private func roles(_ table: [PortInspector.Socket], own: Set<UInt64> = [1]) -> [UInt64: PortWatch.Role] {
        var watch = PortWatch()
        _ = watch.look(table, own: own, units: [Self.unit: 0], at: Instant(microseconds: 1))
        return watch.roles
    }

    @Test("a program on 0.0.0.0 listens, whether it came before us or after")
    func listeners() {
        let roles = roles([socket(3, Self.anywhere), own, socket(2, Self.anywhere)])
        #expect(roles == [2: .listener, 3: .listener])
    }

    @Test("on our own address the last one bound has it all")
    func sameAddress() {
        #expect(roles([socket(2, Self.here), own]) == [2: .thief])
        #expect(roles([own, socket(2, Self.here)]) == [2: .starved])
        // Bound anew we are the last again; for a moment we have two.
        #expect(roles([socket(9, Self.here), socket(2, Self.here), own], own: [1, 9]) == [2: .starved])
    }

    @Test("a socket connected to a unit has what that unit sends, until one of ours is, and later")
    func connected() {
        let thief = socket(2, Self.here, to: Self.unit)
        #expect(roles([own, thief]) == [2: .thief])
        #expect(roles([socket(9, Self.here, to: Self.unit), own, thief], own: [1, 9]) == [2: .starved])
        #expect(roles([thief, socket(9, Self.here, to: Self.unit), own], own: [1, 9]) == [2: .thief])
        #expect(roles([own, socket(2, Self.here, to: IPv4Address("10.0.0.1")!)]) == [2: .bystander])
    }

    @Test("who connects again is the last one, whatever the table's order says")
    func connectedAgain() {
        var watch = PortWatch()
        let (thief, ours) = (socket(2, Self.here, to: Self.unit), socket(9, Self.here, to: Self.unit))
        func look(_ table: [PortInspector.Socket], _ time: Int64) {
            _ = watch.look(table, own: [1, 9], units: [Self.unit: 50_000], at: Instant(microseconds: time))
        }
        look([own, thief], 1)
        #expect(watch.roles == [2: .thief])
        look([ours, own, thief], 2)
        #expect(watch.roles == [2: .starved])
        look([ours, own, socket(2, Self.anywhere)], 3)
        #expect(watch.roles == [2: .listener])
        look([ours, own, thief], 4)
        #expect(watch.roles == [2: .thief] && watch.thiefSince == [2: Instant(microseconds: 4)])
        #expect(watch.isContested(thief.peer))
        look([socket(10, Self.here, to: Self.unit), ours, own], 5)
        #expect(watch.thiefSince.count == 1)
        look([ours, own], 6)
        #expect(!watch.isContested(thief.peer))
    }

    @Test("one that connected between two looks is suspected when nothing comes, until we connected after that")
    func suspected() {
        var watch = PortWatch()
        let (thief, ours) = (socket(2, Self.here, to: Self.unit), socket(9, Self.here, to: Self.unit))
        func look(_ table: [PortInspector.Socket], _ own: Set<UInt64>, _ time: Int64) {
            _ = watch.look(table, own: own, units: [Self.unit: 0], at: Instant(microseconds: time))
        }
        look([ours, own, thief], [1, 9], 1)
        #expect(watch.roles == [2: .starved])
        watch.suspect(connectedTo: Self.otherUnit, at: Instant(microseconds: 2))
        #expect(watch.roles == [2: .starved])
        watch.suspect(connectedTo: Self.unit, at: Instant(microseconds: 2))
        look([ours, own, thief], [1, 9], 3)
        #expect(watch.roles == [2: .thief])
        look([socket(11, Self.here, to: Self.unit), own, thief], [1, 11], 4)
        #expect(watch.roles == [2: .starved])
    }

    @Test("who is connected to another port of the unit, or from another address of ours, takes nothing")
    func otherPort() {
        var watch = PortWatch()
        let thief = socket(2, Self.here, to: Self.unit)
        _ = watch.look([own, thief], own: [1], units: [Self.unit: 49_999], at: Instant(microseconds: 1))
        #expect(watch.roles == [2: .bystander])
        _ = watch.look([own, thief], own: [1], units: [Self.unit: 50_000], at: Instant(microseconds: 2))
        #expect(watch.roles == [2: .thief])
        let elsewhere = socket(3, IPv4Address("10.0.0.2")!, to: Self.unit)
        _ = watch.look([own, elsewhere], own: [1], units: [Self.unit: 50_000], at: Instant(microseconds: 3))
        #expect(watch.roles == [3: .bystander])
    }

    @Test("a program on another address of this host is none of our business")
    func elsewhere() {
        #expect(roles([socket(2, IPv4Address("127.0.0.1")!), own]) == [2: .bystander])
    }

    @Test("of IPv6 sockets only those that take IPv4 listen")
    func ipv6() {
        func socket6(_ inode: UInt64, _ local: String, _ ipv4: IPv4Address = Self.anywhere, only: Bool = false)
            -> PortInspector.Socket
        {
            PortInspector.Socket(
                local: ipv4, localPort: 3131, remote: Self.anywhere, remotePort: 0, isConnected: false, uid: 1000,
                inode: inode, ipv6: .init(local: local, remote: "::"), isIPv6Only: only)
        }
        #expect(roles([own, socket6(2, "::")]) == [2: .listener])
        #expect(roles([own, socket6(2, "::ffff:0.0.0.0")]) == [2: .listener])
        #expect(roles([own, socket6(2, "::", only: true)]) == [2: .bystander])
        #expect(roles([own, socket6(2, "::1")]) == [2: .bystander])
        #expect(roles([own, socket6(2, "fe80::1")]) == [2: .bystander])
        #expect(roles([own, socket6(2, "::ffff:127.0.0.1", IPv4Address("127.0.0.1")!)]) == [2: .bystander])
        // The kernel prefers IPv4 sockets, so on our own address a mapped one never takes anything.
        #expect(roles([own, socket6(2, "::ffff:192.168.5.2", Self.here)]) == [2: .starved])
    }

    @Test("a thief is one for the units whose datagrams it takes")
    func thievesOf() {
        var watch = PortWatch()
        let connected = socket(2, Self.here, to: Self.unit)
        let units: [IPv4Address: UInt16] = [Self.unit: 0, Self.otherUnit: 0]
        _ = watch.look([own, connected], own: [1], units: units, at: Instant(microseconds: 1))
        #expect(watch.thieves(from: Self.unit, to: Self.here) == [connected])
        #expect(watch.thieves(from: Self.otherUnit, to: Self.here).isEmpty)
        let bound = socket(3, Self.here)
        _ = watch.look([bound, own], own: [1], units: units, at: Instant(microseconds: 2))
        #expect(watch.thieves(from: Self.otherUnit, to: Self.here) == [bound])
        #expect(watch.thieves(from: Self.otherUnit, to: IPv4Address("10.0.0.1")!).isEmpty)
    }

    @Test("who comes and who goes is told once")
    func changes() {
        var watch = PortWatch()
        let (first, second) = (socket(2, Self.anywhere), socket(3, Self.anywhere))
        func look(_ table: [PortInspector.Socket]) -> PortWatch.Change {
            watch.look(table, own: [1], units: [:], at: Instant(microseconds: 1))
        }
        #expect(look([own, first]) == .init(joined: [first], left: []))
        #expect(look([own, first]) == .init(joined: [], left: []))
        #expect(look([second, own]) == .init(joined: [second], left: [first]))
        #expect(watch.hasListeners)
        #expect(look([own]) == .init(joined: [], left: [second]))
        #expect(!watch.hasListeners)
    }
}
