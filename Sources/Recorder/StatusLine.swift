import AtlasProtocol
import RecorderStore
import WallTime

/// One line on stdout for each change of state, printed when it is safely stored.
enum StatusLine {
    /// `16:30:00.123  Main Bar  meters down: EADDRINUSE (…)`; nil for what is no change of state.
    static func text(for entry: Entry, processor name: (Int32) -> String) -> String? {
        guard case .event(let event) = entry else { return nil }
        let time = LocalTime.text(event.at).dropFirst(11)
        let subject = event.processor.map(name) ?? "recorder"
        // A name or a unit's own words stay on their line, and do nothing to the terminal.
        let line = "\(time)  \(subject)  \(words(for: event))"
        return String(
            String.UnicodeScalarView(line.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }

    /// What to look at next, for whoever reads this at night. The recorder itself goes on trying, whatever the cause.
    private static func hint(for cause: Cause, _ detail: String?) -> String? {
        switch cause {
        case .refused, .notEnabled: "is third-party control on in the unit? tried again for ever"
        case .timeout, .unreachable, .silent: "is the unit on, and its cable in? tried again for ever"
        case .addressGone: "connecting again from the new one"
        case .unresolved: "check the name; tried again for ever"
        case .wedged: "it takes no command any more, meters may still flow: the unit needs a restart"
        case .notArriving: "the unit answers by TCP: does a firewall or VLAN stop UDP from it?"
        case .taken: takenHint(detail)
        default: nil
        }
    }

    private static func takenHint(_ detail: String?) -> String {
        if detail?.hasPrefix("atlas-recorder ") ?? false {
            return "one recorder on a host: stop one, or give it this --store with --standby"
        }
        return "another program took the datagrams: let it bind 0.0.0.0 instead"
    }

    private static func words(for event: Entry.Event) -> String {
        let facts = [event.detail, event.cause.flatMap { hint(for: $0, event.detail) }].compactMap { $0 }
        let detail = facts.isEmpty ? "" : " (\(facts.joined(separator: "; ")))"
        let cause = event.cause.map { ": \($0)" } ?? ""
        return switch event.name {
        case .started: "started\(detail)"
        case .stopped: "stopped\(detail)"
        case .reloaded: "reloaded\(detail)"
        case .reloadRefused: "not reloaded\(detail)"
        case .connected: "connected\(detail)"
        case .answering: "control up\(detail)"
        case .connectFailed, .disconnected, .wedged, .unanswered: "control down\(cause)\(detail)"
        case .givenUp: "connection given up\(cause)"
        case .subscribed: "subscribed\(detail)"
        case .parameterRefused: "parameter refused\(detail)"
        case .bound: "meters' socket bound\(detail)"
        case .rebound: "meters' socket moved\(detail)"
        case .metersLost, .taken: "meters down\(cause)\(detail)"
        case .metersFlowing: "meters up\(detail)"
        case .portJoined: "another program is on the meters' port\(detail)"
        case .portLeft: "a program has left the meters' port\(detail)"
        case .relaying: "relaying\(detail)"
        case .relayEnded: "relay ended\(detail)"
        case .renamed: "renamed\(detail)"
        case .addressShared: "address shared\(detail)"
        case .otherClient: "another program of this host has a connection to it\(detail)"
        case .otherClientGone: "no other program of this host has a connection to it any more"
        case .clockStep: "clock step\(detail)"
        case .recorderStalled: "held up\(detail)"
        case .hostAsleep: "the host slept\(detail)"
        case .storeSetAside: "store set aside\(detail)"
        case .storeMoved: "store moved\(detail)"
        case .storeChecked: "store checked\(detail)"
        case .storeRescued: "store rescued\(detail)"
        case .pruned: "pruned\(detail)"
        }
    }
}
