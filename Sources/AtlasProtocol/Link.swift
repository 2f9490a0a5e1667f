/// The two ways between a unit and the recorder; each has a state of its own.
package enum Link: String, CaseIterable, Sendable {
    /// TCP: commands and their answers.
    case control
    /// UDP: the datagrams that reach our socket.
    case meters
}

/// Why a link is down or unknown. A closed list (docs/reference.md), but for errno names such as `EADDRINUSE`.
package struct Cause: Hashable, Sendable, CustomStringConvertible {
    package let code: String
    package var description: String { code }

    private init(_ code: String) { self.code = code }

    // Control down.
    package static let refused = Cause("refused")
    package static let timeout = Cause("timeout")
    package static let unreachable = Cause("unreachable")
    package static let reset = Cause("reset")
    package static let closed = Cause("closed")
    package static let silent = Cause("silent")
    package static let wedged = Cause("wedged")
    package static let notEnabled = Cause("not_enabled")
    package static let unresolved = Cause("unresolved")
    /// This host no longer has the address that the connection was made from.
    package static let addressGone = Cause("address_gone")
    // Meters down.
    package static let taken = Cause("taken")
    package static let notArriving = Cause("not_arriving")
    package static let controlDown = Cause("control_down")
    /// A socket call's errno, by its name.
    package static func errno(_ name: String) -> Cause { Cause(name) }
    // Unknown.
    package static let recorderStarting = Cause("recorder_starting")
    package static let recorderStopped = Cause("recorder_stopped")
    package static let recorderStalled = Cause("recorder_stalled")
    package static let clockStep = Cause("clock_step")
    package static let hostAsleep = Cause("host_asleep")
    package static let notRecorded = Cause("not_recorded")
}

package enum LinkState: Equatable, Sendable {
    case up
    case down(Cause)
    case unknown(Cause)

    package var name: String {
        switch self {
        case .up: "up"
        case .down: "down"
        case .unknown: "unknown"
        }
    }
    package var cause: Cause? {
        switch self {
        case .up: nil
        case .down(let cause), .unknown(let cause): cause
        }
    }
}

/// A link's new state. `since` is its first evidence, which may lie before the moment it was noticed.
package struct LinkChange: Equatable, Sendable {
    package let link: Link
    package let state: LinkState
    package let since: Instant
}

/// A line of the connection history (view `connection_events`).
package struct LinkEvent: Equatable, Sendable {
    package enum Name: String, Sendable {
        case started, stopped
        /// The configuration file was read anew: what changed.
        case reloaded
        /// The same, and nothing changed, because it cannot be used.
        case reloadRefused = "reload_refused"
        case connected, subscribed, disconnected, answering
        /// Connected and acknowledged, and answers no longer.
        case wedged
        /// Connected, and no answer: cause `silent` or `not_enabled`.
        case unanswered
        /// A connection that was silent is ended; its link was down before.
        case givenUp = "given_up"
        /// A first failed attempt, or one with another cause than the one before it.
        case connectFailed = "connect_failed"
        case parameterRefused = "parameter_refused"
        case bound, rebound
        /// Another program's socket on the meters' port came or went.
        case portJoined = "port_joined"
        case portLeft = "port_left"
        case relaying
        case relayEnded = "relay_ended"

        case metersFlowing = "meters_flowing"
        case metersLost = "meters_lost"
        case taken, renamed
        case addressShared = "address_shared"
        case otherClient = "other_client"
        case otherClientGone = "other_client_gone"
        case clockStep = "clock_step"
        case recorderStalled = "recorder_stalled"
        case hostAsleep = "host_asleep"
        /// The store was damaged, and is kept under another name.
        case storeSetAside = "store_set_aside"
        /// The store's file, or its write-ahead log, was moved or deleted while it was written.
        case storeMoved = "store_moved"
        /// SQLite's look at the store after an unclean end found no fault.
        case storeChecked = "store_checked"
        /// This store was made from what could be read of a damaged one.
        case storeRescued = "store_rescued"
        /// Retention deleted what is older than what is kept; once a day for each kind.
        case pruned
    }
    package let at: Instant
    package let link: Link
    package let name: Name
    package let cause: Cause?
    package let detail: String?

    package init(at: Instant, link: Link, name: Name, cause: Cause? = nil, detail: String? = nil) {
        self.at = at
        self.link = link
        self.name = name
        self.cause = cause
        self.detail = detail
    }
}

/// An IPv4 address in host byte order; the units speak IPv4 only (manual, "Network").
package struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
    package let bits: UInt32

    package init(bits: UInt32) { self.bits = bits }

    /// Reads `192.168.5.101`: four decimal numbers of 0...255.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard part.utf8.count <= 3, part.utf8.allSatisfy({ (48...57).contains($0) }), let byte = UInt8(part) else {
                return nil
            }
            bits = bits << 8 | UInt32(byte)
        }
        self.bits = bits
    }

    package var description: String { "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)" }
    /// 127.0.0.0/8.
    package var isLoopback: Bool { bits >> 24 == 127 }
}
