import Testing

@testable import Configuration

/// `[http]`.
struct PageSettingsTests {
    @Test("every key is read; without the table nothing is said")
    func everything() throws {
        #expect(try Settings(text: "").page == nil)
        let page = try Settings(
            text: """
                [http]
                listen = "0.0.0.0:8131"
                token_file = "/etc/atlas.token"
                hosts = ["atlas.example.org", "bar"]
                """
        ).page
        #expect(
            page
                == PageSettings(
                    listen: ListenAddress("0.0.0.0:8131"), tokenFile: "/etc/atlas.token",
                    hosts: ["atlas.example.org", "bar"]))
        #expect(page?.words == "http://0.0.0.0:8131/, token in /etc/atlas.token, as atlas.example.org, bar")
    }

    @Test(
        "an address has a port",
        arguments: [
            ("127.0.0.1:8131", "127.0.0.1:8131", true), ("LocalHost:0", "127.0.0.1:0", true),
            ("127.9.8.7:1", "127.9.8.7:1", true), ("[::1]:65535", "[::1]:65535", true),
            ("192.168.5.9:80", "192.168.5.9:80", false), ("[::]:80", "[::]:80", false), ("[::2]:80", "[::2]:80", false),
        ])
    func addresses(written: String, read: String, isLoopback: Bool) throws {
        let address = try #require(ListenAddress(written))
        #expect(address.text == read && address.isLoopback == isLoopback)
    }

    @Test(
        "what is none is not taken for one",
        arguments: [
            "", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+80", "127.0.0.1:-1", " 127.0.0.1:80",
            "127.0.0.1\n:80", "127.0.0.1\0:80", "127.evil.example:80", "bar:80", "::1", "::1:80", "[127.0.0.1]:80",
            "[::1]80", "http://127.0.0.1:80", "127.1:80",
        ])
    func noAddresses(text: String) { #expect(ListenAddress(text) == nil) }

    @Test(
        "what cannot be served like that is refused, with what can",
        arguments: [
            ("", "1:2: http.listen: is missing; write listen = \"127.0.0.1:8131\""),
            ("listen = 8131", "2:10: http.listen: is 8131; write text in quotes: listen = \"127.0.0.1:8131\""),
            (
                "listen = \"127.0.0.1\"",
                "2:10: http.listen: '127.0.0.1' is no address with a port up to 65535; write 127.0.0.1:8131"
            ),
            (
                "listen = \"127.0.0.1:65536\"",
                "2:10: http.listen: '127.0.0.1:65536' is no address with a port up to 65535; write 127.0.0.1:8131"
            ),
            ("listen = \"[::1]:0\"", "2:10: http.listen: port 0 is another one at each start; write 127.0.0.1:8131"),
            (
                "listen = \"http://127.0.0.1:80\"",
                "2:10: http.listen: 'http://127.0.0.1:80' is no address with a port up to 65535; write 127.0.0.1:8131"
            ),
            (
                "listen = \"0.0.0.0:8131\"",
                "2:10: http.listen: can be reached from other machines; add token_file = \"/etc/atlas-recorder.token\", or listen on 127.0.0.1 and let a proxy that asks for a password pass requests on"
            ),
            (
                "listen = \"0.0.0.0:8131\"\ntoken_file = \"token\"",
                "3:14: http.token_file: 'token' depends on where run was started; write the whole path, from / on"
            ),
            (
                "listen = \"127.0.0.1:1\"\nhosts = [\"http://bar/\"]",
                "3:10: http.hosts[1]: 'http://bar/' is no name of a host; write it without http:// and port"
            ),
            (
                "listen = \"127.0.0.1:1\"\ntoken = \"/x\"",
                "3:1: http.token: there is no such key. Did you mean 'token_file'?"
            ),
        ])
    func refused(keys: String, says: String) { #expect(faults("[http]\n" + keys) == ["f:\(says)"]) }

    @Test("the command line's values take the place of the file's, each for itself")
    func flagsOverFile() {
        let file = Settings(page: PageSettings(listen: ListenAddress("127.0.0.1:1"), hosts: ["a"]))
        #expect(Settings().over(file).page == file.page && Settings(page: PageSettings()).over(file).page == file.page)
        let flags = Settings(page: PageSettings(listen: ListenAddress("0.0.0.0:2")))
        let both = flags.over(file).page
        #expect(both == PageSettings(listen: ListenAddress("0.0.0.0:2"), hosts: ["a"]) && both?.isUnguarded == true)
        #expect(flags.over(Settings(page: PageSettings(tokenFile: "/t"))).page?.isUnguarded == false)
    }
}
