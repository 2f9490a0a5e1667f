import AtlasProtocol
import Diagnosis
import NIOPosix
import RecorderStore
import WallTime

extension Doctor {
    /// Each unit: the recorder's word where it records it, else asked.
    func units(_ content: StoreContent, _ recorder: RecorderState, _ picture: PortPicture?) async -> [Finding] {
        let known = content.processors
        let wanted = processors.isEmpty ? known.filter(\.isConfigured).map(\.spec) : processors
        guard !wanted.isEmpty else {
            let why = content.error == nil ? "the store has none" : "the store cannot be asked"
            return [
                Finding(
                    "processors", .attention, "none is known: \(why), and none was named.",
                    remedy: "atlas-recorder doctor --processor 192.168.5.101")
            ]
        }
        let addresses = await addresses(of: wanted, picture)
        var findings: [Finding?] = []
        var toAsk: [ProcessorSpec] = []
        for spec in wanted {
            let state = known.first {
                $0.isConfigured && $0.spec.host == spec.host && $0.spec.controlPort == spec.controlPort
            }
            if case .begins(let holder) = recorder, state != nil {
                findings.append(
                    Finding(
                        "processor \(spec.name)", .attention, "\(holder.words) has not begun with it.",
                        remedy: "See 'recorder' above."))
            } else if recorder.isThere, let state {
                findings.append(recorded(state, holder: content.holder))
            } else if spec.isSimulated {
                findings.append(
                    Finding("processor \(spec.name)", .ok, "simulated: it is there while run --simulate runs."))
            } else if let client = self.client(of: spec, at: addresses[spec.host] ?? [], picture) {
                findings.append(
                    Finding(
                        "processor \(spec.name)", .ok,
                        "a recorder, \(client.owner.name), is connected to it; no second connection was opened."))
            } else {
                findings.append(nil)
                toAsk.append(spec)
            }
        }
        guard !toAsk.isEmpty else { return findings.compactMap { $0 } }
        let occupants = picture.map { Set($0.entries.map(\.socket.owner.name)).sorted() } ?? []
        // A socket of ours would take the datagrams from whoever is there.
        let canListen = !recorder.isThere && occupants.isEmpty && picture != nil
        var answers = await UnitProbe(meterPort: canListen ? meterPort : nil).ask(toAsk)[...]
        return zip(wanted, findings).compactMap { spec, finding in
            finding ?? answers.popFirst().map { asked(spec, $0, occupants) }
        }
    }

    /// A recorder of this host that is connected to it.
    private func client(
        of spec: ProcessorSpec, at addresses: Set<IPv4Address>, _ picture: PortPicture?
    ) -> UnitClient? {
        let places = Set(addresses.map { "\($0):\(spec.controlPort)" })
        return picture?.clients.first { places.contains($0.unit) && $0.owner.isRecorder }
    }

    /// The addresses of each host, where somebody is connected to a unit.
    private func addresses(of specs: [ProcessorSpec], _ picture: PortPicture?) async -> [String: Set<IPv4Address>] {
        guard picture?.clients.contains(where: \.owner.isRecorder) == true else { return [:] }
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        return await withTaskGroup { group in
            for host in Set(specs.map(\.host)) {
                group.addTask { (host, await Resolver.addresses(of: host, on: eventLoop)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    // MARK: by the recorder's word

    private func recorded(_ unit: ProcessorState, holder: String?) -> Finding {
        let subject = "processor \(unit.spec.name)"
        guard let control = unit.control, let meters = unit.meters else {
            return Finding(
                subject, .attention, "the recorder has just begun with it.", remedy: "Ask again in a minute.")
        }
        var facts = [words("control", control), words("meters", meters)]
        if let firmware = unit.firmware { facts.append("firmware \(firmware)") }
        if let seen = unit.lastSeen { facts.append("last heard \(max(0, now - seen) / 1_000_000) s ago") }
        let text = facts.joined(separator: ", ") + " (the recorder's word)."
        for link in [control, meters] where link.state == "down" {
            // Where both are down the control link's cause comes first.
            var text = text
            if link.cause == "EADDRINUSE", let holder { text += " Held by \(holder)." }
            return Finding(
                subject, .problem, text, remedy: CauseAdvice.remedy(for: link.cause ?? "", port: meterPort))
        }
        guard control.state == "up", meters.state == "up" else {
            return Finding(subject, .attention, text, remedy: "The recorder has just begun: ask again in a minute.")
        }
        return Finding(subject, .ok, text)
    }

    private func words(_ name: String, _ link: ProcessorState.LinkRow) -> String {
        let cause = link.cause.map { " (\($0))" } ?? ""
        return "\(name) \(link.state)\(cause) since \(LocalTime.text(link.since).prefix(19))"
    }

    // MARK: asked

    private func asked(_ spec: ProcessorSpec, _ answer: UnitProbe.Answer, _ occupants: [String]) -> Finding {
        let subject = "processor \(spec.name)"
        switch answer {
        case .unreachable(let cause, let detail):
            return Finding(
                subject, .problem, "no connection: \(cause), \(detail).",
                remedy: CauseAdvice.remedy(for: cause.code, port: meterPort))
        case .ended:
            return Finding(
                subject, .problem, "it takes the connection and ends it without an answer.",
                remedy: CauseAdvice.remedy(for: "closed", port: meterPort))
        case .silent:
            return Finding(
                subject, .problem,
                "it takes the connection and answered nothing within \(UnitProbe.patience) s: third-party control is off, or "
                    + "its control port has locked up.", remedy: CauseAdvice.remedy(for: "not_enabled", port: meterPort)
            )
        case .answering(let firmware, let milliseconds, let echo):
            let facts = "answers within \(milliseconds) ms, firmware \(firmware ?? "not told")"
            switch echo {
            case true?: return Finding(subject, .ok, "\(facts), UDP echo seen.")
            case false?:
                return Finding(
                    subject, .problem, "\(facts); the keep-alive's echo did not come by UDP \(meterPort).",
                    remedy: CauseAdvice.remedy(for: "not_arriving", port: meterPort))
            case nil:
                let who =
                    occupants.isEmpty ? "it could not be bound" : "\(occupants.joined(separator: ", ")) is on the port"
                return Finding(subject, .ok, "\(facts). UDP echo not listened for: \(who).")
            }
        }
    }
}
