import Foundation
import Testing

/// `watch` stopped and continued, by a shell and without one.
extension WatchTests {
    @Test("Ctrl-C ends it, Ctrl-Z gives the shell back, and fg the page")
    func shell() async throws {
        let bench = try await Bench()
        try await PseudoTerminal.run(
            """
            os.environ['PS1'] = 'shell> '
            terminal = Terminal(['bash', '--norc', '--noprofile', '-i'])
            terminal.shows('shell>')
            terminal.press(f"'{PROGRAM}' watch --store '{ARGUMENTS[0]}'\\n")
            terminal.shows('● up', row=3)
            terminal.press('\\x1a')
            terminal.shows('Stopped')
            terminal.press("stty -a | grep -o ' -\\\\?echo ' | tr e E\\n")
            terminal.wait(lambda: re.search(rb'(?s)Stopped.*Echo', terminal.raw), 'the echo')
            terminal.press('fg\\n')
            terminal.shows('● up', row=3)
            terminal.shows('Main Bar', row=8)
            terminal.press('\\x03')
            terminal.wait(lambda: terminal.raw.rfind(b'?1049l') > terminal.raw.rfind(b'?1049h'), 'the shell')
            terminal.press('echo left=$?\\n')
            terminal.shows('left=0')
            """, bench.store)
        try await bench.stop()
    }

    @Test("a SIGCONT sets keys and page again, and the end leaves the terminal as found", arguments: [false, true])
    func continued(isStopped: Bool) async throws {
        let bench = try await Bench()
        try await PseudoTerminal.run(
            """
            terminal = Terminal([PROGRAM, 'watch', '--store', ARGUMENTS[0]])
            terminal.shows('Main Bar')
            # First with settings that somebody has changed meanwhile, as a shell does, then with its own.
            for settings in [terminal.before, None]:
                if ARGUMENTS[1] == 'true':
                    os.kill(terminal.pid, signal.SIGSTOP)
                    assert os.WIFSTOPPED(os.waitpid(terminal.pid, os.WUNTRACED)[1])
                if settings:
                    termios.tcsetattr(terminal.slave, termios.TCSANOW, settings)
                began = len(terminal.raw)
                os.kill(terminal.pid, signal.SIGCONT)
                terminal.wait(lambda: b'\\x1b[2J' in terminal.raw[began:], 'a cleared page')
                terminal.shows('Main Bar', row=8)
                assert not termios.tcgetattr(terminal.slave)[3] & (termios.ECHO | termios.ICANON)
            terminal.press('q')
            assert terminal.end() == 0
            assert terminal.is_as_found(), (terminal.before, termios.tcgetattr(terminal.slave))
            """, bench.store, "\(isStopped)")
        try await bench.stop()
    }

    @Test("after Ctrl-Z, fg and q the terminal is as found under a shell that does not set it itself")
    func plainShell() async throws {
        let bench = try await Bench()
        try await PseudoTerminal.run(
            """
            os.environ['PS1'] = 'shell> '
            os.environ.pop('ENV', None)
            terminal = Terminal(['dash', '-i'])
            terminal.shows('shell>')
            terminal.press(f"'{PROGRAM}' watch --store '{ARGUMENTS[0]}'\\n")
            terminal.shows('Main Bar', row=8)
            terminal.press('\\x1a')
            terminal.shows('Stopped')
            began = len(terminal.raw)
            terminal.press('fg\\n')
            terminal.wait(lambda: b'\\x1b[2J' in terminal.raw[began:], 'a cleared page')
            terminal.shows('Main Bar', row=8)
            terminal.press('q')
            terminal.wait(lambda: terminal.raw.rfind(b'?1049l') > terminal.raw.rfind(b'?1049h'), 'the shell')
            assert terminal.is_as_found(), (terminal.before, termios.tcgetattr(terminal.slave))
            terminal.press('echo left=$?\\n')
            terminal.shows('left=0')
            """, bench.store)
        try await bench.stop()
    }
}
