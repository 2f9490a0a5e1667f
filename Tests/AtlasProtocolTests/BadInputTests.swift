@testable import AtlasProtocol
import Testing

@Suite("bad input costs what is bad, and nothing beside it")
struct BadInputTests {
    /// A good value on either side of a bad one.
    private func around(_ bad: [UInt8]) -> [UInt8] {
        Array(#"{"method":"update","params":[{"param":"ZoneMeter_0","val":-1},"#.utf8) + bad
            + Array(#",{"param":"ZoneMeter_2","val":-3}]}"#.utf8)
    }

    @Test(
        "one bad value is counted and left out",
        arguments: [
            "1e999", "-1e999", "NaN", "Infinity", "-Infinity", "nan", "-nan", "inf", "-inf", "NAN", "INF", "nan(ind)",
            "1.#INF", "-1.#IND", "--5", "1e-", "-21e-", "1e+", "1e", "-", "+", ".", "0x", "0x1F", "1.2.3", "null", "[]",
            "{}", "[1]", #"{"val":1}"#, #""""#, #""loud""#, #""nan""#,
            #""0x10""#,
            #""1e999""#, #""-1,5""#, "1e308", "-1e308", "1e22", "1000.1", "-1001", #""1e308""#, #""-1000.5""#, #"" 1""#,
            "[[[[]]]]", #"{"a":[{"b":[null,{}]}]}"#,
        ])
    func badValue(_ written: String) {
        let datagram = Datagram(around(Array(#"{"param":"ZoneMeter_1","val":\#(written)}"#.utf8)))
        #expect(datagram.readings.map(\.level) == [-1, -3])
        #expect(datagram.content.unreadableValues == 1)
        #expect(datagram.content.unreadableLines == 0)
        #expect(datagram.content.messages == [])
    }

    @Test("a number that JSON spells otherwise is read", arguments: ["+5", ".5e1", "05", "5.", "5.e0", "005.0"])
    func otherSpelling(_ written: String) {
        let datagram = Datagram(around(Array(#"{"param":"ZoneMeter_1","val":\#(written)}"#.utf8)))
        #expect(datagram.readings.map(\.level) == [-1, 5, -3])
        #expect(datagram.content.unreadableValues == 0)
    }

    @Test("a level is within 1,000 dB", arguments: ["1000", "-1e3", #""1000""#, "-999.99"])
    func farLevel(_ written: String) {
        let datagram = Datagram(around(Array(#"{"param":"ZoneMeter_1","val":\#(written)}"#.utf8)))
        #expect(datagram.readings.count == 3)
        #expect(datagram.content.unreadableValues == 0)
    }

    @Test("what is no level may be another parameter's value, or a meter's in another format")
    func farValue() {
        let far = #"{"param":"ZoneGain_1","val":1e308},{"param":"ZoneMeter_1","pct":1e308}"#
        let datagram = Datagram(around(Array(far.utf8)))
        #expect(datagram.readings.map(\.level) == [-1, -3])
        #expect(datagram.content.unreadableValues == 0)
        #expect(datagram.content.otherFormat == 1)
        #expect(datagram.content.messages.count == 1)
    }

    @Test(
        "one parameter that is none is counted and left out",
        arguments: [
            "null", "5", "true", #""ZoneMeter_1""#, "[]", "{}", #"{"val":-2}"#, #"{"param":"ZoneMeter_1"}"#,
            #"{"param":5,"val":-2}"#, #"{"param":null,"val":-2}"#, #"{"param":["ZoneMeter_1"],"val":-2}"#, "nan",
        ])
    func badParameter(_ written: String) {
        let datagram = Datagram(around(Array(written.utf8)))
        #expect(datagram.readings.map(\.level) == [-1, -3])
        #expect(datagram.content.unreadableValues == 1)
    }

    @Test("bytes that are no text spoil only the text they stand in")
    func badText() {
        for byte: UInt8 in [0, 1, 9, 0x1F, 0x7F, 0x80, 0xC0, 0xFF] {
            let name = Array(#"{"param":"ZoneName_1","str":"Ba"#.utf8) + [byte] + Array(#"r"}"#.utf8)
            let datagram = Datagram(around(name))
            #expect(datagram.readings.map(\.level) == [-1, -3], "byte \(byte)")
            // A control character costs the text, other bytes become U+FFFD in it.
            #expect(datagram.content.messages.count + datagram.content.unreadableValues == 1, "byte \(byte)")
            #expect((datagram.content.unreadableValues == 1) == (byte < 0x20), "byte \(byte)")
            let meter = Array(#"{"param":"ZoneMeter_1"#.utf8) + [byte] + Array(#"","val":-2}"#.utf8)
            #expect(Datagram(around(meter)).readings.map(\.level) == [-1, -3], "byte \(byte)")
        }
    }

    @Test("a message ended by NUL, as a C string sent whole, is read")
    func trailingNUL() {
        let message = Array(#"{"method":"update","params":{"param":"ZoneMeter_0","val":-1}}"#.utf8)
        for end: [UInt8] in [[0], [10, 0], [13, 10, 0, 0]] {
            let datagram = Datagram(message + end)
            #expect(datagram.readings == [Reading(meter: Meter(.zone, 0), level: -1)])
            #expect(datagram.content.unreadableLines == 0)
        }
    }

    @Test("a repaired message keeps its texts as they came")
    func repairLeavesTexts() {
        let name = #"{"param":"ZoneName_0","str":"nan \"inf\" \\"}"#
        let text = #"{"method":"update","params":[{"param":"ZoneMeter_0","val":nan},\#(name)]}"#
        #expect(
            decode(text)
                == ParsedMessage(message: .update([.text("ZoneName_0", #"nan "inf" \"#)]), unreadableValues: 1))
    }

    @Test(
        "what is no message is one unreadable line",
        arguments: [
            "{", "}", "\0", "\0\0", "null", "[]", "17", "OK", "\"", "{}{}", "{]", #"{"method":"update""#,
            #"{"method":"update","params":["#,
            #"{"method":"update","params":[{"param":"ZoneMeter_0","val":-1}"#, "{}", #"{"method":"set"}"#, "\u{FEFF}",
            #"{"method":17,"params":[]}"#, "\\", "{\"", #"{"a":"\"#, "GET / HTTP/1.1",
        ])
    func unreadable(_ text: String) {
        let datagram = Datagram(text)
        #expect(datagram.content.unreadableLines == 1)
        #expect(!datagram.content.isFromUnit)
    }

    @Test("nothing at all is nothing", arguments: ["", "\n", "\r\n\r\n", " \t", "\n\0"])
    func nothing(_ text: String) {
        let datagram = Datagram(text)
        #expect(datagram.content.unreadableLines == 0)
        #expect(!datagram.content.isFromUnit)
    }

    @Test("every truncation of a message is unreadable, and never a shorter message")
    func truncation() {
        let message = Array(
            #"{"method":"update","params":[{"param":"ZoneMeter_0","val":-20.1},{"param":"ZoneName_0","str":"é"}]}"#.utf8
        )
        for length in 1..<message.count {
            let content = Datagram(Array(message[..<length])).content
            #expect(content.unreadableLines == 1 && !content.isFromUnit, "the first \(length) bytes")
        }
    }

    @Test(
        "nesting is refused, not followed to the end of the stack",
        arguments: [
            ("", "[", ""), (#"{"method":"update","params":"#, "[", ""), (#"{"a":"#, #"{"a":"#, ""), ("", "[{", ""),
            (#"{"method":"update","params":[{"param":"ZoneMeter_0","val":"#, "[", "}]}"),
            (#"{"error":"#, #"{"error":"#, ""), (#"{"id":"#, "[nan,", ""),
        ])
    func nesting(_ before: String, _ unit: String, _ after: String) {
        let datagram = Datagram(before + String(repeating: unit, count: 100_000) + after)
        #expect(datagram.readings == [])
        #expect(datagram.content.unreadableLines == 1)
    }

    @Test("moderate nesting in a member that nobody reads does no harm")
    func unreadNesting() {
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        let text = #"{"x":\#(deep),"method":"update","params":[{"param":"ZoneMeter_0","val":-1,"y":\#(deep)}]}"#
        #expect(Datagram(text).readings.count == 1)
    }

    @Test("more readings than there is room for are counted, not written")
    func overfull() {
        let one = #"{"param":"MixMeter_0","val":-1}"#
        for line in [one, #"{"param":"MixMeter_0","val":"-1"}"#] {
            let list = Array(repeating: line, count: DatagramReader.capacity + 5).joined(separator: ",")
            let datagram = Datagram(#"{"method":"update","params":[\#(list)]}"#)
            #expect(datagram.readings.count == DatagramReader.capacity)
            #expect(datagram.content.unreadableValues == 5)
            #expect(datagram.content.otherFormat == 0)
        }
    }

    @Test("the largest datagram of the smallest values fits")
    func largestDatagram() {
        let head = #"{"method":"update","params":["#
        let list = Array(repeating: #"{"param":"MixMeter_0","val":0}"#, count: (65_507 - head.utf8.count - 1) / 31)
        let text = head + list.joined(separator: ",") + "]}"
        #expect(text.utf8.count <= 65_507)
        #expect(Datagram(text).readings.count == list.count)
    }

    @Test("random bytes never trap", arguments: [1, 2, 3] as [UInt64])
    func randomBytes(seed: UInt64) {
        var random = SplitMix64(state: seed)
        let reader = DatagramReader()
        let alphabet = Array(#"{}[]",:\ -+.eE0123456789nutrfalsNI"#.utf8) + [0, 10, 13, 0xC3, 0xFF]
        for round in 0..<3_000 {
            let length = random.below(round % 100 == 0 ? 2_000 : 60)
            let bytes = round % 2 == 0 ? random.bytes(length) : (0..<length).map { _ in random.pick(alphabet) }
            let content = Datagram(bytes, reader).content
            #expect(content.readings == 0 && content.otherFormat == 0, "seed \(seed), round \(round)")
        }
    }
}
