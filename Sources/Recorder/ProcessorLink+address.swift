import AtlasProtocol
import CSockets

/// This host's own end of the connection, which may go under it.
extension ProcessorLink {
    /// At a look at this host's addresses.
    func addressIsThere() { localSeen = plane.clock.now }

    /// Connects again at once from the address that this host has now. Where no other address of the same interface
    /// leads to the unit the connection is kept: the old one may come back in time (docs/decisions/0006-own-address.md).
    func addressIsGone() {
        guard let local, let unit = endpoint?.address else { return }
        let next = IPv4Address(bits: csockets_source(unit.bits))
        guard next.bits != 0, next != local, csockets_interface(next.bits) == interface else { return }
        let detail = "\(local) is no address of this host any more; the way to \(unit) is from \(next) now"
        // It went between two looks, and not before what was heard last.
        let since = max(localSeen, lastLine, status.lastDatagram ?? localSeen)
        handle(.disconnected(.addressGone, since: since, detail: detail))
    }
}
