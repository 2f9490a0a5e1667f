extension PortPicture {
    /// The one line that lets a program share the port.
    package static let remedy =
        "let it bind with address reuse (Node: dgram.createSocket({ type: 'udp4', reuseAddr: true })), or read the "
        + "recorder's feed (atlas-recorder tail) instead"

    /// What to know and to do, in whole sentences.
    package var notes: [String] {
        var notes: [String] = []
        if let loner {
            notes.append(
                "\(loner.socket.owner.name) holds UDP \(port) without address reuse: no recorder and no other program can "
                    + "bind beside it, they get EADDRINUSE. Stop it, or \(Self.remedy).")
        } else if recorder != nil {
            notes.append(
                "A program that binds UDP \(port) without address reuse gets EADDRINUSE while the recorder runs: \(Self.remedy)."
            )
        }
        for recorder in absentRecorders {
            notes.append(
                "\(recorder.command) (pid \(recorder.pid)) records for UDP \(port) and has no socket on it: it stands by, has "
                    + "no connection to a unit yet, or cannot bind. Ask it: atlas-recorder doctor.")
        }
        if recorder == nil, entries.contains(where: { $0.share == .nothing && $0.socket.local == .any }) {
            notes.append("A recorder on this host would give every one of them all datagrams: atlas-recorder run.")
        }
        for (unit, owners) in sharedUnits {
            notes.append(
                "\(unit) has \(owners.count) connections from this host (\(owners.map(\.name).joined(separator: ", "))): it "
                    + "sends every value once for each, to the same UDP port.")
        }
        let hidden = (entries.map(\.socket.owner) + clients.map(\.owner)).count { $0.programs.isEmpty }
        if hidden > 0 {
            notes.append(
                "\(hidden == 1 ? "One socket's program is" : "The programs of \(hidden) sockets are") not shown: this user "
                    + "may not look into other users' processes. Run it as root: sudo atlas-recorder ports.")
        }
        return notes
    }

    /// Units that more than one connection of this host leads to.
    private var sharedUnits: [(unit: String, owners: [Owner])] {
        var result: [(unit: String, owners: [Owner])] = []
        for client in clients {
            if let index = result.firstIndex(where: { $0.unit == client.unit }) {
                result[index].owners.append(client.owner)
            } else {
                result.append((client.unit, [client.owner]))
            }
        }
        return result.filter { $0.owners.count > 1 }
    }
}
