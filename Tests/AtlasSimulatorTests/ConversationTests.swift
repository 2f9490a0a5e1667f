import Glibc
import NIOCore
import Testing

@testable import AtlasSimulator

@Suite(.timeLimit(.minutes(1)))
struct ConversationTests {
    @Test("a subscription is answered if it has an id, then comes the first value, by TCP or UDP")
    func firstValues() async throws {
        try await Bench.run { bench in
            let client = try await bench.connect()
            try await client.send(subscribe(["ZoneName_2", "ZoneMeter_0", "ZoneGain_1"], id: 7))
            #expect(await client.line() == #"{"jsonrpc":"2.0","result":"OK","id":7}"#)
            #expect(
                await client.line() == #"{"jsonrpc":"2.0","method":"update","params":"#
                    + #"[{"param":"ZoneName_2","str":"Terraza Ñandú"},{"param":"ZoneGain_1","val":-3.0}]}"#)
            let first = await bench.meters.next()
            #expect(first.from.ipAddress == "127.0.0.1")
            #expect(values(first.text).count == 1)
            let level = try #require(values(first.text)["ZoneMeter_0"])
            #expect(level.split(separator: ".").last?.count == 1)
            #expect(
                first.text == #"{"jsonrpc":"2.0","method":"update","params":[{"param":"ZoneMeter_0","val":"#
                    + level + "}]}\n")
        }
    }

    @Test("params may be one object, and without an id nothing is answered")
    func objectParams() async throws {
        try await Bench.run { bench in
            let client = try await bench.connect()
            try await client.send(
                #"{"jsonrpc":"2.0","method":"sub","params":{"param":"ZoneMute_0","fmt":"val"}}"#,
                #"{"jsonrpc":"2.0","method":"get","params":{"param":"FirmwareVersion","fmt":"str"},"id":"a\"b"}"#)
            #expect(
                await client.line()
                    == #"{"jsonrpc":"2.0","method":"update","params":{"param":"ZoneMute_0","val":0}}"#)
            #expect(
                await client.line() == #"{"jsonrpc":"2.0","method":"getResp","params":"#
                    + #"[{"param":"FirmwareVersion","str":"4.1.16"}],"id":"a\"b"}"#)
        }
    }

    @Test("a level is dB, percent of -80...0 or a string, as the subscription asks")
    func formats() async throws {
        try await Bench.run { bench in
            let client = try await bench.connect()
            try await bench.simulator.set(parameter: "ZoneMeter_0", value: -20.1)
            for format in ["val", "pct", "str"] { try await client.send(subscribe(["ZoneMeter_0"], format)) }
            var open: Set = [#""val":-20.1}"#, #""pct":74.875}"#, #""str":"-20.1"}"#]
            while !open.isEmpty {
                let text = await bench.meters.next().text
                open = open.filter { !text.contains($0) }
            }
            try await client.send(subscribe(["ZoneGain_0"], "pct"))
            #expect(await client.line()?.contains(#""pct":100}"#) == true)
        }
    }

    @Test("an unknown name is error -32604 with the id; the rest is taken or not, as configured")
    func unknownNames() async throws {
        for mode in UnknownNames.allCases {
            try await Bench.run {
                $0.unknownNames = mode
                $0.model = .azm4
            } body: { bench in
                let client = try await bench.connect()
                try await client.send(subscribe(["ZoneName_0", "ZoneName_7"], "str", id: 3), keepAlive(id: 4))
                #expect(
                    await client.line() == #"{"jsonrpc":"2.0","error":{"code":-32604,"#
                        + #""message":"Parameter not found: ZoneName_7"},"id":3}"#)
                switch mode {
                case .spoilMessage: break
                case .takeRest: #expect(await client.line()?.contains("Main Bar") == true)
                }
                #expect(await client.line() == alive(id: 4))
            }
        }
    }

    @Test("the keep-alive is answered by TCP and by UDP")
    func keepAliveTwice() async throws {
        try await Bench.run { bench in
            let client = try await bench.connect()
            try await client.send(keepAlive(id: 1))
            #expect(await client.line() == alive(id: 1))
            #expect(await bench.meters.next().text == alive(id: 1) + "\n")
            #expect(try await bench.simulator.statistics().units[0].echoes == 1)
        }
    }

    @Test("each connection gets its own datagrams, at the address it came from, from one steady port")
    func twoConnections() async throws {
        try await Bench.run { bench in
            let elsewhere = try await MeterListener(host: "127.0.0.77", port: bench.meters.port)
            let (first, second) = (try await bench.connect(), try await Client(bench.units[0], from: "127.0.0.77"))
            try await first.send(subscribe(["ZoneMeter_0"]))
            try await second.send(subscribe(["ZoneMeter_1"], "pct"))
            for _ in 0..<3 {
                let (one, other) = (await bench.meters.next(), await elsewhere.next())
                #expect(Array(values(one.text).keys) == ["ZoneMeter_0"])
                #expect(Array(values(other.text, "pct").keys) == ["ZoneMeter_1"])
                #expect(one.from == other.from)
            }
            try await elsewhere.close()
            let statistics = try await bench.simulator.statistics().units[0]
            #expect(statistics.connections.map(\.subscriptions) == [1, 1])
            #expect(statistics.connections.allSatisfy { $0.samples >= 3 })
        }
    }

    @Test("subscriptions end with their connection, and with unsub")
    func subscriptionsEnd() async throws {
        try await Bench.run { bench in
            let (first, second) = (try await bench.connect(), try await bench.connect())
            try await first.send(subscribe(["ZoneMeter_0"]))
            try await second.send(subscribe(["ZoneMeter_1", "ZoneMeter_2"]))
            _ = await bench.values(with: "ZoneMeter_0")
            try await first.close()
            await bench.events.wait {
                if case .disconnected(0, 0) = $0 { true } else { false }
            }
            try await second.send(
                subscribe(["ZoneMeter_2"], method: "unsub", id: 1), subscribe(["SourceMeter_0"], id: 2))
            _ = await bench.values(with: "SourceMeter_0")
            let later = await bench.meters.next { values($0).count == 2 }
            #expect(Set(values(later).keys) == ["ZoneMeter_1", "SourceMeter_0"])
            #expect(try await bench.simulator.statistics().units[0].connections.map(\.isOpen) == [true, false])
        }
    }

    @Test("set and bmp change gains, are told to who subscribed, move the meters and are counted")
    func changes() async throws {
        try await Bench.run { bench in
            let (watcher, controller) = (try await bench.connect(), try await bench.connect())
            try await watcher.send(subscribe(["ZoneGain_0", "RecallScene_2", "ZoneMute_0"]))
            _ = await watcher.line()
            func set(_ method: String, _ name: String, _ value: String) -> String {
                #"{"jsonrpc":"2.0","method":"\#(method)","params":{"param":"\#(name)",\#(value)},"id":1}"#
            }
            for (method, name, value, told) in [
                ("set", "ZoneGain_0", #""val":-12"#, #""val":-12.0}"#),
                ("bmp", "ZoneGain_0", #""val":-100"#, #""val":-80.0}"#),
                ("set", "ZoneGain_0", #""pct":"50""#, #""val":-40.0}"#),
                ("set", "RecallScene_2", #""val":1"#, #""val":1}"#),
                ("set", "RecallScene_2", #""val":1"#, #""val":1}"#),
                ("set", "ZoneMute_0", #""val":1"#, #""val":1}"#),
            ] {
                try await controller.send(set(method, name, value))
                #expect(await watcher.line()?.contains(told) == true)
                #expect(await controller.line()?.contains(#""result":"OK""#) == true)
            }
            try await controller.send(set("set", "ZoneName_0", #""str":"Mine""#), set("set", "ZoneMute_0", #""val":2"#))
            #expect(await controller.line()?.contains("ZoneName_0 is read only") == true)
            #expect(await controller.line()?.contains("ZoneMute_0 cannot have that value") == true)
            try await watcher.send(subscribe(["ZoneMeter_0"]))
            _ = await bench.meters.next { values($0)["ZoneMeter_0"] == "-80.0" }
            let statistics = try await bench.simulator.statistics()
            #expect(statistics.changesAsked == 8)
            let subscribed = ReceivedCommand(method: "sub", parameter: "ZoneGain_0", format: "val")
            #expect(statistics.commands[subscribed] == 1)
        }
    }

    @Test(
        "what is no request is answered with an error and ends nothing",
        arguments: [
            ("nonsense", -32700), ("[]", -32700), (#"{"method":"sing","id":1}"#, -32601),
            (#"{"method":"sub","params":[]}"#, -32602), (#"{"method":"sub","params":{"param":1}}"#, -32602),
            (#"{"method":"sub","params":{"param":"ZoneName_0","fmt":"hex"}}"#, -32602),
        ])
    func badRequests(line: String, code: Int) async throws {
        try await Bench.run { bench in
            let client = try await bench.connect()
            try await client.send(line, keepAlive(id: 9))
            #expect(await client.line()?.contains("\"code\":\(code)") == true)
            #expect(await client.line() == alive(id: 9))
            #expect(try await bench.simulator.statistics().units[0].unreadableLines == 1)
        }
    }

    @Test("the meter port can be changed while it runs, and a port where nobody listens stops nothing")
    func meterPortChanges() async throws {
        try await Bench.run { bench in
            let client = try await bench.connect()
            let elsewhere = try await MeterListener()
            let port = elsewhere.port
            try await elsewhere.close()
            try await bench.simulator.setMeterPort(port)
            try await client.send(subscribe(["ZoneMeter_0"]))
            for id in 1...5 {
                try await client.send(keepAlive(id: id))
                #expect(await client.line() == alive(id: id))
            }
            try await bench.simulator.setMeterPort(bench.meters.port)
            _ = await bench.values(with: "ZoneMeter_0")
            let unit = try await bench.simulator.statistics().units[0]
            #expect(unit.sendErrors[ECONNREFUSED, default: 0] > 0)
            #expect(unit.echoes == 5)
            #expect(unit.unsentDatagrams == 0)
        }
    }
}
