import NIOCore

/// The clock of a unit: the programme goes on, and subscribed meters are sent.
extension SimulatedUnit: NIOScheduledCallbackHandler {
    /// A datagram holds at most so many values, whatever the shape: it must stay below 65,507 bytes.
    private static let datagramLimit = 1000

    /// Starts the programme and the script; all units of a simulation count from the same origin.
    func startTimers(origin: NIODeadline) {
        nextTick = origin
        scheduleTick(after: origin)
        startScript(origin: origin)
    }

    private func scheduleTick(after now: NIODeadline) {
        let period = TimeAmount.nanoseconds(1_000_000_000 / Int64(configuration.ticksPerSecond))
        nextTick = nextTick + period
        if nextTick < now - .seconds(1) { nextTick = now + period }  // the host slept: do not catch up
        timer = try? eventLoop.assumeIsolated().scheduleCallback(at: nextTick, handler: self)
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        let now = NIODeadline.now()
        scheduleTick(after: now)
        tick(now)
    }

    private func tick(_ now: NIODeadline) {
        ticks += 1
        stepDebt += configuration.stepsPerSecond
        while stepDebt >= configuration.ticksPerSecond {
            stepDebt -= configuration.ticksPerSecond
            step()
        }
        for connection in connections where connection.phase == .open {
            if behaviour.sendsMeters { sendTick(to: connection) }
            if behaviour.sendsGarbage { sendGarbage(to: connection) }
        }
        if ticks % configuration.ticksPerSecond == 0 { endIdleConnections(now) }
    }

    private func step() {
        steps += 1
        let time = Duration.microseconds(steps * 1_000_000 / configuration.stepsPerSecond)
        programme.advance(closed: isClosed || configuration.closingTimes.contains { $0.contains(time) })
        mixer.update(&table, from: programme)
    }

    private func sendTick(to connection: UnitConnection) {
        let meters = connection.meters
        let isDue = { (position: Int) in
            !self.configuration.sendsOnlyChanges
                || meters[position].sent != self.table.level(meters[position].value.parameter)
        }
        switch configuration.shape {
        case .tick, .datagram:
            sendMeters(at: meters.indices.filter(isDue), to: connection)
        case .single:
            guard !meters.isEmpty else { return }
            let start = Int.random(in: 0..<meters.count, using: &random)
            let due = meters.indices.lazy.map { (start + $0) % meters.count }.first(where: isDue)
            if let due { sendMeters(at: [due], to: connection) }
        }
    }

    /// `update` of meters that the connection subscribed to, by their positions in its list.
    func sendMeters(at positions: [Int], to connection: UnitConnection) {
        guard behaviour.sendsMeters else { return }
        for position in positions {
            connection.noteSent(table.level(connection.meters[position].value.parameter), ofMeterAt: position)
        }
        sendMeters(positions.map { connection.meters[$0].value }, as: "update", id: nil, to: connection)
    }

    /// Values in as many datagrams as the shape makes of them.
    func sendMeters(_ values: [Subscription], as method: String, id: JSONValue?, to connection: UnitConnection) {
        guard behaviour.sendsMeters else { return }
        let limit = min(configuration.shape.metersPerDatagram, Self.datagramLimit)
        for start in stride(from: 0, to: values.count, by: limit) {
            let part = values[start..<min(start + limit, values.count)]
            let datagram = message(method, part, asArray: true, id: id)
            guard send(datagram, to: connection) else { continue }
            statistics.meterDatagrams += 1
            statistics.samples += part.count
            connection.statistics.meterDatagrams += 1
            connection.statistics.samples += part.count
        }
    }

    /// Whether it left; counted if not.
    func send(_ datagram: ByteBuffer, to connection: UnitConnection) -> Bool {
        let isSent = socket.send(datagram, to: connection.meterAddress)
        if !isSent { statistics.unsentDatagrams += 1 }
        return isSent
    }

    private func sendGarbage(to connection: UnitConnection) {
        let datagram = Garbage.datagrams[ticks % Garbage.datagrams.count]
        if send(ByteBuffer(bytes: datagram), to: connection) { statistics.garbageDatagrams += 1 }
        if ticks % 10 == 0 {
            connection.send(ByteBuffer(bytes: Garbage.lines[ticks / 10 % Garbage.lines.count] + [UInt8(ascii: "\n")]))
            statistics.garbageLines += 1
        }
    }

    private func endIdleConnections(_ now: NIODeadline) {
        guard let limit = configuration.idleLimit, behaviour.reads, behaviour.isPlugged else { return }
        for connection in openConnections where now - connection.lastCommand > TimeAmount(limit) {
            connection.finish()
        }
    }
}
