import AtlasProtocol
import Glibc
import NIOCore
import NIOPosix
import RecorderStore
import Testing

@testable import Recorder

/// received = stored + duplicate + lost, and what was sent is what was received or dropped by the kernel: over real
/// sockets, with every kind of loss made to happen.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct LedgerTests {
    private let port = freePort()

    /// A recorder of one unit that answers OK to everything, and that unit's own socket for datagrams.
    private func recording(_ limits: ReceiveLimits = ReceiveLimits()) async throws -> (ScriptedUnit, Rig, Sender) {
        let unit = try await ScriptedUnit { _, id in [#"{"jsonrpc":"2.0","result":"OK","id":\#(id)}"#] }
        let rig = Rig([unit.spec], meterPort: port, limits: limits)
        await rig.line("subscribed")
        return (unit, rig, Sender(port: port))
    }

    private func sum(_ rig: Rig, _ column: String) throws -> Int {
        try rig.integer("SELECT coalesce(sum(\(column)), 0) FROM sample_counts")
    }
    private func lost(_ rig: Rig, _ reason: LossReason, _ column: String = "samples") throws -> Int {
        try rig.integer(
            "SELECT coalesce(sum(\(column)), 0) FROM sample_losses WHERE reason = '\(reason.rawValue)'")
    }

    /// What holds of every store, whatever happened.
    private func checkBalance(_ rig: Rig) throws {
        let off = try rig.texts(
            "SELECT * FROM sample_counts WHERE received IS NULL OR received <> stored + duplicate + lost")
        #expect(off.isEmpty)
        #expect(try sum(rig, "stored") == rig.integer("SELECT count(*) FROM meter_samples"))
    }

    @Test("what is committed before the receiver's first hand-over does not count as all that arrived until then")
    func firstHandOver() async throws {
        let (queue, clock) = (FrameQueue(), RecorderClock())
        let receiver = try MeterReceiver(queue: queue, clock: clock, feed: Feed(), wakeWriter: {}, notify: { _ in })
        let blocks = queue.take().blocks
        #expect(try #require(blocks.first?.completeUntil) <= clock.wallNow)
        await receiver.stop()
    }

    @Test("a receive buffer that is too small: the kernel's drops are all on record")
    func kernelDrops() async throws {
        var limits = ReceiveLimits()
        limits.receiveBuffer = 4_096
        let (unit, rig, sender) = try await recording(limits)
        for number in 0..<20_000 { sender.send(Sender.meters(10, number)) }
        try await rig.stop()
        try checkBalance(rig)
        let dropped = try lost(rig, .kernelDrop, "datagrams")
        #expect(dropped > 0)
        #expect(try sum(rig, "datagrams") + dropped == 20_000)
        #expect(try sum(rig, "received") == (20_000 - dropped) * 10)
        try await unit.stop()
    }

    @Test("everything that arrived before the stop is stored, however much waits")
    func stopUnderLoad() async throws {
        let (unit, rig, sender) = try await recording()
        for number in 0..<3_000 { sender.send(Sender.meters(10, number)) }
        try await rig.stop()
        try checkBalance(rig)
        let dropped = try lost(rig, .kernelDrop, "datagrams")
        #expect(try sum(rig, "datagrams") + dropped == 3_000)
        #expect(try sum(rig, "stored") == (3_000 - dropped) * 10)
        #expect(try rig.texts("SELECT clean FROM recorder_runs") == ["1"])
        try await unit.stop()
    }

    @Test("a store that is locked by another program, a full queue, copies, garbage and a stop: all of it adds up")
    func everythingAtOnce() async throws {
        var limits = ReceiveLimits()
        limits.queueBytes = 400_000
        limits.slotBytes = 8_192
        let (unit, rig, sender) = try await recording(limits)
        let other = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: Int(unit.spec.controlPort)).get()
        var (sent, values) = (0, 0)
        func send(_ text: String, values count: Int) {
            sender.send(text)
            (sent, values) = (sent + 1, values + count)
        }
        /// Waits until all of it has been read, so that the kernel has no reason to drop.
        func settle() async throws {
            try await eventually { try sum(rig, "datagrams") + lost(rig, .kernelDrop, "datagrams") >= sent }
        }
        for number in 0..<150 {
            for _ in 0..<2 { send(Sender.meters(10, number), values: 10) }
        }
        try await settle()
        for number in 0..<50 {
            send("garbage", values: 0)
            send(
                #"{"method":"update","params":[{"param":"ZoneMeter_1","val":"loud"},"#
                    + #"{"param":"ZoneMeter_2","val":-\#(number)}]}"#, values: 2)
            send(#"{"method":"update","params":[{"param":"ZoneMeter_1","pct":50}]}"#, values: 0)
            // A meter beside a parameter: one sample, one parameter.
            send(
                #"{"method":"update","params":[{"param":"ZoneMeter_3","val":-\#(number)},"#
                    + #"{"param":"ZoneGain_3","val":-\#(number)}]}"#, values: 1)
        }
        // The second line is cut; the first is whole.
        let tail = "\n" + String(repeating: "x", count: 9_000)
        for number in 0..<20 { send(Sender.meters(40, number) + tail, values: 40) }
        try await settle()
        for number in 0..<13 { send(Sender.madeUpMeters(32, number), values: 32) }

        let lock = try Database(path: rig.store, mode: .readWrite)
        try lock.execute("BEGIN IMMEDIATE", doing: "hold the lock")
        // 40 frames a datagram: the queue holds some 3,000.
        for number in 0..<100 { send(Sender.ticks(40, number), values: 120) }
        await rig.line("log: the store refuses")
        for number in 100..<700 { send(Sender.ticks(40, number), values: 120) }
        // More than the recorder takes from the socket at once, so that it has handed over most of them.
        try await eventually { sender.waiting == 0 }
        try lock.execute("COMMIT", doing: "let go")
        await rig.line("log: the store takes writes again")
        for number in 0..<200 { send(Sender.meters(10, number), values: 10) }
        try await rig.stop()

        try checkBalance(rig)
        let dropped = try lost(rig, .kernelDrop, "datagrams")
        #expect(try sum(rig, "datagrams") + dropped == sent)
        let received = try sum(rig, "received")
        #expect(dropped == 0 ? received == values : received < values, "\(received) of \(values), \(dropped) dropped")
        #expect(try sum(rig, "duplicate") > 0)
        #expect(try lost(rig, .storeRefused) > 0)
        #expect(try lost(rig, .tooManyMeters) > 0)
        guard dropped == 0 else { return }
        #expect(try lost(rig, .unreadable) == 50)
        #expect(try lost(rig, .unreadable, "datagrams") == 50)
        #expect(try lost(rig, .truncated, "datagrams") == 20)
        #expect(
            try rig.integer("SELECT count(*) FROM meter_samples WHERE meter = 'ZoneMeter_3' AND level_db = -49") == 1)
        #expect(try rig.integer("SELECT count(*) FROM parameter_changes WHERE parameter = 'ZoneGain_3'") == 50)
        try await other.close()
        try await unit.stop()
    }
}

/// The unit's own socket: every datagram it sends is another one, so that only copies are copies.
final class Sender: Sendable {
    private let socket = PlainSocket(port: 0, reuse: false)
    private let port: UInt16

    init(port: UInt16) { self.port = port }

    func send(_ text: String) { socket.send(text, to: "127.0.0.1", port) }

    /// Bytes that the recorder's socket holds unread, by /proc/net/udp; its fifth column is tx_queue:rx_queue.
    var waiting: Int {
        guard let table = fopen("/proc/net/udp", "r") else { return 0 }
        defer { fclose(table) }
        let local = "0100007F:" + String(port, radix: 16, uppercase: true)
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, 512, table) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let columns = text.split(separator: " ")
            guard columns.count > 4, columns[1] == local else { continue }
            return columns[4].split(separator: ":").last.flatMap { Int($0, radix: 16) } ?? 0
        }
        return 0
    }

    /// One value of each of so many meters.
    static func meters(_ count: Int, _ number: Int) -> String {
        let families = ["Source", "Zone", "Mix", "Group"]
        return update((0..<count).map { ("\(families[$0 / 10])Meter_\($0 % 10)", level(number + $0)) })
    }

    /// So many meters that no unit has: 32 in each of 32 numbers.
    static func madeUpMeters(_ count: Int, _ number: Int) -> String {
        let families = ["Source", "Zone", "Mix", "Group"]
        return update((0..<count).map { ("\(families[number / 8 % 4])Meter_\(number % 8 * 32 + $0)", level(number)) })
    }

    /// So many values of three meters each in one datagram, which are as many frames.
    static func ticks(_ count: Int, _ number: Int) -> String {
        (0..<count).map { tick in
            update((0..<3).map { ("ZoneMeter_\($0)", level(number * count + tick)) })
        }.joined(separator: "\n")
    }

    private static func level(_ number: Int) -> String { "-\(number % 700 / 10).\(number % 10)" }

    private static func update(_ values: [(meter: String, level: String)]) -> String {
        let list = values.map { #"{"param":"\#($0.meter)","val":\#($0.level)}"# }.joined(separator: ",")
        return #"{"method":"update","params":[\#(list)]}"#
    }
}
