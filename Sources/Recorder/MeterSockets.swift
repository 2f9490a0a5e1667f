import AtlasProtocol
import CSockets
import Glibc
import NIOCore
import RecorderStore
import WallTime

/// One UDP socket for each local address that a unit sends to: the local address of its control connection. Bound with
/// SO_REUSEADDR on that very address, which wins over every program bound to 0.0.0.0. Confined to the event loop.
final class MeterSockets {
    /// Between two tries to bind.
    static let retry = TimeAmount.seconds(2)
    private static let takeBackPause = Span.seconds(60)

    private final class Place {
        let address: IPv4Address
        var links: [ProcessorLink] = []
        var isBound = false
        var bufferGot: Int32 = 0
        var port: UInt16 = 0
        var retry: Scheduled<Void>?
        var lastErrno: Int32 = 0
        var rivalInodes: Set<UInt64> = []
        /// When datagrams were taken back last, by whom the thief was connected to; nil: to nobody.
        var tookBackAt: [UnitPort?: Instant] = [:]
        /// Whom our own connected sockets here are connected to.
        var peers: Set<UnitPort> = []
        var holder: String?
        init(_ address: IPv4Address) { self.address = address }
    }

    private unowned let plane: ControlPlane
    private let port: UInt16
    /// nil: as large as the units need that there are when a socket is bound.
    private let fixedBuffer: Int32?
    private var receiveBuffer: Int32 { fixedBuffer ?? ReceiveLimits.receiveBuffer(units: plane.unitCount) }
    private var places: [IPv4Address: Place] = [:]
    /// Told of each socket that is bound: the simulator in the same process has to know a port that was not chosen.
    private let onBound: @Sendable (IPv4Address, UInt16) -> Void

    init(
        plane: ControlPlane, port: UInt16, receiveBuffer: Int32?,
        onBound: @escaping @Sendable (IPv4Address, UInt16) -> Void
    ) {
        (self.plane, self.port, fixedBuffer, self.onBound) = (plane, port, receiveBuffer, onBound)
    }

    /// This link's unit sends to `address`: the link is told whether a socket is bound there, now and when it changes.
    func want(_ address: IPv4Address, by link: ProcessorLink) {
        let had = place(of: link)
        if let had, had.address != address { leave(had, link) }
        let place = places[address] ?? Place(address)
        places[address] = place
        if !place.links.contains(where: { $0 === link }) { place.links.append(link) }
        if place.isBound {
            if had?.address != address { recordBound(place, link, had != nil) }
            link.handle(.metersBound)
        } else if place.retry != nil {
            link.handle(.metersNotBound(.errno(ErrnoName.name(place.lastErrno)), detail: detail(place)))
        } else {
            bind(place, moved: had != nil && had !== place)
        }
    }

    /// Forgets our sockets that are closed. `before`: which were ours when the kernel was asked; `present`: all that it told.
    func forgetClosed(_ before: Set<UInt64>, _ present: Set<UInt64>) {
        let gone = before.subtracting(present)
        plane.ownSockets.subtract(gone)
    }

    var boundPorts: Set<UInt16> { Set(places.values.filter(\.isBound).map(\.port)) }

    /// Where this link's meters arrive, if a socket is bound there.
    func local(of link: ProcessorLink) -> (address: IPv4Address, port: UInt16)? {
        place(of: link).flatMap { $0.isBound ? ($0.address, $0.port) : nil }
    }

    // MARK: taking back

