import Testing
import WallTime

@testable import Recorder

@Suite struct FeedDecoderTests {
    private static func line(
        _ middle: String = #""Main Bar","meter":"ZoneMeter_0","label":"Terrace""#, level: String = "-20.1",
        at: Int64 = 7
    ) -> String {
        #"{"time":"2026-11-22T19:02:47.991+00:00","at_us":\#(at),"processor":\#(middle),"level_db":\#(level)}"#
    }
    private static func decode(_ lines: String...) -> (messages: [FeedMessage], meters: [FeedDecoder.MeterName]) {
        var decoder = FeedDecoder()
        let messages = lines.map { decoder.decode(Array($0.utf8)) }
        return (messages, decoder.meters)
    }
    private typealias Name = FeedDecoder.MeterName

    @Test("each kind of line is read")
    func kinds() {
        let read = Self.decode(
            #"{"feed":1,"recorder":"0.1.0","store":"/var/lib/a.sqlite"}"#,
            #"{"time":"2026-11-22T19:02:47.991+00:00","at_us":5,"processor":"Bar","link":"control","state":"up","cause":null}"#,
            #"{"time":"2026-11-22T19:02:47.991+00:00","at_us":6,"processor":"Bar","link":"meters","state":"down","cause":"EADDRINUSE"}"#,
            Self.line(), #"{"missed":1234}"#, #"{"error":"64 readers are connected: close one"}"#)
        #expect(
            read.messages == [
                .hello(recorder: "0.1.0", store: "/var/lib/a.sqlite"),
                .link(processor: "Bar", link: "control", state: "up", cause: nil, since: 5),
                .link(processor: "Bar", link: "meters", state: "down", cause: "EADDRINUSE", since: 6),
                .value(meter: 0, level: -20.1, at: 7), .missed(1234), .error("64 readers are connected: close one"),
            ])
        #expect(read.meters == [Name(processor: "Main Bar", meter: "ZoneMeter_0", label: "Terrace")])
    }

