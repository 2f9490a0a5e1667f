import NIOCore

/// What goes wrong, and what an operator of the simulation changes.
extension SimulatedUnit {
    /// Succeeds when the fault is in force: a closed listener refuses, an ended fault is over.
    func inject(_ fault: Fault) -> EventLoopFuture<Void> {
        switch fault {
        case .refuse, .acceptAndClose, .notEnabled:
            for connection in openConnections { connection.finish() }
            return begin(fault)
        case .wedge, .silentUDP, .meterless, .garbage, .freeze, .unplug:
            return begin(fault)
        case .dropConnections:
            for connection in openConnections { connection.finish() }
        case .reset:
            for connection in connections { connection.reset() }
        case .rename(let zone, let name):
            return attempt { () throws(SimulatorError) in try set("ZoneName_\(zone)", to: .text(name)) }
        case .set(let parameter, let value):
            return attempt { () throws(SimulatorError) in try set(parameter, to: value) }
        case .renumber(let zone):
            for connection in openConnections { connection.finish() }
            return attempt { () throws(SimulatorError) in try removeZone(zone) }
        case .clear:
            return lift(faults)
        }
        return eventLoop.makeSucceededVoidFuture()
    }

    private func attempt(_ change: () throws(SimulatorError) -> Void) -> EventLoopFuture<Void> {
        eventLoop.makeCompletedFuture { try change() }
    }

    private func removeZone(_ zone: Int) throws(SimulatorError) {
        try table.removeZone(zone)
        mixer.update(&table, from: programme)
    }

    private func begin(_ fault: Fault) -> EventLoopFuture<Void> {
        if faults.insert(fault).inserted { report(.faultBegan(unit: number, fault)) }
        return settle()
    }

    func lift(_ ended: Set<Fault>) -> EventLoopFuture<Void> {
        for fault in ended where faults.remove(fault) != nil { report(.faultEnded(unit: number, fault)) }
        return settle()
    }

    /// Makes the sockets what the faults that hold want them to be.
    private func settle() -> EventLoopFuture<Void> {
        let before = behaviour
        behaviour = Behaviour(under: faults)
        for channel in channels {
            switch (before.isPlugged, behaviour.isPlugged) {
            case (true, false): Cable.unplug(channel)
            case (false, true): Cable.plug(channel)
            case (true, true), (false, false): break
            }
            if before.reads != behaviour.reads {
                channel.setOption(.autoRead, value: behaviour.reads).whenFailure { _ in }  // closed meanwhile
            }
        }
        return settleListener()
    }

    func startScript(origin: NIODeadline) {
        for step in configuration.script.steps where step.unit == nil || step.unit == number {
            schedule(step.fault, at: origin + TimeAmount(step.at), ends: false)
            if let lasting = step.lasting {
                schedule(step.fault, at: origin + TimeAmount(step.at + lasting), ends: true)
            }
        }
    }

    private func schedule(_ fault: Fault, at time: NIODeadline, ends: Bool) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        scriptTimers.append(
            eventLoop.scheduleTask(deadline: time) {
                let unit = bound.value
                (ends ? unit.lift([fault]) : unit.inject(fault)).whenFailure { error in
                    bound.value.report(.faultFailed(unit: bound.value.number, fault, reason: "\(error)"))
                }
            })
    }

    /// Sets a parameter as the unit itself would. A meter stays at its value until it is released.
    func set(_ name: String, to value: ParameterValue) throws(SimulatorError) {
        let (index, suited) = try table.find(name, suiting: value)
        if table[index].kind == .meter, case .level(let level) = suited {
            mixer.pinned[index] = level
            table.storeLevel(level, at: index)
        } else {
            store(suited, at: index)
        }
    }

    /// Lets a meter follow the programme again.
    func release(_ name: String) throws(SimulatorError) { mixer.pinned[try table.index(of: name)] = nil }
}