    /// Tells each link whose datagrams somebody takes, and takes them back, at most once a minute: of two that want the
    /// same the last one bound has it, so without a limit they would take it in turns.
    func takeBack(port: UInt16, _ thieves: (_ unit: IPv4Address?, _ local: IPv4Address) -> [PortControl.Thief]) {
        for place in places.values where place.isBound && place.port == port {
            var victims: [UnitPort?: (names: [String], links: [ProcessorLink])] = [:]
            for link in place.links {
                let those = thieves(link.endpoint?.address, place.address).filter { !link.hasHeard(since: $0.since) }
                guard !those.isEmpty else { continue }
                link.handle(.metersTaken(by: Self.list(those.map(\.name)) + pause(place, Set(those.map(\.peer)))))
                for peer in Set(those.map(\.peer)) {
                    let names = those.filter { $0.peer == peer }.map(\.name)
                    let known = victims[peer] ?? ([], [])
                    victims[peer] = (known.names + names.filter { !known.names.contains($0) }, known.links + [link])
                }
            }
            for (peer, victim) in victims {
                let now = plane.clock.now
                if let last = place.tookBackAt[peer], now - last < Self.takeBackPause { continue }
                place.tookBackAt = place.tookBackAt.filter { now - $0.value < Self.takeBackPause }
                place.tookBackAt[peer] = now
                takeBack(place, connectedTo: peer, from: Self.list(victim.names), for: victim.links)
            }
        }
    }

    /// When it will be taken back, if not at once.
    private func pause(_ place: Place, _ peers: Set<UnitPort?>) -> String {
        let (now, last) = (plane.clock.now, peers.compactMap { place.tookBackAt[$0] }.max())
        guard let last, now - last < Self.takeBackPause else { return "" }
        let time = LocalTime.text(plane.clock.wall(of: last + Self.takeBackPause)).dropFirst(11).prefix(8)
        return "; not taken back before \(time)"
    }

    private static func list(_ names: [String]) -> String { names.joined(separator: ", ") }

    /// Bound anew, the socket is the last one and has it all. From a connected one only a connected one takes it back.
    private func takeBack(
        _ place: Place, connectedTo peer: UnitPort?, from thieves: String, for links: [ProcessorLink]
    ) {
        var buffer: Int32 = 0
        let descriptor = csockets_bind_udp(place.address.bits, place.port, receiveBuffer, &buffer)
        guard descriptor >= 0 else { return takeBackFailed(place, -descriptor) }
        if let peer {
            let code = csockets_connect(descriptor, peer.address.bits, peer.port)
            guard code == 0 else {
                Glibc.close(descriptor)
                return takeBackFailed(place, -code)
            }
            place.peers.insert(peer)
        }
        hand(over: descriptor, of: place, peer: peer)
        for link in links {
            record(.rebound, link, "\(place.address):\(place.port), taken back from \(thieves)")
            link.handle(.metersBound)  // it asks at once, so that a quiet unit need not be waited for
        }
    }

    /// Closes our connected sockets that nobody contends with any more: the bound one has it all again.
    func releasePeers(port: UInt16, _ isContested: (UnitPort) -> Bool) {
        for place in places.values where place.port == port {
            for peer in place.peers where !isContested(peer) {
                place.peers.remove(peer)
                plane.receiver.send(.removePeer(address: place.address, peer: peer))
            }
        }
    }

    private func takeBackFailed(_ place: Place, _ errno: Int32) {
        plane.outbox.put([
            .fault(
                SocketFault(
                    processor: nil, socket: .udp, operation: .bind, code: ErrnoName.name(errno), errno: errno,
                    address: "\(place.address):\(place.port)",
                    message: "taking the meters back: \(ErrnoName.message(errno))",
                    at: plane.clock.wallNow))
        ])
    }

    func stop() {
        for place in places.values { place.retry?.cancel() }
        places = [:]
    }

    private func place(of link: ProcessorLink) -> Place? {
        places.values.first { $0.links.contains { $0 === link } }
    }

    /// This link is no more.
    func leave(_ link: ProcessorLink) {
        if let place = place(of: link) { leave(place, link) }
    }

    private func leave(_ place: Place, _ link: ProcessorLink) {
        place.links.removeAll { $0 === link }
        guard place.links.isEmpty else { return }
        place.retry?.cancel()
        if place.isBound {
            plane.receiver.send(.removeSocket(address: place.address))
        }
        places[place.address] = nil
    }

