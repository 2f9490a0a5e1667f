import CSockets
import Diagnosis
import Glibc
import RecorderStore
import WallTime

extension Doctor {
    func recorder(_ state: RecorderState, _ content: StoreContent, _ picture: PortPicture?) -> Finding {
        switch state {
        case .runs(let name):
            let others = name.waiting == 0 ? "" : name.waiting == 1 ? "; one stands by" : "; \(name.waiting) stand by"
            if let run = content.run, run.version != version {
                return Finding(
                    "recorder", .attention,
                    "\(name.words) records with version \(run.version), this is \(version)\(others).",
                    remedy: "Start it anew with the new program (docs/install.md, Upgrade).")
            }
            return Finding("recorder", .ok, "\(name.words) records, version \(version)\(others).")
        case .begins(let name):
            return Finding(
                "recorder", .attention, "\(name.words) holds the store and has not begun to record.",
                remedy:
                    "Ask again in a minute: it may be bringing a store of an older version up to date. If it stays so, look "
                    + "at its log: the disk may be full or refuse.")
        case .hangs(let name, let seconds):
            return Finding(
                "recorder", .problem, "\(name.words) holds the store and has written nothing for \(seconds) s.",
                remedy:
                    "Look at 'disk' and 'writers' below, and at its log. While the disk is full, or another program holds the store, "
                    + "do not restart it: what waits in its memory would be lost. Where neither is so, restart it."
            )
        case .absent, .unseen:
            let last = content.run.map { run in
                run.isClean
                    ? "; the last one stopped at \(Self.time(run.ended ?? run.heartbeat))"
                    : "; the last one died, its last sign of life is of \(Self.time(run.heartbeat))"
            }
            let elsewhere = ProcFiles.recorders().map { "pid \($0.pid)" }
            let names = elsewhere.prefix(4).joined(separator: ", ")
            let there = elsewhere.isEmpty ? "" : "; for another store there is \(names)"
            return Finding(
                "recorder", .attention, "nobody records into this store\(last ?? "")\(there).",
                remedy: elsewhere.isEmpty
                    ? "Start it: systemctl start atlas-recorder, or atlas-recorder run --processor HOST."
                    : "Name that one's store with --store, or start one for this.")
        }
    }

    private static func time(_ microseconds: Int64) -> String { String(LocalTime.textWithZone(microseconds)) }

    /// The receive buffer that the recorder has or would get, against what it asks for.
    func receiveBuffer(_ state: RecorderState, _ content: StoreContent) -> Finding {
        let asked = Int(ReceiveLimits.receiveBuffer(units: max(processors.count, content.processors.count)))
        let limit = Int(
            String(decoding: ProcFiles.read("/proc/sys/net/core/rmem_max").filter { $0 > 32 }, as: UTF8.self))
        // With CAP_NET_ADMIN it passes the limit; of a recorder that runs its own rights count, not ours.
        let itsOwn = state.pid.flatMap { ProcFiles.canAdministrateNetwork($0) }
        let got = itsOwn.map { $0 ? asked : min(asked, limit ?? asked) } ?? Int(csockets_try_buffer(Int32(asked))) / 2
        let whose = itsOwn == nil ? "with this user's rights" : "the recorder"
        let text =
            "\(whose) gets \(got / 1024) KiB of \(asked / 1024) asked (net.core.rmem_max \(limit.map { "\($0)" } ?? "?"))"
        let drops = content.drops
        let remedy =
            "echo net.core.rmem_max=\(asked) | sudo tee /etc/sysctl.d/60-atlas-recorder.conf && sudo sysctl --system, then "
            + "restart the recorder."
        if drops > 0 {
            return Finding(
                "receive buffer", .attention,
                "\(text), and the kernel dropped \(drops) datagrams in the last 24 hours because it was full.",
                remedy: got < asked ? remedy : "The host is overloaded: see atlas-recorder report losses for when.")
        }
        guard got < asked else {
            return Finding("receive buffer", .ok, "\(text); nothing dropped in the last 24 hours.")
        }
        return Finding(
            "receive buffer", .attention, "\(text): a burst while the host is busy may be lost.", remedy: remedy)
    }

