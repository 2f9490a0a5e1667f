import AtlasProtocol
import Testing

@Suite("names of meters")
struct MeterTests {
    @Test("every meter's name reads back as that meter, with a key of its own", arguments: ChannelFamily.allCases)
    func bothWays(_ family: ChannelFamily) {
        for index in UInt8.min...UInt8.max {
            let meter = Meter(family, index)
            #expect(meter.name == "\(family.prefix)Meter_\(index)")
            #expect(Meter(name: meter.name) == meter)
            #expect(meter.family == family && meter.index == Int(index))
            #expect(meter.key == UInt16(family.rawValue) * 256 + UInt16(index))
            #expect(meter.key < Meter.limit)
        }
    }

    @Test(
        "near misses are no meters",
        arguments: [
            "", "Z", "ZoneMeter", "ZoneMeter_", "ZoneMeter_256", "ZoneMeter_999", "ZoneMeter_1000", "ZoneMeter_00",
            "ZoneMeter_01", "ZoneMeter_-1", "ZoneMeter_+1", "ZoneMeter_ 1", "ZoneMeter_1 ", "ZoneMeter_1\0",
            "zoneMeter_1",
            "Zonemeter_1", "ZoneMeters_1", "ZoneGain_1", "ZoneMeter-1", "XoneMeter_1", "MixMeter_", "MixMeter_a",
            "MixMeter_1a",
            "MixMeter_1.", "SourceMeter", "SourceMete_1", "GroupMeter_/", "GroupMeter_:", "SourceMeter_\u{0661}",
            "ZoneMeter_\u{FF11}", "\u{FEFF}ZoneMeter_1", "MixMeter_4294967296", "GroupMeter_65536", "SourceZone_1",
        ])
    func nearMisses(_ name: String) { #expect(Meter(name: name) == nil) }

    @Test("any name with one byte changed is another meter's, or none", arguments: [1, 2] as [UInt64])
    func oneByteChanged(seed: UInt64) {
        var random = SplitMix64(state: seed)
        for _ in 0..<20_000 {
            let meter = Meter(random.pick(ChannelFamily.allCases), UInt8(random.below(256)))
            var bytes = Array(meter.name.utf8)
            let place = random.below(bytes.count)
            let before = bytes[place]
            bytes[place] = UInt8(random.below(256))
            guard bytes[place] != before else { continue }
            let read = bytes.withUnsafeBufferPointer { Meter(name: $0) }
            #expect(read.map { Array($0.name.utf8) } ?? bytes == bytes, "seed \(seed): \(bytes)")
        }
    }

    @Test("only a value in dB is a reading")
    func reading() {
        #expect(ParameterValue.decibels("ZoneMeter_3", -4).reading == Reading(meter: Meter(.zone, 3), level: -4))
        #expect(ParameterValue.decibels("ZoneGain_3", -4).reading == nil)
        #expect(ParameterValue(name: "ZoneMeter_3", value: .percent(50)).reading == nil)
        #expect(ParameterValue.text("ZoneMeter_3", "-4").reading == nil)
    }
}

@Suite("IPv4 addresses")
struct IPv4AddressTests {
    @Test(
        "an address reads back",
        arguments: [
            ("0.0.0.0", 0), ("192.168.5.101", 0xC0A8_0565), ("255.255.255.255", 0xFFFF_FFFF),
            ("127.0.0.1", 0x7F00_0001),
        ]
            as [(String, UInt32)])
    func bothWays(_ text: String, _ bits: UInt32) {
        #expect(IPv4Address(text) == IPv4Address(bits: bits))
        #expect("\(IPv4Address(bits: bits))" == text)
    }

    @Test(
        "near misses are none",
        arguments: [
            "", ".", "...", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "1.1.1.999", "1.1.1.-1",
            "1.1.1.+1",
            " 1.1.1.1", "1.1.1.1 ", "1.1.1.1\n", "0x1.1.1.1", "1.1.1.1a", "1,1,1,1", "0001.1.1.1", "::1", "١.1.1.1",
            "localhost",
        ])
    func nearMisses(_ text: String) { #expect(IPv4Address(text) == nil) }

    @Test("loopback is 127.0.0.0/8 and no more")
    func loopback() {
        for (text, isLoopback) in [
            ("127.0.0.1", true), ("127.255.255.255", true), ("126.255.255.255", false), ("128.0.0.0", false),
        ] { #expect(IPv4Address(text)?.isLoopback == isLoopback) }
    }
}

@Suite("the wait between attempts")
struct BackoffTests {
    private func waits(_ count: Int, seed: UInt64, accepted: Bool) -> [Int64] {
        var backoff = Backoff(seed: seed)
        return (0..<count).map { _ in backoff.next(accepted: accepted).microseconds }
    }

    @Test("0.5, 1, 2, 4, 5, 5 … s, each within 20 % and never above 5 s", arguments: 1...50 as ClosedRange<UInt64>)
    func refused(seed: UInt64) {
        let bases: [Int64] = [500_000, 1_000_000, 2_000_000, 4_000_000] + Array(repeating: 5_000_000, count: 40)
        for (wait, base) in zip(waits(bases.count, seed: seed, accepted: false), bases) {
            #expect(wait >= base * 4 / 5 && wait <= min(base * 6 / 5, 5_000_000), "seed \(seed)")
        }
    }

    @Test(
        "up to 30 s for a unit that accepts and closes, and only while it does",
        arguments: 1...50 as ClosedRange<UInt64>)
    func accepted(seed: UInt64) {
        let bases: [Int64] = [500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, 16_000_000, 30_000_000, 30_000_000]
        for (wait, base) in zip(waits(bases.count, seed: seed, accepted: true), bases) {
            #expect(wait >= base * 4 / 5 && wait <= min(base * 6 / 5, 30_000_000), "seed \(seed)")
        }
        var backoff = Backoff(seed: seed)
        for _ in 0..<20 { _ = backoff.next(accepted: true) }
        #expect(backoff.next(accepted: false) <= .seconds(5))
    }

    @Test("the jitter spreads: a venue's recorders do not knock in step")
    func jitter() {
        let first = Set((1...100).map { waits(1, seed: $0, accepted: false)[0] })
        #expect(first.count > 90)
        #expect(first.min()! < 450_000 && first.max()! > 550_000)
    }

    @Test("a million failures later it still waits 4 to 5 s, and begins anew after a success")
    func forEver() {
        var backoff = Backoff(seed: 1)
        for _ in 0..<1_000_000 { _ = backoff.next(accepted: false) }
        #expect((4_000_000...5_000_000).contains(backoff.next(accepted: false).microseconds))
        backoff.reset()
        #expect((400_000...600_000).contains(backoff.next(accepted: false).microseconds))
    }
}
