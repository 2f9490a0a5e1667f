import ArgumentParser
import Configuration
import Glibc
import Recorder
import RecorderStore

/// What people and scripts see of the program: lines, exit codes.
enum Console {
    /// One line on stdout, at once; whole lines also from several threads.
    static func line(_ text: String, to descriptor: Int32 = STDOUT_FILENO) { _ = write(text + "\n", to: descriptor) }

    /// An answer that somebody asked for. A reader that has seen enough (`| head`) is no failure; a full disk is.
    static func answer(_ text: String) throws {
        let failed = write(text, to: STDOUT_FILENO)
        guard failed == 0 || failed == EPIPE else {
            note("cannot write the answer: \(String(cString: strerror(failed))). Free space, or write it elsewhere.")
            throw ExitCode(1)
        }
    }

    /// One line of many that somebody follows; false if nobody reads any more.
    static func follows(_ text: String) -> Bool { write(text + "\n", to: STDOUT_FILENO) == 0 }
    /// Whether stdout's reader has gone: of a pipe that is seen without writing (poll(2)).
    static var hasReader: Bool {
        var out = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&out, 1, 0) <= 0 || Int32(out.revents) & (POLLERR | POLLNVAL) == 0
    }

    /// A remark on stderr.
    static func note(_ text: String) { _ = write("atlas-recorder: \(text)\n", to: STDERR_FILENO) }

    /// One line on stderr, at once; whole lines also from several threads.
    static func error(_ text: String) { _ = write(text + "\n", to: STDERR_FILENO) }

    /// One line on stderr's terminal that the next one takes the place of; empty: none.
    static func progress(_ text: String) { _ = write("\r\u{1B}[K\(text)", to: STDERR_FILENO) }

    /// 0, or the errno.
    private static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return errno }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return 0
        }
    }

    /// Says what went wrong and gives the exit code that goes with it.
    static func failure(_ error: any Error) -> any Error {
        if error is ExitCode || error is ValidationError || error is CleanExit { return error }
        note("\(error)")
        let cause = error as? StoreError ?? (error as? RecordingEnded)?.cause
        if cause?.kind == .lockHeld { return ExitCode(75) }
        return ExitCode(1)
    }

    /// The store of a command that only reads; where no flag and no variable names it, which one it is is said. Throws where
    /// the configuration file that somebody named cannot be used.
    static func storeToRead(flag: String?) throws -> (path: String, isChosen: Bool) {
        let isNamed = StorePath.named(flag, environment) != nil
        return storeToRead(flag: flag, isNamed ? nil : try ConfigurationArgument.fileToRead(nil))
    }

    /// The same, with what the configuration file says.
    static func storeToRead(flag: String?, _ file: Settings?) -> (path: String, isChosen: Bool) {
        let store = StorePath.forReading(flag: flag, configured: file?.store, environment)
        if !store.isChosen { note("store: \(store.path)") }
        return store
    }

    /// Microseconds since 1970 UTC.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    static func usage(_ error: any Error) -> any Error { ValidationError("\(error)") }

    static var environment: [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let halves = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if halves.count == 2 { result[String(halves[0])] = String(halves[1]) }
            entry += 1
        }
        return result
    }

    /// Colour on a terminal that can show it, unless NO_COLOR is set (no-color.org).
    static var showsColour: Bool {
        let environment = environment
        return isatty(STDOUT_FILENO) == 1 && environment["NO_COLOR", default: ""].isEmpty
            && environment["TERM"] != "dumb"
    }
}
