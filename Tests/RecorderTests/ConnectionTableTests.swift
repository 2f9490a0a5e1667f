import AtlasProtocol
import RecorderStore
import Testing

@testable import Recorder

/// Who else has a connection to a unit, asked with every value that comes again.
@Suite struct ConnectionTableTests {
    /// The kernel's table by hand, and a clock that a look takes time of.
    private final class Host {
        var rows: [PortInspector.Socket] = []
        var looks = 0
        var now: Int64 = 0
        var lookTakes: Int64 = 0

        func table() -> ConnectionTable {
            ConnectionTable(now: { self.now }, worked: { self.now }) {
                self.looks += 1
                self.now += self.lookTakes
                return self.rows
            }
        }

        func connect(to unit: IPv4Address, from port: UInt16) throws {
            let ends = "0100007F:\(Self.hex(port)) \(Self.hex(unit)):14C9"
            let line = "0: \(ends) 01 00000000:00000000 00:00000000 00000000 0 0 7 1"
            rows += PortInspector.parse(Array("header\n\(line)\n".utf8))
        }

        private static func hex(_ port: UInt16) -> String {
            let text = String(port, radix: 16, uppercase: true)
            return String(repeating: "0", count: 4 - text.count) + text
        }

        private static func hex(_ address: IPv4Address) -> String {
            let text = String(address.bits.byteSwapped, radix: 16, uppercase: true)
            return String(repeating: "0", count: 8 - text.count) + text
        }
    }

    private static func unit(_ number: UInt32, from port: UInt16) -> UnitEndpoint {
        UnitEndpoint(address: IPv4Address(bits: 0xC000_0200 + number), port: 5321, localPort: port)
    }

    @Test("a thousand units share one look, and the next waits for twenty times as long as it took")
    func shared() throws {
        let host = Host()
        host.lookTakes = 30_000
        let table = host.table()
        for number in 0..<1_000 { try host.connect(to: IPv4Address(bits: 0xC000_0200 + UInt32(number)), from: 40_000) }
        func isAnyShared() -> Bool {
            (0..<1_000).contains { table.hasOtherClient(of: Self.unit(UInt32($0), from: 40_000)) }
        }
        #expect(!isAnyShared() && host.looks == 1)
        host.now += 599_999
        #expect(!isAnyShared() && host.looks == 1)
        host.now += 1
        #expect(!isAnyShared() && host.looks == 2)
    }

    @Test("another's connection is found with the next look; our own of before is none")
    func found() throws {
        let host = Host()
        let table = host.table()
        try host.connect(to: Self.unit(1, from: 0).address, from: 40_000)
        #expect(!table.hasOtherClient(of: Self.unit(1, from: 40_000)))
        // Ours ended and was made anew: the table of before shows the old one.
        host.rows = []
        try host.connect(to: Self.unit(1, from: 0).address, from: 40_001)
        #expect(!table.hasOtherClient(of: Self.unit(1, from: 40_001)))
        #expect(host.looks == 2)
        try host.connect(to: Self.unit(1, from: 0).address, from: 50_000)
        #expect(!table.hasOtherClient(of: Self.unit(1, from: 40_001)))
        host.now += 100_000
        #expect(table.hasOtherClient(of: Self.unit(1, from: 40_001)))
        #expect(!table.hasOtherClient(of: Self.unit(2, from: 40_001)))
        #expect(host.looks == 3)
    }
}
