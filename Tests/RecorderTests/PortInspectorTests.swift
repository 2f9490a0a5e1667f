import Testing

@testable import Recorder

@Suite("rows of /proc/net")
struct PortInspectorTests {
    /// As Linux 6.18 writes them: to 192.168.5.101:5321 an established connection, one that waits, and one to a port that is
    /// like it; then another unit's.
    private static let ipv4 = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0A05A8C0:D066 6505A8C0:14C9 01 00000000:00000000 02:000005C9 00000000  1000        0 70001 2 0000000000000000
           1: 0A05A8C0:D067 6505A8C0:14C9 06 00000000:00000000 03:0000176C 00000000     0        0 0 3 0000000000000000
        1002: 0A05A8C0:14C9 6505A8C0:14C8 01 00000000:00000000 02:000005C9 00000000  1000        0 70003 2 0000000000000000
           3: 0A05A8C0:D068 6605A8C0:14C9 01 00000000:00000000 02:000005C9 00000000  1000        0 70004 2 0000000000000000
        """
    private static let ipv6 = """
          sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
           0: 0000000000000000FFFF00000A05A8C0:D070 0000000000000000FFFF00006505A8C0:14C9 01 00000000:00000000 00:00000000 \
        00000000 1000 0 80001 1
           1: 00000000000000000000000001000000:14C9 00000000000000000000000001000000:D071 01 00000000:00000000 00:00000000 \
        00000000 1000 0 80002 1
        """

    private func inodes(_ table: String, _ port: UInt16? = nil, _ ending: String = "") -> [UInt64] {
        PortInspector.parse(Array(table.utf8), port: port, endingWith: ending).map(\.inode)
    }

    @Test(
        "all of them, whatever their state, without the heading and what was cut off",
        arguments: ["", "\n", "\n  4: 0A05A8C0", "\n\n  9"])
    func all(end: String) { #expect(inodes(Self.ipv4 + end) == [70001, 0, 70003, 70004]) }

    @Test("those of a local port")
    func port() {
        #expect(inodes(Self.ipv4, 5321) == [70003])
        #expect(inodes(Self.ipv6, 5321) == [80002])
    }

    @Test("those that are established, and of them those to one end")
    func ending() {
        #expect(inodes(Self.ipv4, nil, " 01 ") == [70001, 70003, 70004])
        #expect(inodes(Self.ipv4, nil, "6505A8C0:14C9 01 ") == [70001])
        #expect(inodes(Self.ipv6, nil, " 01 ") == [80001, 80002])
        #expect(inodes(Self.ipv6, nil, "6505A8C0:14C9 01 ") == [80001])
    }
}
