@testable import AtlasProtocol
import Testing

@Suite("a message is read in every form that units send")
struct MessageFormTests {
    private static let zone = ParameterValue.decibels("ZoneMeter_0", -20.1)

    @Test(
        "params is an object or an array, in any order of members, with unknown members and white space",
        arguments: [
            #"{"jsonrpc":"2.0","method":"update","params":[{"param":"ZoneMeter_0","val":-20.1}]}"#,
            #"{"jsonrpc":"2.0","method":"update","params":{"param":"ZoneMeter_0","val":-20.1}}"#,
            #"{"params":[{"val":-20.1,"param":"ZoneMeter_0"}],"method":"update"}"#,
            #"{"method":"update","seq":[1,{}],"params":{"unit":"dB","param":"ZoneMeter_0","val":-20.1},"id":null}"#,
            " {\t\"method\" : \"update\" ,\r \"params\" : [ { \"param\" : \"ZoneMeter_0\" , \"val\" : -20.1 } ] } ",
            "{\"method\":\"update\",\"params\":[{\"param\":\"ZoneMeter_0\",\"val\":-20.1}]}\r",
            #"{"method":"update","params":[{"param":"Zone\u004deter_0","val":-20.1}]}"#,
        ])
    func updates(_ text: String) {
        #expect(decode(text) == ParsedMessage(message: .update([Self.zone]), unreadableValues: 0))
        #expect(Datagram(text).readings == [Reading(meter: Meter(.zone, 0), level: -20.1)])
    }

