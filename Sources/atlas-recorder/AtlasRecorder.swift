import ArgumentParser
import Configuration
import Glibc
import Recorder
import WallTime

@main
struct AtlasRecorder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "atlas-recorder",
        abstract: "Records what AtlasIED Atmosphere processors say, and tells afterwards what was up.",
        discussion: """
            Exit codes: 0 done; 1 could not do it or could not tell; 2 what --fail-on asks for was there; \
            64 wrong usage; 75 another recorder holds the store.
            """,
        version: Version.text,
        subcommands: [
            Run.self, ReportCommand.self, WatchCommand.self, Serve.self, Tail.self, PortsCommand.self,
            DoctorCommand.self, CheckCommand.self,
            Backup.self, PruneCommand.self, Rescue.self, ConfigCommand.self, Simulate.self,
        ])

    /// ArgumentParser calls a command that is not there an unexpected argument.
    private static func checkCommand() throws {
        guard let name = Arguments.all.first, !name.hasPrefix("-"), name != "help" else { return }
        let names = configuration.subcommands.map { $0._commandName }
        guard !names.contains(name) else { return }
        throw ValidationError(
            "There is no command '\(name)'.\(Guess.clause(name, among: names)) There are \(names.joined(separator: ", "))."
        )
    }

    /// Every error ends here: an error thrown out of an asynchronous main would end in a trap.
    static func main() async {
        LocalTime.readZone()
        if Arguments.all.first == "run" { RecorderProcess.prepare() }  // before there are other threads
        signal(SIGPIPE, SIG_IGN)  // a reader that goes away must not end the recorder
        signal(SIGXFSZ, SIG_IGN)  // neither must a limit on a file's size: the write fails, and is tried again
        do {
            try checkCommand()
            var command = try parseAsRoot(Arguments.all)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: error)
        }
    }
}

enum Version {
    static let text = "0.1.0"
}
