import Dispatch
import Locks
import Testing

@testable import Recorder

@Suite struct LinePrinterTests {
    @Test("what a slow reader cannot take is counted, and a line says so; the rest comes in order")
    func slowReader() {
        let (lines, gate, isAtGate) = (Lines(), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let printer = LinePrinter(limit: 3) { line in
            if line == "0" {
                isAtGate.signal()
                gate.wait()
            }
            lines.add(line)
        }
        printer.print("0")
        isAtGate.wait()  // it is being written, and waits for its reader
        for number in 1...5 { printer.print("\(number)") }
        gate.signal()
        printer.flush()
        #expect(lines.all == ["0", "1", "2", "(3 lines left out: stdout was read too slowly; the store has them all)"])
        printer.print("6")
        printer.flush()
        #expect(lines.all.last == "6")
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }
}
