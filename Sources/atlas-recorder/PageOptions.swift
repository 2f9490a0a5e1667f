import ArgumentParser
import Glibc
import WebServer

/// Where and for whom the page is served: the flags that `run` and `serve` share.
struct PageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Serve the live page here: 127.0.0.1:8131. An address that other machines reach needs --http-token-file, or a \
            proxy before a loopback address.
            """, valueName: "ADDRESS:PORT"))
    var http: String?

    @Option(
        help: ArgumentHelp(
            "A file with a token of 16 letters or more, which the page then asks for (mode 0600 or 0640).",
            valueName: "FILE"))
    var httpTokenFile: String?

    @Option(
        help: ArgumentHelp(
            "Another name that the page is asked for by, as behind a proxy (repeatable).", valueName: "NAME"))
    var httpHost: [String] = []

    func validate() throws {
        if http == "" { throw ValidationError("--http '': write 127.0.0.1:8131, or leave the flag out.") }
        if httpTokenFile == "" { throw ValidationError("--http-token-file '': name a file, or leave the flag out.") }
    }

    /// Throws a usage error for an address that may not be served, and a failure for a token that cannot be read.
    func settings(address: String, store: String) throws -> WebSettings {
        let token = try httpTokenFile.map(Self.token)
        do {
            return try WebSettings(address: address, store: store, hosts: httpHost, token: token) { Console.now }
        } catch {
            throw ValidationError("--http \(error)")
        }
    }

    private static func token(in path: String) throws -> String {
        let text = try TextFile.read(
            path, as: "the token", remedy: "Make one: (umask 077; openssl rand -hex 16 > '\(path)')")
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & 0o007 != 0 {
            throw TextFile.Failure(
                what: "the token", path: path, reason: "every user of this host may read it",
                remedy: "Take that right away: chmod o= '\(path)'")
        }
        return String(text.filter { !$0.isWhitespace })
    }
}
