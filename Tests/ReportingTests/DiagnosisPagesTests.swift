import AtlasProtocol
import Diagnosis
import Foundation
import Testing

@testable import Reporting

/// The pages of `ports` and `doctor`: what stands where, in 80 columns.
@Suite struct DiagnosisPagesTests {
    private static let plain = Style(isColoured: false, isUnicode: true)

    private var picture: PortPicture {
        func owner(_ pid: Int32, _ command: String, _ arguments: [String] = []) -> Owner {
            Owner(uid: 998, user: "bar", programs: [Program(pid: pid, command: command, arguments: arguments)])
        }
        let recorder = owner(2211, "atlas-recorder", ["atlas-recorder", "run"])
        let here = PortSocket.Address.ipv4(IPv4Address("192.168.5.10")!)
        return PortPicture(
            port: 3131,
            sockets: [
                PortSocket(local: .any, port: 3131, owner: owner(3012, "node"), inode: 3),
                PortSocket(local: here, port: 3131, owner: recorder, inode: 1),
                PortSocket(local: .any, port: 3131, owner: owner(3011, "node"), inode: 2),
            ], controlPort: 5321,
            clients: [UnitClient(local: "192.168.5.10:40000", unit: "192.168.5.101:5321", owner: recorder)],
            recorders: [], canBindBeside: nil)
    }

    @Test("ports: the table, the reasons, the clients, what to do")
    func portsText() {
        let page = picture.rendered(as: .text, Self.plain)
        #expect(
            page == """
                UDP 3131: 3 sockets

                Gets      Program                    User  Bound to           Reuse
                by relay  node (pid 3012)            bar   0.0.0.0:3131       yes
                all       atlas-recorder (pid 2211)  bar   192.168.5.10:3131  yes
                by relay  node (pid 3011)            bar   0.0.0.0:3131       yes

                Why
                - node (pid 3012), node (pid 3011): by relay - atlas-recorder (pid 2211) passes
                  on all that it receives to every program bound to 0.0.0.0
                - atlas-recorder (pid 2211): all - bound to the very address, which goes before
                  0.0.0.0; passes everything on to those bound to 0.0.0.0

                TCP 5321: 1 connection to units

                Unit                Program                    User  From
                192.168.5.101:5321  atlas-recorder (pid 2211)  bar   192.168.5.10:40000

                A program that binds UDP 3131 without address reuse gets EADDRINUSE while the
                recorder runs: let it bind with address reuse (Node: dgram.createSocket({ type:
                'udp4', reuseAddr: true })), or read the recorder's feed (atlas-recorder tail)
                instead.

                """)
    }

    @Test("colour only where it is asked for, and it changes no column")
    func colour() {
        let coloured = picture.rendered(as: .text, Style(isColoured: true, isUnicode: true))
        #expect(coloured.contains("\u{1B}[32mall\u{1B}[0m"))
        #expect(coloured.removingStyle() == picture.rendered(as: .text, Self.plain))
    }

    @Test("ports as JSON names the same")
    func portsJSON() throws {
        let text = picture.rendered(as: .json, Self.plain)
        let object = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["version"] as? Int == 1)
        let sockets = try #require(object["sockets"] as? [[String: Any]])
        #expect(sockets.map { $0["gets"] as? String } == ["by_relay", "all", "by_relay"])
        #expect(sockets.map { $0["recorder"] as? Bool } == [false, true, false])
        #expect(sockets[1]["local"] as? String == "192.168.5.10:3131")
        #expect(sockets[1]["connected_to"] is NSNull)
        #expect((sockets[1]["programs"] as? [[String: Any]])?.first?["pid"] as? Int == 2211)
        #expect((object["clients"] as? [[String: Any]])?.first?["unit"] as? String == "192.168.5.101:5321")
    }

    @Test("doctor: each finding with what to do under it, and how it stands at the end")
    func doctorText() throws {
        let examination = Examination(
            at: 0, host: "venue", store: "/var/lib/atlas-recorder/atlas.sqlite",
            findings: [
                Finding("sqlite", .ok, "3.51.3: free of it."),
                Finding(
                    "port", .problem,
                    "node (pid 2211) holds UDP 3131 without address reuse: the recorder gets EADDRINUSE.",
                    remedy: "Stop it, or let it bind with address reuse, as many words as a line cannot hold."),
                Finding("processor \u{1B}[31mBar", .attention, "late.", remedy: "Wait."),
            ])
        let text = inZone("UTC") { examination.rendered(as: .text, Self.plain) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0].hasPrefix("Examined   venue, 1970-01-01 "))
        #expect(lines[1] == "Store      /var/lib/atlas-recorder/atlas.sqlite")
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines)")
        #expect(lines.contains { $0.hasPrefix("ok         sqlite") })
        #expect(lines.contains { $0.hasPrefix("problem    port") })
        #expect(lines.contains { $0.contains("-> Stop it, or let it bind") })
        #expect(lines.dropLast().last == "1 problem, 1 matter to look at.")
        #expect(!lines.joined().contains("\u{1B}"), "a unit's name is shown, not obeyed")
        #expect(!examination.isWell)
        let json = try JSONSerialization.jsonObject(with: Data(examination.rendered(as: .json, Self.plain).utf8))
        let object = try #require(json as? [String: Any])
        #expect(object["well"] as? Bool == false)
        #expect(
            (object["findings"] as? [[String: Any]])?.map { $0["status"] as? String } == ["ok", "problem", "attention"])
    }

    @Test("all well is said in one line")
    func well() {
        let examination = Examination(at: 0, host: "h", store: "s", findings: [Finding("a", .ok, "b.")])
        #expect(examination.rendered(as: .text, Self.plain).hasSuffix("\n\nAll is well.\n"))
    }
}
