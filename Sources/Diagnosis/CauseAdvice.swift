import AtlasProtocol

/// What a link's cause means and what to do about it, for whoever stands in the venue.
package enum CauseAdvice {
    package static func remedy(for cause: String, port: UInt16 = 3131) -> String {
        switch cause {
        case "refused":
            "Switch third-party control on in the unit (Settings, Third Party Control); check that this is its address."
        case "timeout", "unreachable", "silent": "Is the unit on, and its cable in? Ping it from this host."
        case "unresolved": "Check the name, or use the unit's address."
        case "address_gone":
            "This host's address changed, and the recorder followed it. If that is often, give the host a fixed address."
        case "reset", "closed":
            "The unit ends the connection itself: look for other clients of it (atlas-recorder ports); restart it if it goes on."
        case "wedged": "Its control port has locked up while its meters may still flow: restart the unit."
        case "not_enabled":
            "Switch third-party control on in the unit (Settings, Third Party Control); if it is on, restart the unit."
        case "not_arriving":
            "The unit answers by TCP and its UDP is lost: open UDP \(port) from it in this host's firewall, and look at VLANs."
        case "taken": "Another socket of this host takes the meters: see 'port' above; let that program bind 0.0.0.0."
        case "EADDRINUSE": "Free UDP \(port): see 'port' above. The recorder tries again every 2 s."
        case "control_down": "See its control link first."
        default: "See docs/reference.md for what '\(cause)' means, and the recorder's log."
        }
    }
}