    /// Who is on the meters' port and what that means.
    func port(_ picture: PortPicture?, _ state: RecorderState, _ content: StoreContent) -> Finding {
        let subject = "port"
        guard let picture else {
            return Finding(
                subject, .attention, "cannot be looked at: \(PortLook.Failure().description)", remedy: "Mount /proc.")
        }
        if let loner = picture.loner {
            return Finding(
                subject, .problem,
                "\(loner.socket.owner.name) holds UDP \(meterPort) without address reuse: the recorder gets EADDRINUSE.",
                remedy: "Stop it, or \(PortPicture.remedy).")
        }
        guard !picture.entries.isEmpty else {
            return Finding(subject, .ok, "nobody on this host is bound to UDP \(meterPort).")
        }
        let thieves = picture.entries.filter { entry in
            guard !entry.socket.owner.isRecorder else { return false }
            let isSpecific = if case .ipv4 = entry.socket.local { true } else { false }
            return isSpecific && entry.share != .nothing
        }
        if let recorder = picture.recorder, recorder.share == .nothing {
            return Finding(
                subject, .problem,
                "\(recorder.socket.owner.name) gets nothing on \(recorder.socket.place): \(recorder.reason).",
                remedy: "Let the other program bind 0.0.0.0: it then gets everything by relay.")
        }
        if !thieves.isEmpty {
            let names = thieves.map { "\($0.socket.owner.name) on \($0.socket.place)" }.joined(separator: ", ")
            return Finding(
                subject, .attention, "\(names) goes before every program bound to 0.0.0.0.",
                remedy: "Let it bind 0.0.0.0; atlas-recorder ports says who gets what.")
        }
        let recorders = Set(picture.entries.flatMap { $0.socket.owner.programs.filter(\.isRecorder) })
        if recorders.count > 1 {
            let names = recorders.map { "pid \($0.pid)" }.sorted().joined(separator: ", ")
            return Finding(
                subject, .problem, "\(recorders.count) recorders take the meters from each other: \(names).",
                remedy: "Stop all but one, or give them the same --store and --standby.")
        }
        let silent = picture.entries.filter { entry in
            guard entry.share == .nothing, !entry.socket.isIPv6 else { return false }
            return picture.recorder != nil && !entry.socket.owner.isRecorder
        }
        if let first = silent.first {
            return Finding(
                subject, .attention,
                "\(first.socket.owner.name) on \(first.socket.place) gets nothing: \(first.reason).",
                remedy:
                    "Let it bind 0.0.0.0: it then gets everything by relay. Or let it read the feed (atlas-recorder tail)."
            )
        }
        let starved = picture.entries.filter { $0.share == .rest }
        if let recorder = picture.recorder, !recorder.socket.owner.relays, !starved.isEmpty {
            let names = starved.map(\.socket.owner.name).joined(separator: ", ")
            return Finding(
                subject, .attention,
                "\(names) gets none of the meters: \(recorder.socket.owner.name) runs with --no-relay.",
                remedy: "Start the recorder without --no-relay, or let it read the feed (atlas-recorder tail)."
            )
        }
        return Finding(subject, .ok, Self.shares(picture) + (picture.recorder == nil ? "" : Self.warning(meterPort)))
    }

    private static func shares(_ picture: PortPicture) -> String {
        let words: [(PortPicture.Share, String)] = [
            (.all, "gets the datagrams"), (.fromPeer, "gets what its peer sends"), (.relayed, "gets them all by relay"),
            (.rest, "gets what is sent to other addresses"), (.nothing, "gets nothing"),
        ]
        let parts = words.compactMap { share, what -> String? in
            let names = picture.entries.filter { $0.share == share }.map(\.socket.owner.name)
            guard !names.isEmpty else { return nil }
            let more = names.count > 4 ? " and \(names.count - 4) more" : ""
            return "\(names.prefix(4).joined(separator: ", "))\(more) \(what)"
        }
        return parts.joined(separator: "; ") + "."
    }

    private static func warning(_ port: UInt16) -> String {
        " A program that binds UDP \(port) without address reuse gets EADDRINUSE: \(PortPicture.remedy)."
    }

    func clock() -> Finding {
        switch csockets_clock_synchronized() {
        case 1: return Finding("clock", .ok, "kept right, as the kernel was told.")
        case 0:
            return Finding(
                "clock", .attention, "nobody keeps it right: the times in the store may be off.",
                remedy: "timedatectl set-ntp true; with chrony, rtcsync in chrony.conf lets the kernel know.")
        default: return Finding("clock", .ok, "whether somebody keeps it right cannot be told here.")
        }
    }
}

/// This host's name, as the store has it too.
enum HostName {
    static var text: String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, 255) == 0 else { return "unknown" }
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
