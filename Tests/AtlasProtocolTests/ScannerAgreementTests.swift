import AtlasProtocol
import Testing

/// The scanner may know less than the decoder, but never something else.
@Suite("what the scanner accepts, the decoder reads alike")
struct ScannerAgreementTests {
    private static let corpus: [String] = [
        #"{"jsonrpc":"2.0","method":"update","params":[{"param":"ZoneMeter_0","val":-20.1}]}"#,
        #"{"jsonrpc":"2.0","method":"update","params":{"param":"GroupMeter_11","pct":50}}"#,
        #"{"params":[{"val":-2.01e1,"param":"SourceMeter_13"},{"param":"MixMeter_255","val":0}],"method":"update"}"#,
        #"{"method":"update","params":[{"param":"ZoneMeter_7","val":-80,"pct":0},{"param":"ZoneMeter_1","pct":99.5}]}"#,
        " { \"method\" : \"update\" , \"params\" : [ { \"param\" : \"MixMeter_14\" , \"val\" : -0.000001E+5 } ] } ",
        #"{"jsonrpc":"2.0","method":"getResp","params":[{"param":"KeepAlive","str":"OK"}]}"#,
        #"{"method":"update","params":[{"param":"ZoneMeter_0","val":123456789012345e-22}]}"#,
    ]
    /// What mutation puts in the place of something else: pieces that matter to one reader or the other.
    private static let tokens: [String] = [
        "0", "-0", "00", "-01", "1.", ".5", "+1", "0x1F", "0e5", "0.0E-5", "1e5", "1E-22", "1e23", "1e999", "-1e-400",
        "NaN", "Infinity", "nan",
        "123456789012345", "1234567890123456", "9007199254740993", "1000", "-1000.1", "1e308", "0.1",
        "0.30000000000000004", "1e22", "4.35", "null",
        "true", #""-5""#, "{}", "[]", "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u004d", "/*", "*/", "//", "'", " ",
        "\t", "\r",
        "\n", "\0", "é", #""val":1"#, #""pct":2"#, #""param":"ZoneMeter_3""#, #""method":"update""#,
        #""method":"getResp""#,
        #""id":5"#, #""result":"OK""#, #""error":null"#, #""error":{"code":1}"#, "update", "ZoneMeter_", "Meter",
        "_256", "_00",
        #",{"param":"ZoneMeter_5","val":-5.5}"#, #""params":[]"#, #""str":"x""#, "val", "pct", "param", "jsonrpc",
    ]

    private func mutated(_ random: inout SplitMix64) -> [UInt8] {
        var bytes = Array(random.pick(Self.corpus).utf8)
        for _ in 0..<random.pick([1, 1, 1, 2, 3]) {
            let place = random.below(bytes.count + 1)
            let end = min(bytes.count, place + 1 + random.below(8))
            switch random.below(16) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.below(8))
            case 1 where place < bytes.count: bytes[place] = random.pick(Array("0123456789-.eE, ".utf8))
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4: bytes.insert(contentsOf: random.pick(Self.tokens).utf8, at: place)
            case 5: bytes.replaceSubrange(place..<end, with: random.pick(Self.tokens).utf8)
            case 6...10: insertSpace(&bytes, &random)
            default: swapNumber(&bytes, &random)
            }
        }
        return bytes
    }

    /// White space beside a mark, where most of it is harmless.
    private func insertSpace(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        let marks = bytes.indices.filter { "{}[]:,".utf8.contains(bytes[$0]) }
        guard !marks.isEmpty else { return }
        bytes.insert(
            contentsOf: random.pick([" ", "\t", "\r ", "\n", "\u{B}", "\0"]).utf8,
            at: random.pick(marks) + random.below(2))
    }

    /// Another number where one stands: that keeps the message in the scanner's reach, at the edges of its arithmetic.
    private func swapNumber(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        guard let start = bytes.lastIndex(of: UInt8(ascii: ":")), start + 1 < bytes.count else { return }
        let end = bytes[(start + 1)...].firstIndex { !"0123456789-.eE".utf8.contains($0) } ?? bytes.count
        var digits = (0...random.below(17)).map { _ in "\(random.below(10))" }
        if digits.count > 1, random.below(3) > 0 { digits.insert(".", at: 1 + random.below(digits.count - 1)) }
        let exponent = random.below(3) == 0 ? "e\(random.below(60) - 30)" : ""
        let number = (random.below(2) == 0 ? "-" : "") + digits.joined() + exponent
        bytes.replaceSubrange((start + 1)..<end, with: number.utf8)
    }

    @Test("over 100,000 mutated messages", arguments: [1, 2, 3, 4] as [UInt64])
    func agreement(seed: UInt64) {
        var random = SplitMix64(state: seed)
        var accepted = 0
        for round in 0..<25_000 {
            let bytes = mutated(&random)
            guard let scanned = scan(bytes) else { continue }
            accepted += 1
            let values = decode(bytes)?.message.values ?? []
            let meters = values.filter { Meter(name: $0.name) != nil }
            let readings = meters.compactMap(\.reading)
            let isSame =
                scanned.readings == readings && scanned.otherFormat == meters.count - readings.count
                && values.count == meters.count && decode(bytes)?.unreadableValues == 0
            if !isSame {
                let text = String(decoding: bytes, as: UTF8.self)
                Issue.record("seed \(seed), round \(round): \(text) scanned \(scanned), decoded \(values)")
            }
        }
        // Otherwise the mutations have left the scanner's reach, and this shows nothing.
        #expect(accepted > 2_000, "seed \(seed)")
    }

    @Test("the meters' usual shapes are the scanner's")
    func usualShapes() {
        for text in Self.corpus where !text.contains("KeepAlive") { #expect(scan(Array(text.utf8)) != nil, "\(text)") }
    }

    @Test(
        "what it does not know whole, it leaves whole to the decoder",
        arguments: [
            "", "{}", #"{"method":"update"}"#, #"{"params":{"param":"ZoneMeter_0","val":1}}"#,
            #"{"method":"update","params":[]}"#, #"{"method":"update","params":{"param":"ZoneMeter_0"}}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":"1"}}"#,
            #"{"method":"update","params":{"param":"ZoneGain_0","val":1}}"#,
            #"{"method":"getResp","params":{"param":"ZoneMeter_0","val":1}}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":1},"id":1}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":1,"val":2}}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":01}}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":1.}}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":1e23}}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":0e5}}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":1234567890123456}}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":1000.1}}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":-1e22}}"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":1}} x"#,
            #"{"method":"update","params":{"param":"ZoneMeter_0","val":1}},"#,
        ])
    func declined(_ text: String) { #expect(scan(Array(text.utf8)) == nil) }

    @Test("readings beyond the room are declined, not written")
    func noRoom() {
        let text = #"{"method":"update","params":[{"param":"ZoneMeter_0","val":1},{"param":"ZoneMeter_1","val":2}]}"#
        #expect(scan(Array(text.utf8), room: 2)?.readings.count == 2)
        #expect(scan(Array(text.utf8), room: 1) == nil)
    }
}
