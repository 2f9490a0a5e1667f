import NIOCore
import Recorder
import ServiceLifecycle
import WebServer

/// The live page beside a recorder. Recording goes on without it: an address that is not free is tried again.
struct PageService: Service {
    /// Read anew each time: a file that could not be read may be by now.
    let settings: @Sendable () throws -> WebSettings
    let print: @Sendable (String) -> Void

    func run() async throws {
        var isTold = false
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                let server = try await Page.started(settings())
                print("page at \(server.address)")
                try? await gracefulShutdown()
                return await server.stop()
            } catch {
                if !isTold {
                    Console.note("\(error) Recording goes on without the page; it is tried again every 10 s.")
                }
                isTold = true
                await cancelWhenGracefulShutdown { try? await Task.sleep(for: .seconds(10)) }
            }
        }
    }
}

/// A page that is served.
struct Page {
    let address: String
    private let server: WebServer

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Throws a `Failure` where the address cannot be listened on.
    static func started(_ settings: WebSettings) async throws -> Page {
        let server = WebServer(settings)
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        do {
            let port = try await server.start()
            let isAny = settings.host == "0.0.0.0" || settings.host == "::"
            let address = "http://\(host):\(port)/" + (isAny ? " (any address of this host)" : "")
            return Page(address: address, server: server)
        } catch {
            await server.stop()
            throw Failure(description: explanation(error, "\(host):\(settings.port)"))
        }
    }

    func stop() async { await server.stop() }

    private static func explanation(_ error: any Error, _ address: String) -> String {
        guard let error = error as? IOError else { return "cannot serve the page at \(address): \(error)." }
        let name = ErrnoName.name(error.errnoCode)
        let remedy =
            switch name {
            case "EADDRINUSE":
                "Another program listens there: ss -ltnp tells which (a recorder that serves its own page?). Or choose another port: --http, or listen under [http]."
            case "EADDRNOTAVAIL": "This host has no such address: ip addr lists those that it has."
            case "EACCES": "Ports below 1024 are root's: choose a higher one: --http, or listen under [http]."
            default: "Choose another address: --http, or listen under [http]."
            }
        return "cannot serve the page at \(address): \(ErrnoName.message(error.errnoCode)) (\(name)). \(remedy)"
    }
}
