import AtlasProtocol
import CSockets
import Glibc
import RecorderStore

/// One unit as the receiving thread sees it. Confined to that thread.
final class ReceivedUnit {
    let processor: Int32
    let status: UnitStatus
    var assembler: FrameAssembler
    /// Whether the loop has it on its list of units that may have an open frame.
    var isListed = false
    /// Our control connection to it, while there is one.
    var endpoint: UnitEndpoint?
    // Since the last summary.
    private var unreadableDatagrams = 0
    private var unreadableValues = 0
    private var truncated = 0
    private var noRoom = 0

    init(_ registered: RegisteredProcessor, _ status: UnitStatus) {
        processor = registered.id
        self.status = status
        assembler = FrameAssembler(processor: registered.id, slots: registered.slots, latest: registered.latest)
    }

    func take(
        _ readings: UnsafeBufferPointer<Reading>, at: Int64, into block: inout FrameBlock,
        _ notify: (MeterReceiver.Notice) -> Void
    ) {
        noRoom += assembler.take(readings, at: at, into: &block) { hasOtherClient(notify) }
    }

    /// The kernel walks its whole table of connections to answer: some 4 ms.
    @inline(never)
    private func hasOtherClient(_ notify: (MeterReceiver.Notice) -> Void) -> Bool {
        guard let endpoint, !endpoint.otherClients(among: PortInspector.connections()).isEmpty else { return false }
        notify(.otherClient(processor: processor))
        return true
    }

    @inline(__always)
    func count(_ content: DatagramReader.Content, truncated isTruncated: Bool, length: Int) {
        if isTruncated { truncated += 1 }
        if content.unreadableLines > 0 || length == 0 { unreadableDatagrams += 1 }
        unreadableValues += content.unreadableValues
    }

    /// About once a second: last values, duplicates and losses.
    func summarize(at wall: Int64, into block: inout FrameBlock) {
        assembler.summarize(at: wall, into: &block)
        func lost(_ reason: LossReason, datagrams: Int, samples: Int?) {
            let loss = Loss(processor: processor, reason: reason, at: wall, datagrams: datagrams, samples: samples)
            block.losses.append(loss)
        }
        if unreadableDatagrams > 0 { lost(.unreadable, datagrams: unreadableDatagrams, samples: nil) }
        if unreadableValues > 0 { lost(.unreadable, datagrams: 0, samples: unreadableValues) }
        if truncated > 0 { lost(.truncated, datagrams: truncated, samples: nil) }
        if noRoom > 0 { lost(.tooManyMeters, datagrams: 0, samples: noRoom) }
        (unreadableDatagrams, unreadableValues, truncated, noRoom) = (0, 0, 0, 0)
    }
}

/// A bound socket of the receiving thread.
final class MeterSocket {
    let descriptor: Int32
    let address: IPv4Address
    let port: UInt16
    /// The only one that it receives from, if it is connected.
    let peer: IPv4Address?
    private var drops: Int64 = 0
    private var strangers = 0
    private var lastStranger = IPv4Address(bits: 0)
    /// The errno of a receive that failed since the last summary; 0: none.
    var fault: Int32 = 0

    init(_ descriptor: Int32, _ address: IPv4Address, peer: IPv4Address?) {
        (self.descriptor, self.address, self.peer) = (descriptor, address, peer)
        port = csockets_local_port(descriptor)
    }

    func close() { Glibc.close(descriptor) }

    @inline(never)
    func stranger(_ source: IPv4Address) {
        strangers += 1
        lastStranger = source
    }

    func summarize(
        at wall: Int64, processor: Int32?, into block: inout FrameBlock, _ notify: (MeterReceiver.Notice) -> Void
    ) {
        let now = csockets_drops(descriptor)
        if now > drops {
            let lost = Int(now - drops)
            block.losses.append(
                Loss(processor: processor, reason: .kernelDrop, at: wall, datagrams: lost, samples: nil))
        }
        drops = max(drops, now)
        if strangers > 0 { notify(.strangers(count: strangers, last: lastStranger, socket: address)) }
        strangers = 0
        if fault != 0 { notify(.socketFault(socket: address, errno: fault)) }
        fault = 0
    }
}
