import NIOCore

/// One TCP connection to a unit: its lines, its subscriptions, its counters. Lives on the unit's event loop.
final class UnitConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    /// `finishing`: our FIN is sent; what still comes in is read, because closing on unread bytes would send RST.
    enum Phase { case open, finishing, closed }
    static let finishLimit = TimeAmount.seconds(1)  // for the other end to close too
    static let lineLimit = 1 << 20  // bytes

    let channel: any Channel
    private(set) var phase = Phase.open
    var meterAddress: SocketAddress
    /// Meters, in the order of their `sub`, with the level last sent.
    private(set) var meters: [(value: Subscription, sent: Int?)] = []
    private(set) var others: [Subscription] = []
    var statistics: ConnectionStatistics
    var lastCommand = NIODeadline.now()
    private let unit: SimulatedUnit
    private var unread = ByteBuffer()

    init(channel: any Channel, unit: SimulatedUnit, number: Int, peer: SocketAddress) {
        self.channel = channel
        self.unit = unit
        statistics = ConnectionStatistics(number: number, peer: peer)
        meterAddress = peer
    }

    func channelActive(context: ChannelHandlerContext) {
        // From here on the unit knows this connection, and tells it when the port changes.
        meterAddress.port = unit.meterPort
        unit.opened(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        unit.closed(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase == .open else { return }
        var bytes = unwrapInboundIn(data)
        unread.writeBuffer(&bytes)
        while phase == .open, let length = unread.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let line = unread.readBytes(length: length - unread.readerIndex)!
            unread.moveReaderIndex(forwardBy: 1)
            if !line.isEmpty { unit.received(line, from: self) }
        }
        unread.discardReadBytes()
        if unread.readableBytes > Self.lineLimit { finish() }
    }

    func send(_ message: ByteBuffer) {
        guard phase == .open else { return }
        channel.writeAndFlush(message, promise: nil)
    }

    /// Ends the connection with FIN. Its subscriptions end now.
    func finish() {
        guard phase == .open else { return }
        phase = .finishing
        unit.ended(self)
        channel.close(mode: .output, promise: nil)
        let channel = channel
        channel.eventLoop.scheduleTask(in: Self.finishLimit) { channel.close(promise: nil) }
    }

    /// Ends the connection with RST.
    func reset() {
        if phase == .open { unit.ended(self) }
        phase = .finishing
        _ = (channel as? any SocketOptionProvider)?.setSoLinger(NIOLinger(l_onoff: 1, l_linger: 0))
        channel.close(promise: nil)
    }

    func subscribe(_ value: Subscription, isMeter: Bool) {
        if isMeter {
            if !meters.contains(where: { $0.value == value }) { meters.append((value, nil)) }
        } else if !others.contains(value) {
            others.append(value)
        }
        statistics.subscriptions = meters.count + others.count
    }

    /// Of one format, or of all if it is nil.
    func unsubscribe(_ parameter: Int, _ format: Request.Format?) {
        func isMeant(_ value: Subscription) -> Bool {
            value.parameter == parameter && (format == nil || value.format == format)
        }
        meters.removeAll { isMeant($0.value) }
        others.removeAll(where: isMeant)
        statistics.subscriptions = meters.count + others.count
    }

    func noteSent(_ level: Int, ofMeterAt position: Int) { meters[position].sent = level }
}

/// A parameter in a format. A connection may hold several formats of the same parameter.
struct Subscription: Hashable {
    let parameter: Int  // index in the table
    let format: Request.Format
}
