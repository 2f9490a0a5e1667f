import Testing

@testable import Reporting

@Suite struct FindingTests {
    private static let hour: Int64 = 3_600_000_000
    private static func tally(_ count: Int64, hours: Double, recorded: Double? = nil, quiet: Double = 0) -> Tally {
        Tally(
            count: count, recorded: Int64((recorded ?? hours) * 3_600e6), window: Int64(hours * 3_600e6),
            longestQuiet: Int64(quiet * 3_600e6))
    }

    private static let carried = Tally(count: 0, recorded: 2 * hour, window: 2 * hour, isCarriedOver: true)

    @Test(
        "what before and after say together",
        arguments: [
            (tally(0, hours: 2), tally(0, hours: 2), Finding.none),
            (tally(360, hours: 2, quiet: 0.15), tally(0, hours: 2), .gone),
            // Not longer than before, not half recorded, too few to be expected.
            (tally(360, hours: 2, quiet: 0.15), tally(0, hours: 0.15), .tooShort(longestQuiet: 540_000_000)),
            (tally(360, hours: 2), tally(0, hours: 1.0 / 60), .tooShort(longestQuiet: 60_000_000)),
            (tally(360, hours: 2), tally(0, hours: 1.01 / 60), .gone),
            (tally(360, hours: 2, quiet: 0.15), tally(0, hours: 2, recorded: 0.99), .littleRecorded),
            (tally(360, hours: 2, quiet: 0.15), tally(0, hours: 2, recorded: 1), .gone),
            (tally(1, hours: 2, quiet: 1), tally(0, hours: 2), .tooFew(expected: 1)),
            (tally(1, hours: 2, quiet: 1), tally(0, hours: 6), .gone),
            (tally(360, hours: 2), carried, .lingering), (tally(0, hours: 2), carried, .lingering),
            (tally(0, hours: 2), tally(1, hours: 2), .new),
            (tally(360, hours: 2), tally(36, hours: 2), .fewer), (tally(36, hours: 2), tally(360, hours: 2), .more),
            (tally(4, hours: 2), tally(3, hours: 1.5), .same), (tally(100, hours: 1), tally(201, hours: 2), .same),
            (tally(100, hours: 1), tally(150, hours: 2), .fewer),
            (tally(0, hours: 2, recorded: 0), tally(0, hours: 2), .notRecordedBefore),
            (tally(0, hours: 2, recorded: 0), tally(9, hours: 2), .notRecordedBefore),
            (tally(9, hours: 2), tally(0, hours: 2, recorded: 0), .notRecordedAfter),
            (tally(0, hours: 2, recorded: 0), tally(0, hours: 2, recorded: 0), .notRecordedAfter),
        ])
    func finding(before: Tally, after: Tally, wanted: Finding) {
        #expect(Finding(before: before, after: after) == wanted)
    }

    @Test("only an answer that is a proof says gone, and each says how many")
    func words() {
        let (before, none) = (Self.tally(360, hours: 2, quiet: 0.15), Self.tally(0, hours: 2))
        func said(_ before: Tally, _ after: Tally) -> String {
            Finding(before: before, after: after).sentence(before: before, after: after).joined(separator: " ")
        }
        #expect(
            said(before, none)
                == "gone: 360 before (180 an hour), none in the 2h 0m recorded after (before, the longest time without was 9m 0s)"
        )
        #expect(
            said(before, Self.tally(0, hours: 0.1))
                == "too early to tell: 360 before (180 an hour), none in the 6m 0s recorded after (before, too, up to 9m 0s passed without)"
        )
        #expect(said(before, Self.tally(0, hours: 2, recorded: 0)).hasPrefix("could not tell: 360 before"))
        #expect(said(Self.tally(1, hours: 24), none).contains("0.08 would have come at the old rate, 3 are wanted"))
    }

    @Test(
        "rates have three digits",
        arguments: [
            (0.0, "0"), (0.001, "under 0.01"), (0.0168, "0.02"), (0.5, "0.5"), (1, "1"), (1.994, "1.99"),
            (9.994, "9.99"),
            (9.995, "10"), (12.34, "12.3"), (99.94, "99.9"), (99.95, "100"), (180, "180"), (1_234.5, "1,235"),
        ])
    func rates(value: Double, wanted: String) { #expect(Rate.text(value) == wanted) }
}
