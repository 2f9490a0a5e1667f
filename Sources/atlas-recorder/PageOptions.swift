import ArgumentParser
import Configuration
import Glibc
import WebServer

/// Where and for whom the page is served: the flags that `run` and `serve` share.
struct PageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Serve the live page here. An address that other machines reach needs --http-token-file, or a proxy before a \
            loopback address (run: the file's [http], else no page; serve: 127.0.0.1:8131).
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
        if let http, ListenAddress(http) == nil {
            throw ValidationError("--http '\(http)' is no address with a port: write 127.0.0.1:8131.")
        }
    }

    /// What the flags say.
    var settings: PageSettings {
        PageSettings(listen: http.flatMap { ListenAddress($0) }, tokenFile: httpTokenFile, hosts: httpHost)
    }
}

extension PageSettings {
    /// Throws a usage error where others would reach the page and no token guards it.
    func refuseUnguarded() throws {
        guard let listen, isUnguarded else { return }
        throw ValidationError(
            "--http '\(listen.text)' can be reached from other machines: guard it with --http-token-file FILE, or listen "
                + "on 127.0.0.1 and let a proxy that asks for a password pass requests on.")
    }

    /// Throws a failure for a token that cannot be used.
    func server(at address: ListenAddress, store: String) throws -> WebSettings {
        guard let tokenFile else {
            return try WebSettings(address, store: store, hosts: hosts, token: nil) { Console.now }
        }
        let token = try Self.token(in: tokenFile)
        do {
            return try WebSettings(address, store: store, hosts: hosts, token: token) { Console.now }
        } catch {
            throw Page.Failure(description: "\(tokenFile): \(error). \(Self.making(tokenFile))")
        }
    }

    private static func token(in path: String) throws -> String {
        guard access(path, F_OK) != 0 || access(path, R_OK) == 0 else {
            throw TextFile.Failure(
                what: "the token", path: path, reason: "this user may not",
                remedy: "It has to be the server's: chgrp it to the server's group, and chmod 0640 '\(path)'.")
        }
        let text = try TextFile.read(path, as: "the token", remedy: making(path))
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & 0o007 != 0 {
            throw TextFile.Failure(
                what: "the token", path: path, reason: "every user of this host may read it",
                remedy: "Take that right away: chmod o= '\(path)'")
        }
        // A line's end is none of it; a space within is refused as what no token has.
        return String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    private static func making(_ path: String) -> String { "Make one: (umask 077; openssl rand -hex 16 >'\(path)')" }
}