    @Test("a meter keeps its number, and gets another one with another label")
    func numbers() {
        let other = #""Main Bar","meter":"ZoneMeter_1","label":null"#
        let renamed = #""Main Bar","meter":"ZoneMeter_0","label":"Patio""#
        let read = Self.decode(
            Self.line(), Self.line(other), Self.line(level: "-3", at: 8), Self.line(renamed), Self.line(at: 9))
        #expect(
            read.messages == [
                .value(meter: 0, level: -20.1, at: 7), .value(meter: 1, level: -20.1, at: 7),
                .value(meter: 0, level: -3, at: 8), .value(meter: 2, level: -20.1, at: 7),
                .value(meter: 0, level: -20.1, at: 9),
            ])
        #expect(read.meters.map(\.label) == ["Terrace", nil, "Patio"])
    }

    @Test(
        "any order of members, members more and white space are read alike",
        arguments: [
            #"{"level_db":-20.1,"label":"Terrace","meter":"ZoneMeter_0","processor":"Main Bar","at_us":7,"time":"x"}"#,
            #" { "at_us" : 7 , "processor":"Main Bar","meter":"ZoneMeter_0","label":"Terrace","level_db":-20.1 } "#,
            #"{"time":"x","at_us":7,"processor":"Main Bar","meter":"ZoneMeter_0","label":"Terrace","unit":{"of":["dB",1]},"level_db":-20.1}"#,
            #"{"time":"x","at_us":7,"processor":"Main Bar","meter":"ZoneMeter_0","label":"Terrace","level_db":-20.1,"clips":true}"#,
            #"{"time":"\"at_us\":9","at_us":7,"processor":"Main Bar","meter":"ZoneMeter_0","label":"Terrace","level_db":-2.01e1}"#,
            // Of two the last counts; and only once, not in the next line that begins alike.
            #"{"time":"x","at_us":7,"processor":"Main Bar","meter":"ZoneMeter_0","label":"Terrace","at_us":7,"level_db":-20.1}"#,
        ])
    func order(text: String) {
        let read = Self.decode(Self.line(), text, text)
        #expect(read.messages == Array(repeating: .value(meter: 0, level: -20.1, at: 7), count: 3))
    }

    @Test(
        "names are read back whatever they hold",
        arguments: [
            (#"A \"meter\":\"x\",\"level_db\":3}"#, #"A "meter":"x","level_db":3}"#),
            (#"\\\/\b\f\n\r\t"#, "\\/\u{8}\u{C}\n\r\t"),
            (#"\u00d1and\u00FA"#, "Ñandú"), (#"\ud83c\udf78 Bar"#, "🍸 Bar"), (#"\ud83cx"#, "\u{FFFD}x"),
            (#"\udf78"#, "\u{FFFD}"), (#"\ud83c\n"#, "\u{FFFD}\n"), (#"\ud83c\u0041"#, "\u{FFFD}A"), ("酒吧", "酒吧"),
            ("", ""),
        ])
    func escapes(written: String, name: String) {
        let read = Self.decode(Self.line(#""\#(written)","meter":"ZoneMeter_0","label":"\#(written)""#))
        #expect(read.messages == [.value(meter: 0, level: -20.1, at: 7)])
        // Of scalars: "\u{C}" and others are not told apart by what they look like.
        #expect(Array(read.meters.first?.processor.unicodeScalars ?? "?".unicodeScalars) == Array(name.unicodeScalars))
        #expect(read.meters.first?.label == name)
    }

    @Test(
        "numbers are read as JSON has them, or not at all",
        arguments: [
            ("-80", -80.0), ("0", 0), ("-0.0", 0), ("1e-05", 1e-5), ("-12.25", -12.25),
            ("123456789012345", 123_456_789_012_345),
            ("-0.1234567890123456789", -0.123_456_789_012_345_68), ("2.5E+1", 25),
            ("9007199254740993", 9_007_199_254_740_992),
            ("01", nil), ("-", nil), ("+1", nil), ("1.", nil), (".5", nil), ("1e", nil), ("1e999", nil), ("--1", nil),
            ("", nil),
            ("NaN", nil), ("0x1", nil), ("1 2", nil), ("null", nil), (#""1""#, nil),
        ] as [(String, Double?)])
    func numbers(written: String, number: Double?) {
        // The second time from memory.
        let read = Self.decode(Self.line(), Self.line(level: written), Self.line(level: written))
        let expected = number.map { FeedMessage.value(meter: 0, level: $0, at: 7) } ?? .unreadable
        #expect(read.messages.dropFirst() == [expected, expected])
    }

    @Test(
        "what is no line of the feed is unreadable",
        arguments: [
            "", "{}", "[]", "null", #"{"time":"#, #"{"missed":-1}"#, #"{"missed":1.5}"#,
            #"{"processor":"A","at_us":1}"#,
            #"{"at_us":1e3,"processor":"A","meter":"M","level_db":1}"#,
            #"{"at_us":99999999999999999999,"processor":"A"}"#,
            #"{"processor":null,"at_us":1,"meter":"M","level_db":1}"#, #"{"error":"a"}x"#, #"{"error":"\x"}"#,
            #"{"error":"\u12"}"#,
            "{\"error\":\"a\nb\"}", String(repeating: #"{"a":"#, count: 500), String(repeating: "[", count: 60_000),
        ])
    func unreadable(text: String) {
        #expect(Self.decode(text).messages == [.unreadable])
    }

    @Test(
        "damaged lines do not stop it, and what it remembers changes no line's meaning",
        arguments: [1, 2, 3] as [UInt64])
    func garbage(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        let whole =
            (0..<6).map {
                Self.line(
                    #""Bar","meter":"ZoneMeter_\#($0)","label":"L\\\" \#($0)""#, level: "-\($0).5", at: Int64($0 / 2))
            }
            + [
                #"{"missed":12}"#,
                #"{"time":"x","at_us":5,"processor":"Bar","link":"control","state":"up","cause":null}"#,
            ]
        var decoder = FeedDecoder()
        var readable = 0
        for round in 0..<60_000 {
            var line = Array(whole.randomElement(using: &random)!.utf8)
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let place = Int.random(in: 0..<line.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: line[place] = UInt8.random(in: 0...255, using: &random)
                case 1: line.remove(at: place)
                case 2: line.insert(Array("\"\\,:{}0-.e".utf8).randomElement(using: &random)!, at: place)
                default: line.removeSubrange(place...)
                }
                if line.isEmpty { break }
            }
            let message = decoder.decode(line)
            if message != .unreadable { readable += 1 }
            // A decoder that has read nothing, and a line that is not in the usual order: the careful way.
            var fresh = FeedDecoder()
            let careful = fresh.decode([UInt8(ascii: " ")] + line)
            switch (message, careful) {
            case (.value(let meter, let level, let at), .value(let other, let otherLevel, let otherAt)):
                let isSame = decoder.meters[meter] == fresh.meters[other] && level == otherLevel && at == otherAt
                #expect(isSame, "seed \(seed), round \(round): \(String(decoding: line, as: UTF8.self))")
            default:
                #expect(message == careful, "seed \(seed), round \(round): \(String(decoding: line, as: UTF8.self))")
            }
        }
        #expect(readable > 20_000)
    }
}
