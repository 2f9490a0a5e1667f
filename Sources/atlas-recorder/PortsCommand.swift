import ArgumentParser
import Configuration
import Diagnosis
import Recorder
import Reporting

struct PortsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports",
        abstract: "Tell who is on the meters' UDP port, who of them gets the datagrams, and why.",
        discussion: """
            Needs no recorder and no store, and takes nothing from anybody. To name other users' programs it needs their \
            rights: sudo atlas-recorder ports.

            Examples:
              atlas-recorder ports
              sudo atlas-recorder ports --format json
            """)

    @Option(
        help: ArgumentHelp(
            "The UDP port that the processors send their meters to (default: the configuration file's, else 3131).",
            valueName: "PORT"))
    var port: UInt16?

    @Option(help: ArgumentHelp("The TCP port of the processors' third-party control.", valueName: "PORT"))
    var controlPort: UInt16 = 5321

    @Option(help: ArgumentHelp("text or json.", valueName: "FORMAT"))
    var format: PageFormat = .text

    mutating func validate() throws {
        guard port != 0 else { throw ValidationError("--port 0: use 1 to 65535.") }
        guard controlPort > 0 else { throw ValidationError("--control-port 0: use 1 to 65535.") }
    }

    func run() throws {
        do {
            let file = port == nil ? try ConfigurationArgument.fileToRead(nil) : nil
            let picture = try PortLook.look(
                port: port ?? file?.meterPort ?? Settings.defaultMeterPort, controlPort: controlPort)
            let style = Style(isColoured: Console.showsColour, isUnicode: Style.isUnicode(Console.environment))
            try Console.answer(picture.rendered(as: format, style))
        } catch {
            throw Console.failure(error)
        }
    }
}

extension PageFormat: ExpressibleByArgument {}
