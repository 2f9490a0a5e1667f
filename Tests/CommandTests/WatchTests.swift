import Foundation
import Testing

/// `watch` on a terminal, beside a recorder and a simulated unit.
@Suite(.timeLimit(.minutes(3)), .enabled(if: PseudoTerminal.isThere, "/usr/bin/python3 has no pyte: python3-pyte"))
struct WatchTests {
    /// A recorder of one unit, whose meters are up.
    struct Bench {
        let folder = Folder()
        let unit: SimulatedUnit
        let recorder: Running
        var store: String { folder.file("s.sqlite") }

        init() async throws {
            unit = try await SimulatedUnit()
            recorder = try unit.recorder(folder.file("s.sqlite"))
            try await recorder.line("meters up")
        }
        func stop() async throws {
            recorder.send(SIGTERM)
            _ = try await recorder.end()
            try await unit.stop()
        }
    }

    @Test("bars move, keys work, a resize redraws, and what is written is little")
    func usual() async throws {
        let bench = try await Bench()
        try await PseudoTerminal.run(
            """
            terminal = Terminal([PROGRAM, 'watch', '--store', ARGUMENTS[0]])
            terminal.shows('● up', row=2)
            terminal.shows('● up', row=3)
            terminal.shows('of today that were recorded', row=5)
            terminal.shows('today 100 % up', row=2)
            terminal.wait(lambda: 'Main Bar' in terminal.rows[8] and '█' in terminal.rows[8], 'a bar')
            assert '/s ' in terminal.rows[4], terminal.rows
            was = terminal.rows[8]
            terminal.wait(lambda: terminal.rows[8] != was, 'another level')

            # 25 states of a bar that moves ten times a second; a whole page 20 times a second would be 80,000 bytes.
            written, began = len(terminal.raw), time.monotonic()
            for _ in range(25):
                was = terminal.rows[8]
                terminal.wait(lambda: terminal.rows[8] != was, 'another level')
            rate = (len(terminal.raw) - written) / (time.monotonic() - began)
            assert rate < 25_000, rate

            terminal.press('o')
            terminal.shows('order: name')
            terminal.shows('Announce', row=8)
            terminal.press('?')
            terminal.shows('this page')
            terminal.press('\\x1b')
            terminal.wait(lambda: not any('this page' in row for row in terminal.rows), 'no help')
            terminal.press('\\x1b[B')
            terminal.shows('2-')
            terminal.press('ooo')
            terminal.resize(130, 40)
            terminal.shows('order: name', row=39)
            terminal.wait(lambda: any('Main Bar' in row and len(row) > 100 for row in terminal.rows), 'a wide page')
            terminal.resize(20, 5)
            terminal.shows('● control ● meters', row=1)
            terminal.resize(80, 24)
            terminal.shows('● up', row=3)
            assert re.search(rb'\\x1b\\[[0-9;]*3[1-6]m', terminal.raw)
            terminal.press('q')
            assert terminal.end() == 0
            assert terminal.is_as_found(), terminal.raw[-200:]
            """, bench.store)
        try await bench.stop()
    }

    @Test(
        "a signal ends it, and the terminal is as it was",
        arguments: [(SIGINT, 0), (SIGTERM, 0), (SIGHUP, 0), (SIGSEGV, -SIGSEGV), (SIGQUIT, -SIGQUIT)]
            as [(Int32, Int32)])
    func signals(signal: Int32, status: Int32) async throws {
        let bench = try await Bench()
        try await PseudoTerminal.run(
            """
            import resource
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            terminal = Terminal([PROGRAM, 'watch', '--store', ARGUMENTS[0]])
            terminal.shows('Main Bar')
            assert not termios.tcgetattr(terminal.slave)[3] & (termios.ECHO | termios.ICANON)
            os.kill(terminal.pid, int(ARGUMENTS[1]))
            status = terminal.end()
            assert status == int(ARGUMENTS[2]), status
            assert terminal.is_as_found(), terminal.raw[-200:]
            """, bench.store, "\(signal)", "\(status)")
        try await bench.stop()
    }

