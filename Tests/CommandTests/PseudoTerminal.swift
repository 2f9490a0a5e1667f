import Foundation
import Testing

/// A terminal that a person sits at: a script in Python's words starts a program on a pseudo-terminal, waits for what the
/// screen shows (pyte is the terminal), presses keys.
enum PseudoTerminal {
    static let python = "/usr/bin/python3"
    static let isThere: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", "import pyte"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// Starts a script. It has a class `Terminal` and `PROGRAM`; what it prints is to be waited for.
    static func start(_ script: String, _ arguments: String..., environment: [String: String] = [:]) throws -> Running {
        let variables = ["TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "NO_COLOR": ""].merging(environment) { $1 }
        return try Running(
            ["-c", library + script, Program.path] + arguments, executable: python, environment: variables)
    }

    /// Runs a script to its end, which is to be a good one.
    static func run(_ script: String, _ arguments: String..., environment: [String: String] = [:]) async throws {
        let variables = ["TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "NO_COLOR": ""].merging(environment) { $1 }
        let result = try await Running(
            ["-c", library + script, Program.path] + arguments, executable: python, environment: variables
        ).end()
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    private static let library = """
        import fcntl, os, pty, re, select, signal, struct, sys, termios, time
        import pyte

        PROGRAM, ARGUMENTS = sys.argv[1], sys.argv[2:]

        class Terminal:
            def __init__(self, command, columns=80, rows=24, keys=True):
                self.screen = pyte.Screen(columns, rows)
                self.stream = pyte.ByteStream(self.screen)
                self.raw = b''
                self.master, self.slave = pty.openpty()
                self.set_size(columns, rows)
                self.before = termios.tcgetattr(self.slave)
                self.pid = os.fork()
                if self.pid == 0:
                    os.setsid()
                    fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
                    os.dup2(self.slave if keys else os.open('/dev/null', os.O_RDONLY), 0)
                    os.dup2(self.slave, 1)
                    os.dup2(self.slave, 2)
                    os.closerange(3, 64)
                    os.execvp(command[0], command)

            def set_size(self, columns, rows):
                fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

            def resize(self, columns, rows):
                self.screen.resize(rows, columns)
                self.set_size(columns, rows)

            def read(self):
                if select.select([self.master], [], [], 0.1)[0]:
                    some = os.read(self.master, 65536)
                    self.raw += some
                    self.stream.feed(some)

            @property
            def rows(self):
                return [row.rstrip() for row in self.screen.display]

            def wait(self, condition, what=''):
                # The test's time limit is longer: who waits in vain says what there was instead.
                end = time.monotonic() + 90
                while not condition():
                    if time.monotonic() > end:
                        print('never came:', what, *self.rows, sep='\\n')
                        sys.exit(1)
                    self.read()

            def shows(self, text, row=None):
                def condition():
                    return any(text in shown for shown in (self.rows if row is None else [self.rows[row]]))
                self.wait(condition, text)

            def press(self, keys):
                os.write(self.master, keys.encode())

            def end(self):
                '''Its exit status, or minus the signal's number; all it wrote is read.'''
                while True:
                    pid, status = os.waitpid(self.pid, os.WNOHANG)
                    self.read()
                    if pid:
                        while select.select([self.master], [], [], 0)[0]:
                            self.read()
                        return os.waitstatus_to_exitcode(status)

            def is_as_found(self):
                for on, off in [(b'?1049h', b'?1049l'), (b'?25l', b'?25h'), (b'?7l', b'?7h')]:
                    if not self.raw.rfind(off) > self.raw.rfind(on) >= 0:
                        return False
                return termios.tcgetattr(self.slave) == self.before


        """
}
