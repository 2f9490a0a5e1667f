import ArgumentParser
import Configuration
import Recorder
import RecorderStore
import ServiceLifecycle
import UnixSignals

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the report as a live page for browsers, its JSON, and metrics for Prometheus.",
        discussion: """
            Reads the store, and the feed of the recorder that writes it; it writes nothing, and no request can. \
            'run --http' does the same in the recorder's own process. docs/page.md says what is served, and how to let others \
            see it.

            Examples:
              atlas-recorder serve
              atlas-recorder serve --http 127.0.0.1:9000 --store venue.sqlite
              curl 'http://127.0.0.1:8131/api/report?since=16:30'
            """)

    static let address = ListenAddress("127.0.0.1:8131")!

    @Option(help: ArgumentHelp("The store (default: as report).", valueName: "FILE"))
    var store: String?

    @OptionGroup var page: PageOptions

    func validate() throws { try page.settings.refuseUnguarded() }

    func run() async throws {
        let path = try Console.storeToRead(flag: store).path
        do {
            let page = page.settings
            let settings = try page.server(at: page.listen ?? Self.address, store: path)
            do throws(StoreError) {
                _ = try StoreReader(path: path)
            } catch {
                guard error.kind == .missing else { throw error }
                Console.note("\(error) The page says the same until a recorder has made it.")
            }
            let served = try await Page.started(settings)
            Console.line("page at \(served.address)")
            for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup) { break }
            await served.stop()
        } catch {
            throw Console.failure(error)
        }
    }
}
