/// Where and for whom a recorder serves its page; nil, or none: nothing is said about that.
package struct PageSettings: Sendable, Equatable {
    package var listen: ListenAddress?
    /// A file with the token that the page asks for.
    package var tokenFile: String?
    /// Names that the page is asked for by, as behind a proxy.
    package var hosts: [String]

    package init(listen: ListenAddress? = nil, tokenFile: String? = nil, hosts: [String] = []) {
        (self.listen, self.tokenFile, self.hosts) = (listen, tokenFile, hosts)
    }

    /// These, which the command line says, and from the file whatever they leave open.
    package func over(_ file: PageSettings) -> PageSettings {
        PageSettings(
            listen: listen ?? file.listen, tokenFile: tokenFile ?? file.tokenFile,
            hosts: hosts.isEmpty ? file.hosts : hosts)
    }

    /// Whether others reach it without a token.
    package var isUnguarded: Bool { listen.map { !$0.isLoopback } ?? false && tokenFile == nil }

    /// In a line, as `config check` shows it.
    package var words: String {
        guard let listen else { return "none" }
        return "http://\(listen.text)/" + (tokenFile.map { ", token in \($0)" } ?? "")
            + (hosts.isEmpty ? "" : ", as \(hosts.joined(separator: ", "))")
    }
}

/// `[http]`.
extension Settings {
    static func page(_ table: inout TableReader) -> PageSettings {
        let example = "127.0.0.1:8131"
        let listen = table.read("listen", example: example) { text throws(TableReader.Refusal) in
            guard let address = ListenAddress(text) else {
                throw TableReader.Refusal(reason: "'\(text)' is no address with a port up to 65535; write \(example)")
            }
            guard address.port > 0 else {
                throw TableReader.Refusal(reason: "port 0 is another one at each start; write \(example)")
            }
            return address
        }
        let tokenFile = table.text(
            "token_file", example: "/etc/atlas-recorder.token",
            refusing: { fault(ofPath: $0, example: "atlas-recorder.token") })
        let hosts = table.texts("hosts", example: "atlas.example.org") { name in
            let isName = name.unicodeScalars.allSatisfy { $0.isWord || "-.".unicodeScalars.contains($0) }
            return isName && !name.isEmpty ? nil : "'\(name)' is no name of a host; write it without http:// and port"
        }
        table.require("listen", example: example)
        let page = PageSettings(listen: listen, tokenFile: tokenFile, hosts: hosts ?? [])
        if page.isUnguarded, !table.has("token_file") {
            table.refuse(
                "listen",
                "can be reached from other machines; add token_file = \"/etc/atlas-recorder.token\", or listen on "
                    + "127.0.0.1 and let a proxy that asks for a password pass requests on")
        }
        return page
    }
}