    @Test(
        "a number is a number however it is written",
        arguments: [
            ("-20", -20.0), ("-20.0", -20), ("-2.01e1", -20.1), ("-201E-1", -20.1), (#""-20.1""#, -20.1), ("0", 0),
            (#""-2.01e1""#, -20.1), ("-0.0", 0), ("12.5", 12.5), ("-80.000000000000001", -80), ("1e-30", 1e-30),
            ("true", 1), ("false", 0), ("-0.1234567890123456789", -0.1234567890123456789),
        ])
    func numbers(_ written: String, _ level: Double) {
        let text = #"{"method":"update","params":[{"param":"ZoneMeter_0","val":\#(written)}]}"#
        #expect(decode(text)?.message == .update([.decibels("ZoneMeter_0", level)]))
        #expect(Datagram(text).readings == [Reading(meter: Meter(.zone, 0), level: level)])
    }

    @Test("a result is OK, or the first values; its id may be missing, a number or a string")
    func results() {
        #expect(decode(#"{"jsonrpc":"2.0","result":"OK","id":7}"#)?.message == .result(id: 7, values: []))
        #expect(decode(#"{"jsonrpc":"2.0","result":"OK"}"#)?.message == .result(id: nil, values: []))
        #expect(decode(#"{"result":"OK","id":"7"}"#)?.message == .result(id: 7, values: []))
        #expect(decode(#"{"result":"OK","id":"seven"}"#)?.message == .result(id: nil, values: []))
        #expect(decode(#"{"result":"OK","id":7.0}"#)?.message == .result(id: 7, values: []))
        #expect(decode(#"{"result":"OK","id":1e300}"#)?.message == .result(id: nil, values: []))
        #expect(decode(#"{"result":"OK","error":null,"id":7}"#)?.message == .result(id: 7, values: []))
        let list = #"{"result":[{"param":"ZoneMeter_0","val":-20.1},{"param":"ZoneMeter_1"}],"id":7}"#
        #expect(
            decode(list) == ParsedMessage(message: .result(id: 7, values: [Self.zone]), unreadableValues: 1))
        #expect(decode(#"{"result":"OK","id":7}"#)?.unreadableValues == 0)
    }

    @Test("the answer to get has params, not result")
    func getResponse() {
        let text = #"{"jsonrpc":"2.0","method":"getResp","params":[{"param":"KeepAlive","str":"OK"}]}"#
        #expect(decode(text)?.message == .getResponse([.text("KeepAlive", "OK")]))
        #expect(Datagram(text).content.messages == [.getResponse([.text("KeepAlive", "OK")])])
        #expect(Datagram(text).content.isFromUnit)
    }

    @Test(
        "an error is a member, a method, a string that holds JSON, or only words",
        arguments: [
            (#"{"jsonrpc":"2.0","error":{"code":-32604,"message":"no"},"id":7}"#, 7, -32604, "no"),
            (#"{"error":{"message":"no","code":"-32604"},"id":"7"}"#, 7, -32604, "no"),
            (#"{"method":"error","params":{"code":-32604,"message":"no"}}"#, nil, -32604, "no"),
            (#"{"method":"error","params":[{"code":-32604,"message":"no"}]}"#, nil, -32604, "no"),
            (#"{"error":"{\"code\":-32604,\"message\":\"no\"}","id":7}"#, 7, -32604, "no"),
            (#"{"result":null,"error":{"code":-32604,"message":"no"},"id":7}"#, 7, -32604, "no"),
            (#"{"error":"busy","id":7}"#, 7, 0, "busy"), (#"{"error":"{busy","id":7}"#, 7, 0, "{busy"),
            (#"{"error":17}"#, nil, 0, ""), (#"{"method":"error"}"#, nil, 0, ""), (#"{"error":{}}"#, nil, 0, ""),
        ] as [(String, Int?, Int, String)])
    func errors(_ text: String, _ id: Int?, _ code: Int, _ message: String) {
        #expect(
            decode(text)
                == ParsedMessage(message: .failure(id: id, code: code, message: message), unreadableValues: 0))
        #expect(Datagram(text).content.messages == [.failure(id: id, code: code, message: message)])
    }

    @Test(
        "names in any script come through unchanged",
        arguments: [
            "Main Bar", "Cafe\u{301}", "Café", "🎷 Jazz 👩🏽‍🎤", "בר ראשי",
            "مقهى", "酒吧", "a\u{200F}b", "𝄞", "", "\u{FFFD}",
        ])
    func names(_ name: String) throws {
        for written in [name, name.utf16.map { "\\u" + String(65_536 + Int($0), radix: 16).dropFirst() }.joined()] {
            let text = #"{"method":"update","params":[{"param":"ZoneName_0","str":"\#(written)"}]}"#
            guard case .update(let values) = try #require(decode(text)).message else {
                Issue.record("\(text) is no update")
                return
            }
            // By scalars: Swift takes canonically equal strings for equal, and here nothing may be normalized.
            guard case .text(let read) = try #require(values.first).value else {
                Issue.record("no text in \(text)")
                return
            }
            #expect(Array(read.unicodeScalars) == Array(name.unicodeScalars), "\(text)")
        }
    }

    @Test("a text under val is a name's value; a number under str is its digits; pct is never a level")
    func formats() {
        #expect(
            decode(#"{"method":"update","params":[{"param":"ZoneName_0","val":"Main Bar"}]}"#)?.message
                == .update([.text("ZoneName_0", "Main Bar")]))
        #expect(
            decode(
                #"{"method":"update","params":[{"param":"SceneName_0","str":17},{"param":"SceneName_1","str":0.5}]}"#)?
                .message == .update([.text("SceneName_0", "17"), .text("SceneName_1", "0.5")]))
        let percent = Datagram(#"{"method":"update","params":{"param":"ZoneMeter_0","pct":50}}"#)
        #expect(percent.readings == [])
        #expect(percent.content.otherFormat == 1)
        #expect(percent.content.isFromUnit)
        let both = Datagram(#"{"method":"update","params":{"param":"ZoneMeter_0","pct":50,"val":-3}}"#)
        #expect(both.readings == [Reading(meter: Meter(.zone, 0), level: -3)])
        #expect(both.content.otherFormat == 0)
    }

    @Test("a datagram holds several messages, the last newline missing, empty lines between")
    func severalMessages() {
        let datagram = Datagram(
            """
            {"method":"update","params":[{"param":"ZoneMeter_0","val":-1},{"param":"ZoneMeter_1","val":"-2"}]}\r

            {"method":"getResp","params":[{"param":"KeepAlive","str":"OK"}]}
            no message
            {"method":"update","params":[{"param":"MixMeter_14","val":-3},{"param":"GroupMeter_2","pct":4}]}
            """)
        #expect(
            datagram.readings == [
                Reading(meter: Meter(.zone, 0), level: -1), Reading(meter: Meter(.zone, 1), level: -2),
                Reading(meter: Meter(.mix, 14), level: -3),
            ])
        #expect(datagram.content.otherFormat == 1)
        #expect(datagram.content.unreadableLines == 1)
        #expect(datagram.content.unreadableValues == 0)
        #expect(datagram.content.messages == [.getResponse([.text("KeepAlive", "OK")])])
    }

    @Test("a message with meters and others gives the readings and is handed on as well")
    func mixedMessage() {
        let datagram = Datagram(
            #"{"method":"update","params":[{"param":"ZoneMeter_0","val":-1},{"param":"ZoneGain_0","val":-9}]}"#)
        #expect(datagram.readings.count == 1)
        #expect(datagram.content.messages == [.update([.decibels("ZoneMeter_0", -1), .decibels("ZoneGain_0", -9)])])
    }
}