    @Test("a link that goes down shows, and so does the feed's end; it goes on with the next recorder")
    func down() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store)
        try await recorder.line("meters up")
        let terminal = try PseudoTerminal.start(
            """
            terminal = Terminal([PROGRAM, 'watch', '--store', ARGUMENTS[0]], columns=100)
            terminal.shows('Main Bar')
            print('sees it', flush=True)
            terminal.shows('▼ down refused', row=2)
            terminal.shows('▼ down control_down', row=3)
            terminal.wait(lambda: '█' not in ''.join(terminal.rows), 'no bar')
            terminal.shows('ECONNREFUSED', row=5)
            print('sees it down', flush=True)
            terminal.shows('not connected since', row=1)
            terminal.shows('the recorder has ended the feed', row=1)
            terminal.shows('not known now', row=2)
            print('sees the end', flush=True)
            terminal.shows('● up', row=2)
            terminal.wait(lambda: '█' in ''.join(terminal.rows), 'bars')
            terminal.press('q')
            assert terminal.end() == 0 and terminal.is_as_found()
            """, store)
        try await terminal.line("sees it")
        try await unit.stop()
        try await terminal.line("sees it down")
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        try await terminal.line("sees the end")
        let other = try await SimulatedUnit()
        let next = try other.recorder(store)
        let ended = try await terminal.end()
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        next.send(SIGTERM)
        _ = try await next.end()
        try await other.stop()
    }

    @Test("of several units the list comes first, then the chosen one's meters")
    func several() async throws {
        let folder = Folder()
        let units = [
            try await SimulatedUnit(), try await SimulatedUnit(meterPort: freeUDPPort(), address: "127.0.0.9"),
        ]
        let recorder = try Running([
            "run", "--processor", "Bar=127.0.0.1:\(units[0].port)", "--processor", "酒吧=127.0.0.9:\(units[1].port)",
            "--meter-port",
            "\(units[0].meterPort)", "--store", folder.file("s.sqlite"),
        ])
        try await recorder.line("control up", times: 2)
        try await PseudoTerminal.run(
            """
            terminal = Terminal([PROGRAM, 'watch', '--store', ARGUMENTS[0]])
            terminal.shows('2 processors')
            terminal.shows('▶   1 Bar')
            terminal.press('\\x1b[B')
            terminal.shows('▶   2 酒')
            terminal.press('\\r')
            terminal.shows('● up', row=3)
            terminal.press('1')
            terminal.wait(lambda: 'Main Bar' in ''.join(terminal.rows), 'the meters')
            terminal.press('a')
            terminal.shows('2 processors')
            terminal.press('q')
            assert terminal.end() == 0
            terminal = Terminal([PROGRAM, 'watch', '--store', ARGUMENTS[0], '--processor', 'Patio'])
            terminal.shows("no processor is called 'Patio'; there are Bar")
            terminal.press('q')
            assert terminal.end() == 0
            """, folder.file("s.sqlite"))
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        for unit in units { try await unit.stop() }
    }

    @Test("without keys it shows all the same; NO_COLOR and a plain locale are respected")
    func withoutKeys() async throws {
        let bench = try await Bench()
        try await PseudoTerminal.run(
            """
            terminal = Terminal([PROGRAM, 'watch', '--store', ARGUMENTS[0]], keys=False)
            terminal.shows('Ctrl-C ends', row=23)
            terminal.shows('+ up', row=3)
            terminal.wait(lambda: any('===' in row for row in terminal.rows), 'a bar')
            terminal.press('\\x03')
            assert terminal.end() == 0 and terminal.is_as_found()
            assert not re.search(rb'\\x1b\\[[0-9;]*3[0-9]m', terminal.raw)
            assert all(byte < 128 for byte in terminal.raw), terminal.raw
            """, bench.store, environment: ["NO_COLOR": "1", "LC_ALL": "C"])
        try await bench.stop()
    }

    @Test("where nothing can be drawn there is a line a second, until nobody reads or the recorder ends")
    func lines() async throws {
        let bench = try await Bench()
        try await PseudoTerminal.run(
            """
            terminal = Terminal([PROGRAM, 'watch', '--store', ARGUMENTS[0]], columns=200)
            terminal.wait(lambda: sum('Bar  control up  meters up' in row for row in terminal.rows) > 1, 'two lines')
            assert b'\\x1b' not in terminal.raw
            """, bench.store, environment: ["TERM": "dumb"])
        let watch = try Running(["watch", "--store", bench.store])
        try await watch.line("Bar  control up  meters up", times: 2)
        try await watch.line("loudest ")
        let head = try await Running(
            ["-c", "'\(Program.path)' watch --store '\(bench.store)' | head -1"], executable: "/bin/sh"
        ).end()
        #expect(head.status == 0 && head.lines.count == 2, "\(head.output)\(head.errors)")
        try await bench.stop()
        try await watch.line("the recorder has ended the feed; tried again each second")
        watch.send(SIGKILL)  // who is started by Foundation may have the others blocked
        _ = try await watch.end()
        let nobody = try await Program.run("watch", "--store", bench.store)
        #expect(nobody.status == 1 && nobody.errors.contains("atlas-recorder run"), "\(nobody.errors)")
    }

    @Test("the 65th reader is told, and ends with 1")
    func crowd() async throws {
        let bench = try await Bench()
        let readers = try Running(
            [
                "-c",
                """
                import socket, sys, time
                readers = [socket.socket(socket.AF_UNIX) for _ in range(64)]
                for reader in readers:
                    reader.connect(sys.argv[1])
                    reader.recv(1)
                print('64', flush=True)
                for reader in readers:
                    while reader.recv(65536):
                        pass
                """, bench.store + ".feed",
            ], executable: PseudoTerminal.python)
        try await readers.line("64")
        let crowded = try await Program.run("watch", "--store", bench.store)
        #expect(
            crowded.status == 1 && crowded.errors.contains("64 readers are connected: close one"), "\(crowded.errors)")
        try await bench.stop()
        _ = try await readers.end()
    }
}
