import RecorderStore
import Testing

@testable import Configuration

/// `[retention]`, and what a unit is subscribed to.
struct RetentionSettingsTests {
    @Test("what is left out is as without the table; nothing is said without it")
    func partly() throws {
        #expect(try Settings(text: "").retention == nil)
        #expect(try Settings(text: "[retention]").retention == .default)
        var expected = Retention.default
        expected.samples = 14 * Retention.day
        #expect(try Settings(text: "[retention]\nsamples = \"2w\"").retention == expected)
    }

    @Test("every key is read")
    func everything() throws {
        let text = "[retention]\nsamples = \"36h\"\nminutes = \"2y\"\nevents = \"10 years\"\nsize = \"20GB\""
        #expect(
            try Settings(text: text).retention
                == Retention(
                    samples: 36 * 3_600_000_000, minutes: 2 * Retention.year, events: 10 * Retention.year,
                    size: 20_000_000_000))
        let forever =
            "retention = {samples = \"forever\", minutes = \"Forever\", events = \"forever\", size = \"2GiB\"}"
        #expect(
            try Settings(text: forever).retention
                == Retention(samples: nil, minutes: nil, events: nil, size: 2 << 30))
    }

    @Test(
        "what cannot be kept like that is refused, with the reason",
        arguments: [
            (
                "samples = 90",
                "2:11: retention.samples: is 90; write text in quotes: samples = \"90d\""
            ),
            (
                "samples = \"90x\"",
                "2:11: retention.samples: '90x' cannot be used: no length of time that is known here; these work: 36h, 90d, 12w, 5y, forever"
            ),
            (
                "samples = \"0d\"",
                "2:11: retention.samples: '0d' cannot be used: it is no time at all; these work: 36h, 90d, 12w, 5y, forever"
            ),
            (
                "events = \"200y\"",
                "2:10: retention.events: '200y' cannot be used: it is more than 99 years; write forever; these work: 36h, 90d, 12w, 5y, forever"
            ),
            (
                "samples = \"30m\"",
                "2:11: retention.samples: 30m is under an hour; minutes and hours are counted from samples: write 1h or more"
            ),
            (
                "samples = \"10y\"",
                "2:11: retention.samples: 10y is longer than minutes, 5y: minutes are what is left when samples are gone; write minutes = \"10y\" or longer"
            ),
            (
                "minutes = \"1d\"",
                "2:11: retention.minutes: 1d is shorter than samples, 90d: minutes are what is left when samples are gone; write 90d or longer"
            ),
            (
                "minutes = \"forever\"\nevents = \"1y\"",
                "2:11: retention.minutes: forever is longer than events, 1y: events say which time is unknown, and what a meter was called; write events = \"forever\" or longer"
            ),
            (
                "size = \"5MB\"",
                "2:8: retention.size: '5MB' is no size: a store needs 10 MB at least, 5 of them for its write-ahead log; use 500MB, 20GB, 1.5TB, 512MiB"
            ),
            (
                "size = \"20 apples\"",
                "2:8: retention.size: '20 apples' is no size: the units are KB, MB, GB, TB, KiB, MiB, GiB, TiB; use 500MB, 20GB, 1.5TB, 512MiB"
            ),
            ("sampels = \"90d\"", "2:1: retention.sampels: there is no such key. Did you mean 'samples'?"),
            ("relay = true", "2:1: retention.relay: is of the whole file: put it above [retention]"),
        ])
    func refused(keys: String, says: String) { #expect(faults("[retention]\n" + keys) == ["f:\(says)"]) }

    @Test("a list of parameters is read, with and without meters")
    func subscriptions() throws {
        let units = try Settings(
            text: """
                [[processor]]
                host = "a"
                subscriptions = ["ZoneMeter_*", "SourceMeter_0"]
                [[processor]]
                host = "b"
                meters = false
                [[processor]]
                host = "c"
                """
        ).processors
        #expect(units.map(\.subscriptions.patterns) == [["ZoneMeter_*", "SourceMeter_0"], nil, nil])
        #expect(units.map(\.subscriptions.hasMeters) == [true, false, true])
    }

    @Test(
        "a parameter that no unit has is refused with the one that was meant",
        arguments: [
            (
                "subscriptions = \"ZoneMeter_*\"",
                "3:17: processor[1].subscriptions: is the text \"ZoneMeter_*\"; write a list of texts: subscriptions = [\"ZoneMeter_*\"]"
            ),
            (
                "subscriptions = []",
                "3:17: processor[1].subscriptions: is an empty list; leave the key out, or write a list of texts: subscriptions = [\"ZoneMeter_*\"]"
            ),
            (
                "subscriptions = [\"ZoneMetre_*\"]",
                "3:18: processor[1].subscriptions[1]: no unit has a parameter 'ZoneMetre_*'. Did you mean 'ZoneMeter_*'?"
            ),
            (
                "subscriptions = [\"*\", \"zonegain_0\"]",
                "3:23: processor[1].subscriptions[2]: no unit has a parameter 'zonegain_0'. Did you mean 'ZoneGain_0'?"
            ),
            (
                "subscriptions = [\"ZoneMeter_99\"]",
                "3:18: processor[1].subscriptions[1]: no unit has a parameter 'ZoneMeter_99'. Did you mean 'ZoneMeter_*'?"
            ),
            (
                "subscriptions = [3]",
                "3:18: processor[1].subscriptions[1]: is 3; write a list of texts: subscriptions = [\"ZoneMeter_*\"]"
            ),
            (
                "subscriptions = [\"loud\"]",
                "3:18: processor[1].subscriptions[1]: no unit has a parameter 'loud'. For example: ZoneMeter_*"
            ),
            (
                "subscriptions = [\"ZoneMeter_*\"]\nmeters = false",
                "4:10: processor[1].meters: leaves nothing to subscribe to: subscriptions has only meters; leave one of the two out"
            ),
        ])
    func refusedPatterns(keys: String, says: String) {
        #expect(faults("[[processor]]\nhost = \"a\"\n\(keys)") == ["f:\(says)"])
    }
}
