import AtlasProtocol
import CSockets
import Glibc
import RecorderStore

/// One unit as the receiving thread sees it. Confined to that thread.
final class ReceivedUnit {
    let processor: Int32
    let status: UnitStatus
    let assembler: FrameAssembler
    /// Our control connection to it, while there is one.
    var endpoint: UnitEndpoint?
    /// When another client was looked for last, microseconds since 1970 UTC, and how long not to look again.
    private var lastLook: Int64 = 0
    private var lookPause: Int64 = 0
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

    @inline(__always)
    func take(
        _ reading: Reading, at: Int64, into block: inout FrameBlock, _ notify: (MeterReceiver.Notice) -> Void
    ) {
        if !assembler.hasOtherClient, mayLook(at), assembler.isRepeat(reading, at: at) {
            lookForOthers(at, notify)
        }
        if assembler.take(reading, at: at, into: &block) == .noRoom { noRoom += 1 }
    }

    /// Also after the clock was set back.
    @inline(__always)
    private func mayLook(_ at: Int64) -> Bool { at < lastLook || at - lastLook >= lookPause }

    /// The same value twice within 20 ms: another program of this host may just have subscribed. The look costs some
    /// 4 ms (the kernel walks its whole table of connections), so after one in vain it waits 0.2 s, then up to 2 s.
    @inline(never)
    private func lookForOthers(_ at: Int64, _ notify: (MeterReceiver.Notice) -> Void) {
        guard let endpoint else { return }
        let isShared = !endpoint.otherClients(among: PortInspector.connections()).isEmpty
        lookPause = isShared ? 0 : min(max(200_000, 2 * lookPause), 2_000_000)
        lastLook = at
        assembler.hasOtherClient = isShared
        if isShared { notify(.otherClient(processor: processor)) }
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
    private var drops: Int64 = 0
    private var strangers = 0
    private var lastStranger = IPv4Address(bits: 0)
    /// The errno of a receive that failed since the last summary; 0: none.
    var fault: Int32 = 0

    init(_ descriptor: Int32, _ address: IPv4Address) { (self.descriptor, self.address) = (descriptor, address) }

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
