import RecorderStore
import Testing

@testable import Configuration

/// A text in, what it says out.
struct SettingsTests {
    @Test("every key is read")
    func everything() throws {
        let settings = try Settings(
            text: """
                store = "/srv/atlas.sqlite"
                meter_port = 3132
                keep_alive = 5
                relay = false

                [[processor]]
                name = "Main Bar"
                host = "192.168.5.101"

                [[processor]]
                host = "patio.local"
                port = 5322
                """)
        #expect(
            settings
                == Settings(
                    store: "/srv/atlas.sqlite", meterPort: 3132, keepAliveSeconds: 5, relays: false,
                    processors: [
                        ProcessorSpec(name: "Main Bar", host: "192.168.5.101", controlPort: 5321),
                        ProcessorSpec(name: "patio.local", host: "patio.local", controlPort: 5322),
                    ]))
    }

    @Test("an empty file says nothing, and that is no fault of its text", arguments: ["", "\n", "# later\n"])
    func empty(text: String) throws { #expect(try Settings(text: text) == Settings()) }

    @Test("both ends of a range are in it", arguments: [(1, 1), (65_535, 300)])
    func ranges(port: Int, seconds: Int) throws {
        let settings = try Settings(text: "meter_port = \(port)\nkeep_alive = \(seconds)")
        #expect(settings.meterPort.map(Int.init) == port && settings.keepAliveSeconds == seconds)
    }

    @Test("lines that end as on Windows, tabs, a list on one line and names in any script are read")
    func otherForms() throws {
        let expected = [ProcessorSpec(name: "Terraza Ñandú 🎵", host: "10.0.0.1", controlPort: 5321)]
        for text in [
            "[[processor]]\r\n\tname\t=\t\"Terraza Ñandú 🎵\"\r\n\thost = '10.0.0.1'\r\n",
            "processor = [{name = \"Terraza Ñandú 🎵\", host = \"10.0.0.1\"}]",
            "[[processor]]\nname = \"Terraza \\u00D1and\\u00FA \\U0001F3B5\"\nhost = \"10.0.0.1\" # the new one",
        ] { #expect(try Settings(text: text).processors == expected) }
    }

    @Test("the command line's values take the place of the file's, its processors that of all of the file's")
    func flagsOverFile() {
        let bar = ProcessorSpec(name: "Bar", host: "10.0.0.1", controlPort: 5321)
        let patio = ProcessorSpec(name: "Patio", host: "10.0.0.2", controlPort: 5321)
        let file = Settings(
            store: "/f.sqlite", meterPort: 1, keepAliveSeconds: 1, relays: true, processors: [bar])
        #expect(Settings().over(file) == file)
        let flags = Settings(
            store: "/c.sqlite", meterPort: 2, keepAliveSeconds: 2, relays: false, processors: [patio])
        #expect(flags.over(file) == flags)
        #expect(Settings(relays: false).over(file).relays == false)
    }
}
