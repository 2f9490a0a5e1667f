import Testing

@testable import Reporting
@testable import WallTime

extension TimeSuite {
    @Suite struct TimeReadBackTests {
        static let zones = [
            "America/Chicago", "Europe/Berlin", "UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago",
            "Africa/Monrovia", "Europe/Moscow", "America/Goose_Bay", "Pacific/Apia", "UTC+3", "XYZ-13:45:30",
        ]

        @Test("whatever is printed is read back to the same millisecond", arguments: zones)
        func readBack(zone: String) throws {
            var generator = SeededGenerator(seed: 0x16_30)
            let end = try instant("9999-12-30T00:00:00Z")
            let soon = try instant("2040-01-01T00:00:00Z")
            try inZone(zone) {
                // Around the changes of one zone or another in these years, and anywhere.
                let instants =
                    (0..<2_000).map { _ in Int64.random(in: 0..<soon, using: &generator) }
                    + (0..<500).map { _ in Int64.random(in: 0..<end, using: &generator) }
                    + stride(from: Int64(1_743_800_000_000_000), to: 1_743_920_000_000_000, by: 97_300_037)
                    + stride(from: Int64(1_762_020_000_000_000), to: 1_762_100_000_000_000, by: 97_300_037)
                for instant in instants { try expectReadBack(instant, zone: zone, now: end) }
            }
        }

        private func expectReadBack(_ instant: Int64, zone: String, now: Int64) throws {
            let millisecond = instant - instant % 1_000
            #expect(try since(LocalTime.iso8601(instant), now) == millisecond)
            let local = LocalTime.text(instant)
            switch LocalTime.instants(of: LocalTime.civil(at: millisecond)) {
            case .once(let once):
                #expect(once == millisecond)
                #expect(try since(local, now) == millisecond, "\(local)")
            case .twice(let earlier, let later):
                #expect([earlier, later].contains(millisecond), "\(local)")
                #expect(try since(local, now) == earlier, "\(local)")
                #expect(try until(local, now) == later, "\(local)")
            case .never: Issue.record("\(local) was shown and does not exist")
            }
            if zone != "Europe/Moscow" {  // whose two MSK follow each other
                #expect(try since(LocalTime.textWithZone(instant), now) == millisecond)
            }
        }

        private func since(_ text: String, _ now: Int64) throws -> Int64 {
            try ReportWindow(since: text, until: nil, split: nil, now: now).sinceMicroseconds
        }

        private func until(_ text: String, _ now: Int64) throws -> Int64 {
            try ReportWindow(since: "@0", until: text, split: nil, now: now).untilMicroseconds
        }

        @Test("a window's ends, printed, give the same window again")
        func windowAgain() throws {
            let now = try instant("2025-11-02T12:00:00.000-06:00")
            try inZone("America/Chicago") {
                let window = try ReportWindow(since: "01:30", until: "03:00", split: "02:00", now: now)
                let again = try ReportWindow(
                    since: LocalTime.iso8601(window.sinceMicroseconds),
                    until: LocalTime.textWithZone(window.untilMicroseconds),
                    split: window.splitMicroseconds.map(LocalTime.iso8601), now: now)
                #expect(again.sinceMicroseconds == window.sinceMicroseconds)
                #expect(again.untilMicroseconds == window.untilMicroseconds)
                #expect(again.splitMicroseconds == window.splitMicroseconds)
            }
        }

        @Test("100,000 damaged expressions give a window or a refusal, never a trap", .timeLimit(.minutes(2)))
        func fuzz() throws {
            let seed: UInt64 = 0xEADD_81
            var generator = SeededGenerator(seed: seed)
            let seeds =
                TimeExpression.forms.split(separator: ", ").map { Array($0.utf8.filter { $0 != UInt8(ascii: "'") }) }
                + ["1h30m", "1w2d3h4m5s", "2025-11-02 01:30 CST", "9999-12-31 23:59:59.999999", "-00:44:30"]
                .map { Array($0.utf8) }
            let spice = Array("0123456789:-+.@TZ shmdwago\u{0}\n\u{7F}é٣\u{1F600}".utf8)
            let nows: [Int64] = [0, 1, 1_762_070_400_000_000, 253_402_300_799_999_999, .max, .min]
            var windows = 0
            inZone("America/Chicago") {
                for _ in 0..<100_000 {
                    let text = mutated(seeds, spice, &generator)
                    let other = mutated(seeds, spice, &generator)
                    let now = nows.randomElement(using: &generator) ?? 0
                    do throws(TimeExpressionError) {
                        let flags = [text, other, nil].shuffled(using: &generator)
                        let window = try ReportWindow(since: flags[0], until: flags[1], split: flags[2], now: now)
                        let inside = window.splitMicroseconds.map {
                            $0 > window.sinceMicroseconds && $0 < window.untilMicroseconds
                        }
                        if window.sinceMicroseconds >= window.untilMicroseconds || inside == false {
                            Issue.record("seed \(seed): \(text.debugDescription), \(other.debugDescription)")
                        }
                        windows += 1
                    } catch {
                        if error.description.utf8.count > 1_500 { Issue.record("\(error.description)") }
                    }
                    if let duration = try? DurationExpression.parse(text), duration <= .zero {
                        Issue.record("seed \(seed): \(text.debugDescription) is \(duration)")
                    }
                }
            }
            #expect(windows > 1_000, "too few are still understood for the rest to be near misses")
        }

        /// One of `seeds` with 0 to 4 bytes changed, put in, taken out or repeated, or cut and joined to another.
        private func mutated(_ seeds: [[UInt8]], _ spice: [UInt8], _ generator: inout SeededGenerator) -> String {
            var bytes = seeds.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                let place = Int.random(in: 0...bytes.count, using: &generator)
                let byte = spice.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0...4, using: &generator) {
                case 0: bytes.insert(byte, at: place)
                case 1 where place < bytes.count: bytes[place] = byte
                case 2 where place < bytes.count: bytes.remove(at: place)
                case 3: bytes.insert(contentsOf: bytes.prefix(place), at: place)
                default: bytes = bytes.prefix(place) + (seeds.randomElement(using: &generator) ?? [])
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
