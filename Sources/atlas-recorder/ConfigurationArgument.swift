import ArgumentParser
import Configuration
import Glibc

/// Which configuration file a command reads, and how it says what is wrong with it.
enum ConfigurationArgument {
    /// The file that `run` reads; nil: none. One that is only in its usual place is left alone where the command line names
    /// processors.
    static func fileToRun(_ flag: String?, hasProcessors: Bool) throws -> (path: String, settings: Settings)? {
        let environment = Console.environment
        let named = ConfigurationFile.named(flag, environment)
        guard let path = named ?? (hasProcessors ? nil : usual(environment)) else { return nil }
        if flag == nil { Console.note("configuration: \(path)") }
        do throws(ConfigurationFaults) {
            return try (path, Settings(file: path))
        } catch {
            throw refusal(of: path, error)
        }
    }

    /// What the file that `run` would use says, for a command that only looks; nil: there is none. One that somebody named
    /// must be right; one that is only in its usual place is left out, and that is said, where it cannot be used.
    static func fileToRead(_ flag: String?) throws -> Settings? {
        let environment = Console.environment
        let named = ConfigurationFile.named(flag, environment)
        guard let path = named ?? usual(environment) else { return nil }
        do throws(ConfigurationFaults) {
            return try Settings(file: path)
        } catch {
            guard named == nil else {
                show(error, of: path)
                throw ExitCode(1)
            }
            let reason = error.isUnread ? "cannot be read" : "has faults (atlas-recorder config check)"
            Console.note("\(path) \(reason), and is left out; --store and the other flags take its place")
            return nil
        }
    }

    /// The file that is there although nobody named one.
    static func usual(_ environment: [String: String]) -> String? {
        ConfigurationFile.usual(environment).first { access($0, F_OK) == 0 }
    }

    /// Writes every fault on a line of its own, as `FILE:LINE:COLUMN: key: …`.
    static func show(_ faults: ConfigurationFaults, of path: String) {
        for fault in faults.faults { Console.line(fault.line(file: path), to: STDERR_FILENO) }
    }

    /// What ends `run`: 64 where the file is wrong, which no other try mends; 1 where it could not be read.
    static func refusal(of path: String, _ faults: ConfigurationFaults) -> any Error {
        show(faults, of: path)
        Console.note("nothing is recorded. Try the file until it is right: atlas-recorder config check '\(path)'")
        return faults.isUnread ? ExitCode(1) : ExitCode(64)
    }
}
