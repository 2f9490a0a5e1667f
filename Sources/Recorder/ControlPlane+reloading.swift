import AtlasProtocol
import RecorderStore

/// What a reload does to the links. The others go on undisturbed.
extension ControlPlane {
    /// Ends the links of those that are removed or changed, and lets go of what they had; `done` when everything that came
    /// from the removed ones is on its way to the store.
    func withdraw(_ plan: ReloadPlan, done: @escaping @Sendable () -> Void) {
        guard !isStopping else { return }
        if let keepAlive = plan.keepAlive { keepAliveIs(keepAlive) }
        if let relays = plan.relays { ports.relays(relays) }
        for change in plan.changed {
            guard let link = link(named: change.old.name) else { continue }
            link.leave()
            // Until its new link has anything to say.
            tell(link.processor.id, .unknown(.recorderStarting))
        }
        let removed = plan.removed.compactMap { link(named: $0.name) }
        for link in removed {
            link.leave()
            forget(link)
        }
        let (loop, ids) = (loop, removed.map(\.processor.id))
        // The last one is drained when the receiver has carried out all that was sent before.
        receiver.send(
            .removeUnits(ids) {
                loop.eventLoop.execute {
                    loop.enter { plane in for id in ids { plane.tell(id, .unknown(.notRecorded)) } }
                    done()
                }
            })
    }

    /// Starts the links of units that the store has rows for; those that had one before go on under the same id.
    func begin(_ processors: [RegisteredProcessor]) {
        guard !isStopping else { return }
        for processor in processors {
            let before = link(processor.id)
            let link = ProcessorLink(processor, keepAlive: keepAlive, plane: self, status: before?.status)
            add(link)
            feed.put(.unit(processor))
            if before == nil {
                receiver.send(.addUnit(processor, link.status))
                tellFeed(processor.id, .unknown(.recorderStarting))
            } else {
                receiver.send(.records(processor: processor.id, processor.spec.subscriptions.hasMeters))
            }
            link.handle(.start)
        }
    }

    private func tell(_ id: Int32, _ state: LinkState) {
        let now = clock.wallNow
        outbox.put(Link.allCases.map { .change(processor: id, link: $0, state: state, since: now) })
        tellFeed(id, state)
    }

    private func tellFeed(_ id: Int32, _ state: LinkState) {
        for link in Link.allCases { feed.put(.change(id, link, state, since: clock.wallNow)) }
    }
}
