import AtlasProtocol
import CSockets
import Glibc
import RecorderStore

/// The receiving thread's body: waits for datagrams, reads them, gathers frames, hands blocks to the writer. Confined to
/// its thread.
final class ReceiveLoop {
    private static let slots: Int32 = 128
    /// A batch of this many or more means a high rate: then a nap lets the next batch fill (measured:
    /// docs/performance.md).
    private static let busyBatch = 4
    private static let nap: UInt32 = 500  // microseconds
    /// Microseconds. A frame's end is decided by the time stamps of what comes next; where nothing comes, it is closed
    /// this late. So a unit at 10 Hz costs one wake-up a datagram.
    private static let sweepEvery: Int64 = 200_000
    private static let handOverAfter: Int64 = 200_000
    private static let feedEvery: Int64 = 40_000
    private static let summaryEvery: Int64 = 1_000_000  // microseconds

    private let wake: Int32
    private let takeCommands: () -> [MeterReceiver.Command]
    private let queue: FrameQueue
    let clock: RecorderClock
    private let wakeWriter: () -> Void
    let notify: (MeterReceiver.Notice) -> Void

    let relay: Relay
    private let feed: Feed
    let levels: LevelMemory?
    private let batch: OpaquePointer
    private let connections: ConnectionTable
    private let reader = DatagramReader()
    var block = FrameBlock()
    private var blockBegan: Int64 = 0
    /// How much of the block the feed has.
    private var fed = FrameBlock.Mark()
    private var nextFeed: Int64 = 0
    var sockets: [MeterSocket] = []
    var units: [Int32: ReceivedUnit] = [:]
    var routes: [UInt32: ReceivedUnit] = [:]
    var lastRoute: (source: UInt32, unit: ReceivedUnit)?
    /// Addresses that were a unit's until a moment ago, and until when (boot time, microseconds) what still comes from there
    /// is nobody's, and no stranger's.
    var left: [UInt32: Int64] = [:]
    /// Units with an open frame.
    private var open: [ReceivedUnit] = []
    /// Units with counts to hand over.
    private var counted: [ReceivedUnit] = []
    /// Everything that arrived before this has been read, microseconds since 1970 UTC.
    private var readUntil: Int64 = 0
    private var nextSweep: Int64 = 0
    private var nextSummary: Int64 = 0
    /// When the last round began: what is read now has arrived since, or a moment before.
    private var roundBegan: Instant
    var isRunning = true

    init(
        wake: Int32, slotBytes: Int32, relay: Relay, takeCommands: @escaping () -> [MeterReceiver.Command],
        queue: FrameQueue, clock: RecorderClock, feed: Feed, levels: LevelMemory?,
        wakeWriter: @escaping () -> Void, notify: @escaping (MeterReceiver.Notice) -> Void
    ) {
        guard let batch = csockets_batch_create(Self.slots, slotBytes) else {
            fatalError("no memory to receive datagrams into")
        }
        self.batch = batch
        (self.relay, self.feed, self.levels) = (relay, feed, levels)
        (self.wake, self.takeCommands, self.queue, self.clock) = (wake, takeCommands, queue, clock)
        (self.wakeWriter, self.notify) = (wakeWriter, notify)
        roundBegan = clock.now
        connections = ConnectionTable(now: { clock.now.microseconds })
    }

    deinit { csockets_batch_free(batch) }

    func run() {
        while isRunning {
            let (began, wallBegan) = (clock.now, clock.wallNow)
            let (isCalled, readable) = waitForWork()
            var busy = false
            for socket in readable { busy = receive(from: socket) || busy }
            noteRead(since: wallBegan)
            if isCalled { for command in takeCommands() { carryOut(command) } }
            let now = clock.now.microseconds
            if now >= nextSweep { closeFrames(now) }
            if now >= nextSummary { summarize(now) }
            if feed.isWanted, now >= nextFeed { feedReaders(now) }
            handOverIfDue(now)
            if busy { usleep(Self.nap) }
            roundBegan = began
        }
        finish()
    }

