import Testing

@testable import Configuration

/// A text in, what is wrong with it out, in the very words.
struct FaultTests {
    @Test("all that is wrong is said at once, each with its key and what would be right")
    func allAtOnce() {
        let text = """
            keep_alive = "10s"
            meter_port = 99999
            relay = "yes"
            store = "atlas.sqlite"
            color = 3
            keepalive = 3
            host = "10.0.0.9"

            [[processor]]
            name = "A"
            host = "10.0.0.1"
            port = "5321"

            [[processor]]
            name = "A"
            host = "10.0.0.2:5322"
            store = "/x.sqlite"

            [[processor]]
            ip = "10.0.0.1"

            [[processor]]
            name = "A"
            host = "10.0.0.1"
            port = 1.5
            "odd key" = 1
            """
        #expect(
            faults(text) == [
                "f:1:14: keep_alive: is the text \"10s\"; write a whole number of seconds from 1 to 300, without quotes: keep_alive = 10",
                "f:2:14: meter_port: is 99999; write a whole number from 1 to 65535",
                "f:3:9: relay: is the text \"yes\"; write true or false, without quotes",
                "f:4:9: store: 'atlas.sqlite' depends on where run was started; write the whole path, from / on",
                "f:5:1: color: there is no such key; the keys of the file are store, meter_port, keep_alive, relay, retention, http, processor",
                "f:6:1: keepalive: there is no such key. Did you mean 'keep_alive'?",
                "f:7:1: host: is a processor's: put it below a [[processor]]",
                "f:12:8: processor[1].port: is the text \"5321\"; write a whole number from 1 to 65535, without quotes: port = 5321",
                "f:16:8: processor[2].host: the port is a key of its own; write host = \"10.0.0.2\" and port = 5322",
                "f:17:1: processor[2].store: is of the whole file: put it above the first [[processor]]",
                "f:19:3: processor[3].host: is missing; write host = \"192.168.5.101\"",
                "f:20:1: processor[3].ip: there is no such key. Did you mean 'host'?",
                "f:23:8: processor[4].name: another processor is called 'A' already; give each its own",
                "f:25:8: processor[4].port: is 1.5; write a whole number from 1 to 65535: port = 5321",
                "f:26:1: processor[4].\"odd key\": there is no such key; the keys of a processor are name, host, port, subscriptions, meters",
            ])
    }

    @Test(
        "a value of another kind is named with what to write",
        arguments: [
            (
                "[processor]\nhost = \"a\"",
                "2: processor: is one table; begin each with the line [[processor]], in two pairs of brackets"
            ),
            (
                "[processor.bar]\nhost = \"a\"",
                "2: processor: is one table; begin each with the line [[processor]], in two pairs of brackets"
            ),
            (
                "processor = \"a\"",
                "13: processor: is the text \"a\"; begin each with the line [[processor]], in two pairs of brackets"
            ),
            (
                "processor = [\"a\"]",
                "14: processor[1]: is the text \"a\"; begin each with the line [[processor]], in two pairs of brackets"
            ),
            ("[[processors]]\nhost = \"a\"", "3: processors: there is no such key. Did you mean 'processor'?"),
            ("Store = \"/a\"", "1: Store: there is no such key. Did you mean 'store'?"),
            ("keep_alive = 0", "14: keep_alive: is 0; write a whole number of seconds from 1 to 300"),
            ("keep_alive = 301", "14: keep_alive: is 301; write a whole number of seconds from 1 to 300"),
            (
                "keep_alive = 10.0",
                "14: keep_alive: is 10.0; write a whole number of seconds from 1 to 300: keep_alive = 10"
            ),
            (
                "keep_alive = 2025-01-01",
                "14: keep_alive: is a date or time; write a whole number of seconds from 1 to 300: keep_alive = 10"
            ),
            ("relay = 1", "9: relay: is 1; write true or false, without quotes"),
            ("[relay]\nenabled = true", "2: relay: is a table; write true or false, without quotes"),
            ("store = \"\"", "9: store: is empty; for example: store = \"/var/lib/atlas-recorder/atlas.sqlite\""),
            ("store = \"~/a.sqlite\"", "9: store: '~' is nobody's folder here; write the whole path, from / on"),
            ("store = \"/srv/\"", "9: store: is a folder; name a file in it: \"/srv/atlas.sqlite\""),
            (
                "store = [1]",
                "9: store: is a list; write text in quotes: store = \"/var/lib/atlas-recorder/atlas.sqlite\""
            ),
        ])
    func otherKinds(text: String, says: String) { #expect(faults(text) == ["f:1:\(says)"]) }

    @Test(
        "a processor that cannot be recorded is named",
        arguments: [
            ("host = \"10.0.0\"", "2:8", "host: '10.0.0' is no IPv4 address"),
            ("host = \"fe80::1\"", "2:8", "host: an IPv6 address cannot be used, the units speak IPv4"),
            ("host = \"main bar\"", "2:8", "host: 'main bar' is no host name"),
            ("host = \"a\"\nname = \" \"", "3:8", "name: is empty; write a name, or leave the key out"),
            (
                "host = \"a\"\nname = \"a\\nb\"",
                "3:8", "name: has a control character, such as a new line or a tab; write a name of one line"
            ),
            ("host = \"a\"\nport = 0", "3:8", "port: is 0; write a whole number from 1 to 65535"),
            (
                "host = \"a\"\n[processor.more]\nx = 1",
                "3:12",
                "more: there is no such key; the keys of a processor are name, host, port, subscriptions, meters"
            ),
        ])
    func processors(keys: String, place: String, says: String) {
        #expect(faults("[[processor]]\n" + keys) == ["f:\(place): processor[1].\(says)"])
    }

    @Test("two processors on one host are refused: meters are told apart by it")
    func oneHost() {
        let text = "[[processor]]\nname = \"A\"\nhost = \"a\"\n[[processor]]\nname = \"B\"\nhost = \"a\"\nport = 5322"
        #expect(faults(text) == ["f:6:8: processor[2].host: 'A' has the same host, and meters are told apart by it"])
    }
}
