import Testing

@testable import Configuration

/// A text in, what is wrong with it out, in the very words.
struct FaultTests {
    private func faults(_ text: String) -> [String] {
        do throws(ConfigurationFaults) {
            _ = try Settings(text: text)
            return []
        } catch {
            return error.faults.map { $0.line(file: "f") }
        }
    }

    @Test("all that is wrong is said at once, each with its key and what would be right")
    func allAtOnce() {
        let text = """
            keep_alive = "10s"
            meter_port = 99999
            relay = "yes"
            store = "atlas.sqlite"
            retention = 3
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
                "f: store: 'atlas.sqlite' depends on where run was started; write the whole path, from / on",
                "f: meter_port: is 99999; write a whole number from 1 to 65535",
                "f: keep_alive: is the text \"10s\"; write a whole number of seconds from 1 to 300, without quotes: keep_alive = 10",
                "f: relay: is the text \"yes\"; write true or false, without quotes",
                "f: processor[1].port: is the text \"5321\"; write a whole number from 1 to 65535, without quotes: port = 5321",
                "f: processor[2].host: the port is a key of its own; write host = \"10.0.0.2\" and port = 5322",
                "f: processor[2].store: is of the whole file: put it above the first [[processor]]",
                "f: processor[3].host: is missing; write host = \"192.168.5.101\"",
                "f: processor[3].ip: there is no such key. Did you mean 'host'?",
                "f: processor[4].port: is 1.5; write a whole number from 1 to 65535: port = 5321",
                "f: processor[4].name: another processor is called 'A' already; give each its own",
                "f: processor[4].\"odd key\": there is no such key; the keys of a processor are name, host, port",
                "f: host: is a processor's: put it below a [[processor]]",
                "f: keepalive: there is no such key. Did you mean 'keep_alive'?",
                "f: retention: there is no such key; the keys of the file are store, meter_port, keep_alive, relay, processor",
            ])
    }

    @Test(
        "a value of another kind is named with what to write",
        arguments: [
            (
                "[processor]\nhost = \"a\"",
                "processor: is one table; begin each with the line [[processor]], in two pairs of brackets"
            ),
            (
                "[processor.bar]\nhost = \"a\"",
                "processor: is one table; begin each with the line [[processor]], in two pairs of brackets"
            ),
            (
                "processor = \"a\"",
                "processor: is the text \"a\"; begin each with the line [[processor]], in two pairs of brackets"
            ),
            (
                "processor = [\"a\"]",
                "processor[1]: is the text \"a\"; begin each with the line [[processor]], in two pairs of brackets"
            ),
            ("[[processors]]\nhost = \"a\"", "processors: there is no such key. Did you mean 'processor'?"),
            ("Store = \"/a\"", "Store: there is no such key. Did you mean 'store'?"),
            ("keep_alive = 0", "keep_alive: is 0; write a whole number of seconds from 1 to 300"),
            ("keep_alive = 301", "keep_alive: is 301; write a whole number of seconds from 1 to 300"),
            (
                "keep_alive = 10.0",
                "keep_alive: is 10.0; write a whole number of seconds from 1 to 300: keep_alive = 10"
            ),
            (
                "keep_alive = 2025-01-01",
                "keep_alive: is a date or time; write a whole number of seconds from 1 to 300: keep_alive = 10"
            ),
            ("relay = 1", "relay: is 1; write true or false, without quotes"),
            ("[relay]\nenabled = true", "relay: is a table; write true or false, without quotes"),
            ("store = \"\"", "store: is empty; for example: store = \"/var/lib/atlas-recorder/atlas.sqlite\""),
            ("store = \"~/a.sqlite\"", "store: '~' is nobody's folder here; write the whole path, from / on"),
            ("store = \"/srv/\"", "store: is a folder; name a file in it: \"/srv/atlas.sqlite\""),
            ("store = [1]", "store: is a list; write text in quotes: store = \"/var/lib/atlas-recorder/atlas.sqlite\""),
        ])
    func otherKinds(text: String, says: String) { #expect(faults(text) == ["f: \(says)"]) }

    @Test(
        "a processor that cannot be recorded is named",
        arguments: [
            ("host = \"10.0.0\"", "host: '10.0.0' is no IPv4 address"),
            ("host = \"fe80::1\"", "host: an IPv6 address cannot be used, the units speak IPv4"),
            ("host = \"main bar\"", "host: 'main bar' is no host name"),
            ("host = \"a\"\nname = \" \"", "name: is empty; write a name, or leave the key out"),
            (
                "host = \"a\"\nname = \"a\\nb\"",
                "name: has a control character, such as a new line or a tab; write a name of one line"
            ),
            ("host = \"a\"\nport = 0", "port: is 0; write a whole number from 1 to 65535"),
            (
                "host = \"a\"\n[processor.more]\nx = 1",
                "more: there is no such key; the keys of a processor are name, host, port"
            ),
        ])
    func processors(keys: String, says: String) {
        #expect(faults("[[processor]]\n" + keys) == ["f: processor[1].\(says)"])
    }

    @Test("two processors on one host are refused: meters are told apart by it")
    func oneHost() {
        let text = "[[processor]]\nname = \"A\"\nhost = \"a\"\n[[processor]]\nname = \"B\"\nhost = \"a\"\nport = 5322"
        #expect(faults(text) == ["f: processor[2].host: 'A' has the same host, and meters are told apart by it"])
    }
}
