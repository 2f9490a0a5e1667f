import AtlasProtocol

/// What the receiving thread is told.
extension ReceiveLoop {
    func carryOut(_ command: MeterReceiver.Command) {
        switch command {
        case .addUnit(let processor, let status): units[processor.id] = ReceivedUnit(processor, status)
        case .addSocket(let descriptor, let address, let peer):
            removeSockets { $0.address == address && $0.peer == peer }
            sockets.append(MeterSocket(descriptor, address, peer: peer))
        case .relay(let isWanted): relay?.isWanted = isWanted
        case .removeSocket(let address): removeSockets { $0.address == address }
        case .removePeer(let address, let peer): removeSockets { $0.address == address && $0.peer == peer }
        case .route(let address, let processor): route(address, units[processor])
        case .unroute(let address, let processor):
            if routes[address.bits]?.processor == processor { route(address, nil) }
        case .controlConnection(let processor, let endpoint): units[processor]?.endpoint = endpoint
        case .otherClient(let processor, let isThere): units[processor]?.intake.assembler.hasOtherClient = isThere
        case .readings(let processor, let readings, let at):
            guard let unit = units[processor] else { return }
            readings.withUnsafeBufferPointer { unit.take($0, at: at, into: &block, notify) }
            if !unit.isCounted { listCounts(of: unit) }
            list(unit)
        case .stop: isRunning = false
        }
    }

    private func route(_ address: IPv4Address, _ unit: ReceivedUnit?) {
        routes[address.bits] = unit
        lastRoute = nil
    }

    private func removeSockets(_ isMeant: (MeterSocket) -> Bool) {
        for socket in sockets where isMeant(socket) {
            drain(socket)
            summarize(socket, at: clock.wallNow)
            socket.close()
        }
        sockets.removeAll(where: isMeant)
    }
}
