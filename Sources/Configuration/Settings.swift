import RecorderStore

/// What a configuration file says; nil: it says nothing about that.
package struct Settings: Sendable, Equatable {
    package static let keepAliveSeconds = 1...300  // the processor closes at 300
    package static let ports = 1...65_535

    /// What holds where neither the command line nor a file says anything.
    package static let defaultMeterPort: UInt16 = 3131
    package static let defaultKeepAliveSeconds = 10
    package static let defaultRelays = true

    package var store: String?
    package var meterPort: UInt16?
    package var keepAliveSeconds: Int?
    package var relays: Bool?
    package var retention: Retention?
    package var page: PageSettings?
    package var processors: [ProcessorSpec]

    package init(
        store: String? = nil, meterPort: UInt16? = nil, keepAliveSeconds: Int? = nil, relays: Bool? = nil,
        retention: Retention? = nil, page: PageSettings? = nil, processors: [ProcessorSpec] = []
    ) {
        (self.store, self.meterPort, self.keepAliveSeconds) = (store, meterPort, keepAliveSeconds)
        (self.relays, self.retention, self.page, self.processors) = (relays, retention, page, processors)
    }

    /// These, which the command line says, and from the file whatever they leave open. Processors are all from here or all
    /// from there: who names one on the command line means that one.
    package func over(_ file: Settings) -> Settings {
        Settings(
            store: store ?? file.store, meterPort: meterPort ?? file.meterPort,
            keepAliveSeconds: keepAliveSeconds ?? file.keepAliveSeconds, relays: relays ?? file.relays,
            retention: retention ?? file.retention,
            page: page.map { $0.over(file.page ?? PageSettings()) } ?? file.page,
            processors: processors.isEmpty ? file.processors : processors)
    }

    /// No fault where the command line names processors, else one.
    package static let nothingToRecord = ConfigurationFault(
        key: "processor",
        "there is none, so nothing would be recorded; add [[processor]] and, below it, host = \"192.168.5.101\"")
}