    /// Waits in poll(2): whether there are commands, and the sockets that have something.
    private func waitForWork() -> (isCalled: Bool, readable: [MeterSocket]) {
        var descriptors = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
        for socket in sockets { descriptors.append(pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)) }
        poll(&descriptors, nfds_t(descriptors.count), timeout())
        let isCalled = descriptors[0].revents != 0
        if isCalled { csockets_wake_drain(wake) }
        return (isCalled, sockets.indices.filter { descriptors[$0 + 1].revents != 0 }.map { sockets[$0] })
    }

    /// Milliseconds until there is something to do besides datagrams.
    private func timeout() -> Int32 {
        let now = clock.now.microseconds
        var due = nextSummary
        if !open.isEmpty { due = min(due, nextSweep) }
        if feed.isWanted, !open.isEmpty || fed != block.end { due = min(due, nextFeed) }
        if !block.isEmpty { due = min(due, blockBegan + Self.handOverAfter) }
        return Int32(clamping: max(0, (due - now + 999) / 1_000))
    }

    // MARK: datagrams

    /// True if so much came that more is likely to come at once.
    @discardableResult
    private func receive(from socket: MeterSocket) -> Bool {
        var received = 0
        while true {
            let count = csockets_receive(socket.descriptor, batch)
            socket.isDrained = count < Self.slots
            guard count >= 0 else {
                socket.fault = -count
                return false
            }
            if count > 0 {
                relay.pass(batch, count: count, from: socket)
                take(UnsafeBufferPointer(start: csockets_batch_datagrams(batch), count: Int(count)), from: socket)
            }
            received += Int(count)
            // Enough for one round, so that frames close and blocks go out under any flood.
            if count < Self.slots || received >= 4 * Int(Self.slots) {
                socket.lookAtFilling()
                return received >= Self.busyBatch
            }
        }
    }

    /// A look at the sockets that began at `time` (microseconds since 1970 UTC) is over. A socket gives its datagrams in the
    /// order they arrived.
    private func noteRead(since time: Int64) {
        readUntil = sockets.reduce(time) { $1.isDrained ? $0 : min($0, $1.lastAt) }
    }

    private func take(_ datagrams: UnsafeBufferPointer<csockets_datagram>, from socket: MeterSocket) {
        let now = clock.now
        let stamps = Stamps(clock, now, since: roundBegan)
        for datagram in datagrams {
            let at = stamps.wall(of: datagram.at_us)
            socket.lastAt = at
            guard let unit = unit(sending: datagram.source) else {
                if left.isEmpty || left[datagram.source] == nil { socket.stranger(IPv4Address(bits: datagram.source)) }
                continue
            }
            guard unit.isRecorded else { continue }
            let content = reader.read(UnsafeBufferPointer(start: datagram.bytes, count: Int(datagram.length)))
            let readings = UnsafeBufferPointer(start: reader.readings.baseAddress, count: content.readings)
            let isFull = unit.take(datagram, content, readings, at: at, into: &block) { isShared(unit) }
            if !unit.isCounted { listCounts(of: unit) }
            if content.readings > 0 { list(unit) }
            if isFull { handOver() }
            guard content.isFromUnit else { continue }
            for message in content.messages { notify(.message(processor: unit.processor, message)) }
            if datagram.source_port != unit.sourcePort { unit.sourcePort = datagram.source_port }
            if unit.status.heard(at: now) { notify(.datagram(processor: unit.processor)) }
        }
    }

    @inline(__always)
    private func unit(sending source: UInt32) -> ReceivedUnit? {
        if let last = lastRoute, last.source == source { return last.unit }
        guard let unit = routes[source] else { return nil }
        lastRoute = (source, unit)
        return unit
    }

    /// Whether another program of this host has a connection to this unit.
    @inline(never)
    func isShared(_ unit: ReceivedUnit) -> Bool {
        guard let endpoint = unit.endpoint, connections.hasOtherClient(of: endpoint) else { return false }
        notify(.otherClient(processor: unit.processor))
        return true
    }

    func listCounts(of unit: ReceivedUnit) {
        unit.isCounted = true
        counted.append(unit)
    }

    func list(_ unit: ReceivedUnit) {
        guard !unit.isListed else { return }
        unit.isListed = true
        if open.isEmpty { nextSweep = max(nextSweep, clock.now.microseconds + Self.sweepEvery) }
        open.append(unit)
    }

    // MARK: frames and blocks

    private func closeFrames(_ boot: Int64) {
        nextSweep = boot + Self.sweepEvery
        guard !open.isEmpty else { return }
        let now = clock.wallNow
        open.removeAll { unit in
            guard let closesAt = unit.intake.assembler.closesAt else {
                unit.isListed = false
                return true
            }
            // The clock may have been set back under an open frame.
            guard now >= closesAt || now < closesAt - 2 * FrameAssembler.span else { return false }
            unit.intake.assembler.close(into: &block)
            unit.isListed = false
            return true
        }
    }

    /// Frames that are complete go out at once: readers look at meters.
    private func feedReaders(_ now: Int64) {
        nextFeed = now + Self.feedEvery
        closeFrames(now)
        let values = block.values(after: fed)
        guard values > 0 else { return }
        feed.put(.values(block, after: fed), values: values)
        fed = block.end
    }

    private func summarize(_ now: Int64) {
        nextSummary = now + Self.summaryEvery
        let wall = clock.wallNow
        // Where nothing comes, it is a second since anybody looked.
        for socket in sockets { receive(from: socket) }
        noteRead(since: wall)
        for unit in units.values { unit.intake.assembler.summarize(into: &block) }
        for socket in sockets { summarize(socket, at: wall) }
        if !left.isEmpty { left = left.filter { $0.value > now } }
        if let (count, errno, port) = relay.takeFailures() {
            notify(.relayFault(count: count, errno: errno, port: port))
        }
        // Also with nothing in it: then it says that nothing came.
        if !queue.isBehind { handOver() }
    }

    /// Receives everything that has arrived already; what goes on arriving meanwhile is left. The limit is for a clock that
    /// is set back at this moment: more than the largest receive buffer holds.
    func drain(_ socket: MeterSocket) {
        let end = clock.wallNow
        for _ in 0..<64 {
            receive(from: socket)
            if socket.isDrained || socket.lastAt > end { return }
        }
    }

    private func handOverIfDue(_ now: Int64) {
        guard !block.isEmpty else {
            blockBegan = now
            return
        }
        guard block.isFull || now - blockBegan >= Self.handOverAfter else { return }
        // A writer that is behind is not sent small blocks: this one goes on filling.
        if block.isFull || !queue.isBehind { handOver() }
        blockBegan = now
    }

    func handOver() {
        let full = block.isFull
        let values = block.values(after: fed)
        if values > 0, feed.isWanted { feed.put(.values(block, after: fed), values: values) }
        if block.isNews { feed.put(.learnt(block)) }
        counted.removeAll { unit in
            guard unit.intake.handOverCounts(into: &block) else { return false }
            unit.isCounted = false
            return true
        }
        block.completeUntil = open.reduce(readUntil) { min($0, $1.intake.assembler.startedAt ?? $0) }
        block = queue.exchange(block)
        fed = FrameBlock.Mark()
        if full { wakeWriter() }
    }

    private func finish() {
        for socket in sockets { drain(socket) }
        for unit in units.values {
            unit.intake.assembler.close(into: &block)
            unit.intake.assembler.summarize(into: &block)
        }
        let wall = clock.wallNow
        for socket in sockets { summarize(socket, at: wall) }
        handOver()
        for socket in sockets { socket.close() }
    }
}