    private func bind(_ place: Place, moved: Bool) {
        let descriptor = csockets_bind_udp(place.address.bits, port, receiveBuffer, &place.bufferGot)
        guard descriptor >= 0 else { return bindFailed(place, errno: -descriptor) }
        place.isBound = true
        place.retry = nil
        place.port = csockets_local_port(descriptor)
        hand(over: descriptor, of: place, peer: nil)
        plane.ports.look()  // so that from the first datagram on everybody gets it
        onBound(place.address, place.port)
        plane.outbox.put([
            .recovered(processor: nil, socket: .udp, operation: .bind, address: "\(place.address):\(port)")
        ])
        for link in place.links {
            recordBound(place, link, moved)
            link.handle(.metersBound)
        }
    }

    /// To the receiver, which lets go of the one that this replaces: nothing that arrives meanwhile is missed.
    private func hand(over descriptor: Int32, of place: Place, peer: UnitPort?) {
        let inode = PortInspector.inode(of: descriptor)
        plane.ownSockets.insert(inode)
        plane.receiver.send(.addSocket(descriptor: descriptor, address: place.address, peer: peer))
    }

    private func bindFailed(_ place: Place, errno: Int32) {
        place.lastErrno = errno
        if errno == EADDRINUSE { nameHolder(place) } else { (place.holder, place.rivalInodes) = (nil, []) }
        plane.outbox.put([
            .fault(
                SocketFault(
                    processor: nil, socket: .udp, operation: .bind, code: ErrnoName.name(errno),
                    errno: errno, address: "\(place.address):\(port)", holder: place.holder,
                    message: ErrnoName.message(errno), at: plane.clock.wallNow))
        ])
        let (loop, address) = (plane.loop, place.address)
        place.retry = loop.eventLoop.scheduleTask(in: Self.retry) {
            loop.enter { $0.sockets.retry(address) }
        }
        let cause = Cause.errno(ErrnoName.name(errno))
        for link in place.links { link.handle(.metersNotBound(cause, detail: detail(place))) }
    }

    private func retry(_ address: IPv4Address) {
        guard let place = places[address], !place.isBound else { return }
        bind(place, moved: false)
    }

    /// Looking through every process costs some 11 ms: only when other sockets hold the port than at the last try.
    private func nameHolder(_ place: Place) {
        let holders = PortInspector.udpSockets(port: port).filter {
            $0.ends(at: place.address) || $0.isWildcard
        }
        let inodes = Set(holders.map(\.inode))
        guard inodes != place.rivalInodes else { return }
        place.rivalInodes = inodes
        let names = PortInspector.holders(of: holders)
        place.holder = holders.isEmpty ? nil : holders.compactMap { names[$0.inode] }.joined(separator: ", ")
    }

    /// What happened, where, and what to do next.
    private func detail(_ place: Place) -> String {
        let what = "\(place.address):\(port): \(ErrnoName.message(place.lastErrno))"
        guard place.lastErrno == EADDRINUSE else { return "\(what); tried again every 2 s" }
        let holder = place.holder.map { ", held by \($0)" } ?? ""
        return "\(what)\(holder); stop that program, or let it bind with reuseAddr: true, then it gets its meters "
            + "by relay; tried again every 2 s"
    }

    private func recordBound(_ place: Place, _ link: ProcessorLink, _ moved: Bool) {
        let granted = place.bufferGot / 2
        var detail = "\(place.address):\(place.port), receive buffer \(granted / 1024) KiB"
        if granted < receiveBuffer { detail += " of \(receiveBuffer / 1024) (net.core.rmem_max)" }
        detail += "; others share the port with address reuse (Node: reuseAddr: true), or get EADDRINUSE"
        record(moved ? .rebound : .bound, link, detail)
    }

    private func record(_ name: LinkEvent.Name, _ link: ProcessorLink, _ detail: String) {
        plane.outbox.put([
            .event(
                .init(
                    processor: link.processor.id, at: plane.clock.wallNow, link: .meters, name: name, detail: detail))
        ])
    }
}
