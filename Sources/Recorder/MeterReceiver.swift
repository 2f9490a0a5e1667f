import AtlasProtocol
import CSockets
import Glibc
import Locks
import RecorderStore

/// The receiving side of all meters: one thread that waits in poll(2) and reads with recvmmsg(2). Everybody else talks to
/// it through commands, so its sockets and frames have one owner.
package final class MeterReceiver: Sendable {
    /// What the receiver tells. Called on its thread; must not wait.
    package enum Notice: Sendable {
        /// The datagram that a link asked to be told of.
        case datagram(processor: Int32)
        /// A message that is not only meters: the keep-alive's echo, a parameter.
        case message(processor: Int32, Message)
        /// Datagrams from addresses that are no configured unit, since the last notice.
        case strangers(count: Int, last: IPv4Address, socket: IPv4Address)
        /// This unit's values come twice: another program of this host has a connection to it.
        case otherClient(processor: Int32)
        /// Receiving failed since the last notice.
        case socketFault(socket: IPv4Address, errno: Int32)
        /// Datagrams that could not be passed on since the last notice.
        case relayFault(count: Int, errno: Int32, port: UInt16)
    }

    enum Command: Sendable {
        case addUnit(RegisteredProcessor, UnitStatus)
        /// What came from them is handed over, then `done` is called, on this thread.
        case removeUnits([Int32], done: @Sendable () -> Void)
        /// Whether a unit's meters are wanted.
        case records(processor: Int32, Bool)
        /// Takes the place of one with the same address and peer. `peer`: the only one that it receives from.
        case addSocket(descriptor: Int32, address: IPv4Address, peer: UnitPort?)
        /// All sockets of this address.
        case removeSocket(address: IPv4Address)
        /// The one that is connected to this peer.
        case removePeer(address: IPv4Address, peer: UnitPort)
        /// Datagrams from this address are this unit's, from `done` on, which is called on this thread.
        case route(IPv4Address, processor: Int32, done: @Sendable () -> Void)
        case unroute(IPv4Address, processor: Int32)
        /// The unit's control endpoint and our own port of that connection, to find other programs' connections.
        case controlConnection(processor: Int32, UnitEndpoint?)
        case otherClient(processor: Int32, Bool)
        /// Whether other programs listen on the port.
        case relay(Bool)
        /// Meter values that came by TCP.
        case readings(processor: Int32, [Reading], at: Int64)
        case stop
    }

    private let commands = Mutex<[Command]>([])
    private let wakeDescriptor: Int32
    private let stopped: AsyncStream<Void>

    /// Whether relayed datagrams keep the unit's own address.
    package let relayKeepsSource: Bool

    /// Starts the thread. `queue` takes the frames; `wakeWriter` is called when a whole block waits. Datagrams longer than
    /// `slotBytes` are cut. `levels`: where each value is shown.
    package init(
        queue: FrameQueue, slotBytes: Int32 = ReceiveLimits().slotBytes, clock: RecorderClock, feed: Feed,
        levels: LevelMemory? = nil, wakeWriter: @escaping @Sendable () -> Void,
        notify: @escaping @Sendable (Notice) -> Void
    ) throws(ReceiverError) {
        wakeDescriptor = csockets_wake_create()
        guard wakeDescriptor >= 0 else {
            throw ReceiverError(doing: "make an event descriptor", errno: -wakeDescriptor)
        }
        let (stopped, continuation) = AsyncStream<Void>.makeStream()
        self.stopped = stopped
        // The thread's own from here on.
        nonisolated(unsafe) let relay = try Relay()
        relayKeepsSource = relay.keepsSource
        // What the writer commits before the thread has handed over anything must not count as all that arrived until then.
        var first = FrameBlock()
        first.completeUntil = clock.wallNow
        _ = queue.exchange(first)
        try DedicatedThread.start(named: "atlas-meters") { [self] in
            ReceiveLoop(
                wake: wakeDescriptor, slotBytes: slotBytes, relay: relay, takeCommands: { self.takeCommands() },
                queue: queue, clock: clock, feed: feed, levels: levels,
                wakeWriter: wakeWriter, notify: notify
            ).run()
            continuation.finish()
        }
    }

    deinit { Glibc.close(wakeDescriptor) }

    func send(_ command: Command) {
        commands.withLock { $0.append(command) }
        csockets_wake(wakeDescriptor)
    }

    /// Receives what has already arrived, hands it over and ends the thread.
    package func stop() async {
        send(.stop)
        for await _ in stopped {}
    }

    private func takeCommands() -> [Command] {
        commands.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}

/// What the receiving side may hold. The defaults are for use; smaller ones make losses happen.
package struct ReceiveLimits: Sendable {
    /// Bytes asked for each socket's receive buffer; the kernel doubles what it grants for its own book-keeping (socket(7)).
    /// nil: as `receiveBuffer(units:)`.
    package var receiveBuffer: Int32?
    /// Bytes of the longest datagram that is kept whole: more than UDP over IPv4 can carry.
    package var slotBytes: Int32 = 65_536
    /// Bytes that may wait for the writer.
    package var queueBytes = FrameQueue.defaultLimit

    package init() {}

    /// For so many units on one socket: 32 KiB each, which holds what a unit sends at 10 Hz in about a second while the host
    /// does something else; at least 4 MiB, at most 64.
    package static func receiveBuffer(units: Int) -> Int32 {
        let mebibyte = 1024 * 1024
        return Int32(min(max(4 * mebibyte, units * 32 * 1024), 64 * mebibyte))
    }
}

/// Both ends of a control connection.
struct UnitEndpoint: Hashable, Sendable {
    let address: IPv4Address
    let port: UInt16
    let localPort: UInt16

    /// The programs of this host that have a control connection to this unit besides ours.
    func otherClients(among connections: [PortInspector.Socket]) -> [PortInspector.Socket] {
        connections.filter { $0.remote == address && $0.remotePort == port && $0.localPort != localPort }
    }
}
