import AtlasProtocol
import CSockets
import Glibc
import RecorderStore

/// One unit as the receiving thread sees it. Confined to that thread.
final class ReceivedUnit {
    let processor: Int32
    let status: UnitStatus
    /// Where its levels are shown.
    let levels: LevelMemory.Row?
    /// Else what comes from it is passed on, and no more: another program asked for it.
    var isRecorded: Bool
    var intake: UnitIntake
    /// Whether the loop has it on its list of units that may have an open frame.
    var isListed = false
    /// Our control connection to it, while there is one.
    var endpoint: UnitEndpoint?
    /// The port that its last datagram came from.
    var sourcePort: UInt16 = 0 {
        didSet { status.sends(from: sourcePort) }
    }
    /// Whether the loop has it on its list of units with counts to hand over.
    var isCounted = false

    init(_ registered: RegisteredProcessor, _ status: UnitStatus, levels: LevelMemory.Row? = nil) {
        processor = registered.id
        (self.status, self.levels) = (status, levels)
        levels?.clear()  // a unit of before may have had the place
        isRecorded = registered.spec.subscriptions.hasMeters
        intake = UnitIntake(registered, levels: levels)
    }

    /// Takes a datagram, of which the reader found so much. True if the block takes no more. `isShared`: whether another
    /// program of this host has a connection to this unit.
    @inline(__always)
    func take(
        _ datagram: csockets_datagram, _ content: DatagramReader.Content, _ readings: UnsafeBufferPointer<Reading>,
        at: Int64, into block: inout FrameBlock, isShared: () -> Bool
    ) -> Bool {
        intake.take(
            content, readings, length: Int(datagram.length), truncated: datagram.truncated != 0, at: at, into: &block,
            isShared: isShared)
    }

    /// Takes values that came by TCP.
    func take(
        _ readings: UnsafeBufferPointer<Reading>, at: Int64, into block: inout FrameBlock, isShared: () -> Bool
    ) {
        intake.take(readings, at: at, into: &block, isShared: isShared)
    }
}

/// A bound socket of the receiving thread.
final class MeterSocket {
    let descriptor: Int32
    let address: IPv4Address
    let port: UInt16
    /// The only one that it receives from, if it is connected.
    let peer: UnitPort?
    private var drops: UInt32 = 0
    /// When the drops were read last, microseconds since 1970 UTC.
    private var lastLook: Int64?
    private var strangers = 0
    private var lastStranger = IPv4Address(bits: 0)
    /// The errno of a receive that failed since the last summary; 0: none.
    var fault: Int32 = 0
    /// When the datagram arrived that was read last, microseconds since 1970 UTC.
    var lastAt: Int64 = 0
    /// Whether the last receive left nothing behind.
    var isDrained = true
    /// Whether datagrams come faster than they are read: from half a receive buffer on, until a quarter.
    private(set) var isFilling = false

    init(_ descriptor: Int32, _ address: IPv4Address, peer: UnitPort?) {
        (self.descriptor, self.address, self.peer) = (descriptor, address, peer)
        port = csockets_local_port(descriptor)
    }

    func close() { Glibc.close(descriptor) }

    /// After each round of receiving; where that left nothing behind, no system call is needed to tell.
    @inline(__always)
    func lookAtFilling() {
        guard !isDrained else {
            isFilling = false
            return
        }
        isFilling = csockets_filling(descriptor) >= (isFilling ? 25 : 50)
    }

    @inline(never)
    func stranger(_ source: IPv4Address) {
        strangers += 1
        lastStranger = source
    }

    /// About once a second, and at its end: what the kernel dropped, who else sent.
    func summarize(
        at wall: Int64, processor: Int32?, into block: inout FrameBlock, _ notify: (MeterReceiver.Notice) -> Void
    ) {
        let now = csockets_drops(descriptor)
        if now >= 0 {
            let lost = UInt32(truncatingIfNeeded: now) &- drops  // the kernel's counter has 32 bits
            drops = UInt32(truncatingIfNeeded: now)
            if lost > 0 {
                block.losses.append(
                    Loss(
                        processor: processor, reason: .kernelDrop, since: lastLook, at: wall, datagrams: Int(lost),
                        samples: nil))
            }
        }
        lastLook = wall
        if strangers > 0 { notify(.strangers(count: strangers, last: lastStranger, socket: address)) }
        strangers = 0
        if fault != 0 { notify(.socketFault(socket: address, errno: fault)) }
        fault = 0
    }
}
