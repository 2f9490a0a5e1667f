import Diagnosis

extension PortPicture {
    package func rendered(as format: PageFormat, _ style: Style) -> String {
        switch format {
        case .text: (socketLines(style) + clientLines(style) + noteLines).joined(separator: "\n") + "\n"
        case .json: json.written() + "\n"
        }
    }

    // MARK: text

    private func socketLines(_ style: Style) -> [String] {
        guard !entries.isEmpty else { return [style.bold("UDP \(port)") + ": nobody on this host is bound to it"] }
        var table = TextTable(
            header: ["Gets", "Program", "User", "Bound to", "Connected to", "Reuse"], rightAligned: [])
        for entry in entries {
            let socket = entry.socket
            table.rows.append([
                entry.share.words, socket.owner.name, socket.owner.user ?? "\(socket.owner.uid)", socket.place,
                socket.peerPlace ?? "-", entry.reusesAddress.map { $0 ? "yes" : "no" } ?? "?",
            ])
        }
        var lines = [
            "\(style.bold("UDP \(port)")): \(entries.count == 1 ? "1 socket" : "\(entries.count) sockets")", "",
        ]
        let isAnyConnected = entries.contains { $0.socket.peer != nil }
        let rows = (isAnyConnected ? table : table.without(column: "Connected to")).lines(
            width: 80, flexible: ["Program", "User"])
        lines +=
            [style.bold(rows[0])]
            + zip(rows.dropFirst(), entries).map { row, entry in
                let share = entry.share.words
                return style.share(entry.share, share) + row.dropFirst(share.count)
            }
        lines += ["", style.bold("Why")]
        for (names, share, reason) in reasons {
            let who = names.prefix(4).joined(separator: ", ") + (names.count > 4 ? " and \(names.count - 4) more" : "")
            lines += Paragraph.lines("\(who): \(share.words) - \(reason)", lead: "- ", indent: "  ")
        }
        return lines
    }

    /// Sockets with one reason are told of together.
    private var reasons: [(names: [String], share: Share, reason: String)] {
        var result: [(names: [String], share: Share, reason: String)] = []
        for entry in entries {
            if let index = result.firstIndex(where: { $0.reason == entry.reason && $0.share == entry.share }) {
                result[index].names.append(entry.socket.owner.name)
            } else {
                result.append(([entry.socket.owner.name], entry.share, entry.reason))
            }
        }
        return result
    }

    private func clientLines(_ style: Style) -> [String] {
        let title = style.bold("TCP \(controlPort)")
        guard !clients.isEmpty else { return ["", "\(title): no program of this host is connected to a unit"] }
        var table = TextTable(header: ["Unit", "Program", "User", "From"], rightAligned: [])
        table.rows = clients.map { [$0.unit, $0.owner.name, $0.owner.user ?? "\($0.owner.uid)", $0.local] }
        let rows = table.lines(width: 80, flexible: ["Program", "User"])
        let count = clients.count == 1 ? "1 connection" : "\(clients.count) connections"
        return ["", "\(title): \(count) to units", "", style.bold(rows[0])] + rows.dropFirst()
    }

    private var noteLines: [String] { notes.flatMap { [""] + Paragraph.lines($0, indent: "") } }

    // MARK: JSON

    /// docs/reference.md describes it.
    private var json: JSONText {
        .object([
            ("version", .integer(1)), ("udp_port", .integer(Int64(port))),
            ("sockets", .array(entries.map(\.json))), ("control_port", .integer(Int64(controlPort))),
            ("clients", .array(clients.map(\.json))), ("notes", .array(notes.map { .text($0) })),
        ])
    }
}

extension PortPicture.Share {
    fileprivate var words: String {
        switch self {
        case .all: "all"
        case .fromPeer: "its peer's"
        case .rest: "the rest"
        case .relayed: "by relay"
        case .nothing: "nothing"
        }
    }
}

extension Style {
    fileprivate func share(_ share: PortPicture.Share, _ text: String) -> String {
        switch share {
        case .all, .relayed: good(text)
        case .fromPeer, .rest: unsure(text)
        case .nothing: bad(text)
        }
    }
}

extension PortPicture.Entry {
    fileprivate var json: JSONText {
        .object(
            socket.owner.members + [
                ("local", .text(socket.place)), ("connected_to", .text(socket.peerPlace)),
                ("address_reuse", .boolean(reusesAddress)), ("recorder", .boolean(socket.owner.isRecorder)),
                ("gets", .text(share.rawValue)), ("why", .text(reason)),
            ])
    }
}

extension UnitClient {
    fileprivate var json: JSONText {
        .object(owner.members + [("local", .text(local)), ("unit", .text(unit))])
    }
}

extension Owner {
    /// Empty `programs`: this user may not look into them.
    fileprivate var members: [(String, JSONText)] {
        let list = programs.map {
            JSONText.object([("pid", .integer(Int64($0.pid))), ("command", .text($0.command))])
        }
        return [("programs", .array(list)), ("user", .text(user)), ("uid", .integer(Int64(uid)))]
    }
}
