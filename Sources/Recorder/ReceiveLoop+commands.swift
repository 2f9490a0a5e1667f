import AtlasProtocol

/// What the receiving thread is told.
extension ReceiveLoop {
    func carryOut(_ command: MeterReceiver.Command) {
        switch command {
        case .addUnit(let processor, let status):
            units[processor.id] = ReceivedUnit(processor, status, levels: levels?.row(of: processor.id))
        case .removeUnits(let processors, let done):
            for processor in processors { remove(processor) }
            if !processors.isEmpty { handOver() }
            done()
        case .records(let processor, let isRecorded): units[processor]?.isRecorded = isRecorded
        case .addSocket(let descriptor, let address, let peer):
            removeSockets { $0.address == address && $0.peer == peer }
            sockets.append(MeterSocket(descriptor, address, peer: peer))
        case .relay(let isWanted): relay.isWanted = isWanted
        case .removeSocket(let address): removeSockets { $0.address == address }
        case .removePeer(let address, let peer): removeSockets { $0.address == address && $0.peer == peer }
        case .route(let address, let processor, let done):
            route(address, units[processor])
            // A connection is about to be made: which meters the unit has now will be heard.
            units[processor]?.levels?.clear()
            done()
        case .unroute(let address, let processor):
            if routes[address.bits]?.processor == processor { route(address, nil) }
        case .controlConnection(let processor, let endpoint): units[processor]?.endpoint = endpoint
        case .otherClient(let processor, let isThere): units[processor]?.intake.assembler.hasOtherClient = isThere
        case .readings(let processor, let readings, let at):
            guard let unit = units[processor], unit.isRecorded else { return }
            readings.withUnsafeBufferPointer { readings in
                unit.take(readings, at: at, into: &block) { isShared(unit) }
            }
            if !unit.isCounted { listCounts(of: unit) }
            list(unit)
        case .stop: isRunning = false
        }
    }

    /// Microseconds for which a unit that is no longer recorded may go on sending.
    private static let farewell: Int64 = 5_000_000

    /// What was in the sockets has been read before the commands.
    private func remove(_ processor: Int32) {
        guard let unit = units.removeValue(forKey: processor) else { return }
        for address in routes.filter({ $0.value === unit }).keys { route(IPv4Address(bits: address), nil) }
        unit.isRecorded = false
        unit.intake.assembler.close(into: &block)
        unit.intake.assembler.summarize(into: &block)
    }

    private func route(_ address: IPv4Address, _ unit: ReceivedUnit?) {
        routes[address.bits] = unit
        lastRoute = nil
        // A unit goes on sending until it has heard that its connection has ended.
        left[address.bits] = unit == nil ? clock.now.microseconds + Self.farewell : nil
    }

    private func removeSockets(_ isMeant: (MeterSocket) -> Bool) {
        for socket in sockets where isMeant(socket) {
            drain(socket)
            summarize(socket, at: clock.wallNow)
            socket.close()
        }
        sockets.removeAll(where: isMeant)
    }

    func summarize(_ socket: MeterSocket, at wall: Int64) {
        // Whose samples a full receive buffer cost can be told only where there is one unit.
        let only = units.count == 1 ? units.first?.key : nil
        socket.summarize(at: wall, processor: only, into: &block, notify)
    }
}
