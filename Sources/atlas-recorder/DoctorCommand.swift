import ArgumentParser
import Configuration
import Diagnosis
import Recorder
import RecorderStore
import Reporting

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at everything that a recorder needs, and say what to do about it.",
        discussion: """
            Exits with 0 if all is well, with 1 if something needs attention. Beside a running recorder it takes that one's \
            word from the store: it binds no socket that datagrams may come to, and opens no second connection to a processor.

            Examples:
              atlas-recorder doctor
              atlas-recorder doctor --processor 'Main Bar=192.168.5.101'
              sudo atlas-recorder doctor --format json
            """)

    @Option(
        help: ArgumentHelp(
            "The store (default: $ATLAS_RECORDER_STORE, else the configuration file's, else /var/lib/atlas-recorder/atlas.sqlite, else "
                + "~/.local/state/atlas-recorder/atlas.sqlite).", valueName: "FILE"))
    var store: String?

    @Option(
        help: ArgumentHelp(
            "A processor to look at; repeat for several (default: the configuration file's, else those of the store).",
            valueName: "[NAME=]HOST[:PORT]"))
    var processor: [String] = []

    @Option(
        help: ArgumentHelp(
            "The UDP port that the processors send their meters to (default: the running recorder's, else the "
                + "configuration file's, else 3131).",
            valueName: "PORT"))
    var meterPort: UInt16?

    @Option(help: ArgumentHelp("The configuration file (default: as run).", valueName: "FILE"))
    var config: String?

    @Option(help: ArgumentHelp("text or json.", valueName: "FORMAT"))
    var format: PageFormat = .text

    mutating func validate() throws {
        if store == "" { throw ValidationError("--store '': name a file, or leave the flag out.") }
        guard meterPort != 0 else { throw ValidationError("--meter-port 0: use 1 to 65535.") }
        do {
            _ = try ProcessorSpec.parse(processor)
        } catch {
            throw Console.usage(error)
        }
    }

    func run() async throws {
        do {
            let file = try ConfigurationArgument.fileToRead(config)
            let named = try ProcessorSpec.parse(processor)
            let doctor = Doctor(
                store: Console.storeToRead(flag: store, file).path,
                processors: named.isEmpty ? file?.processors ?? [] : named, meterPort: meterPort,
                configuredPort: file?.meterPort, version: Version.text)
            let examination = await doctor.examine()
            let style = Style(isColoured: Console.showsColour, isUnicode: Style.isUnicode(Console.environment))
            try Console.answer(examination.rendered(as: format, style))
            guard examination.isWell else { throw ExitCode(1) }
        } catch {
            throw Console.failure(error)
        }
    }
}
