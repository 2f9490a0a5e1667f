import RecorderStore

extension Settings {
    package init(file path: String) throws(ConfigurationFaults) {
        try self.init(text: ConfigurationFile.text(of: path))
    }

    /// What the text says, or everything that is wrong with it. A key is accepted only where something obeys it.
    package init(text: String) throws(ConfigurationFaults) {
        var file = TableReader(try Self.table(text), path: "", of: "the file")
        self.init(
            store: file.text(
                "store", example: "/var/lib/atlas-recorder/atlas.sqlite",
                refusing: { Self.fault(ofPath: $0, example: "atlas.sqlite") }),
            meterPort: file.whole("meter_port", Self.ports, example: 3131).map(UInt16.init),
            keepAliveSeconds: file.whole("keep_alive", Self.keepAliveSeconds, of: "seconds ", example: 10),
            relays: file.flag("relay"))
        if var table = file.table("retention", header: "[retention]") {
            retention = Self.retention(&table)
            table.refuseOthers(
                elsewhere: Self.fileKeys, where: "is of the whole file: put it above [retention]",
                synonyms: ["max_size": "size", "sample": "samples", "minute": "minutes", "event": "events"])
            file.faults += table.faults
        }
        if var table = file.table("http", header: "[http]") {
            page = Self.page(&table)
            table.refuseOthers(
                elsewhere: Self.fileKeys, where: "is of the whole file: put it above [http]",
                synonyms: [
                    "address": "listen", "port": "listen", "token": "token_file", "host": "hosts", "names": "hosts",
                ])
            file.faults += table.faults
        }
        for var unit in file.tables("processor", header: "[[processor]]") {
            if let spec = Self.processor(&unit) {
                if let clash = spec.clash(with: processors) { unit.refuse(clash) }
                processors.append(spec)
            }
            unit.refuseOthers(
                elsewhere: Self.fileKeys, where: "is of the whole file: put it above the first [[processor]]",
                synonyms: [
                    "ip": "host", "address": "host", "hostname": "host", "control_port": "port", "label": "name",
                    "parameters": "subscriptions", "subscribe": "subscriptions",
                ])
            file.faults += unit.faults
        }
        file.refuseOthers(
            elsewhere: Self.processorKeys, where: "is a processor's: put it below a [[processor]]",
            synonyms: ["database": "store", "db": "store", "port": "meter_port", "keep": "retention", "page": "http"])
        guard file.faults.isEmpty else {
            throw ConfigurationFaults(file.faults.sorted { $0.position! < $1.position! })
        }
    }

    private static func table(_ text: String) throws(ConfigurationFaults) -> TOMLTable {
        do throws(TOMLFault) {
            return try TOMLReader.table(text)
        } catch {
            throw ConfigurationFaults([SyntaxAdvice.fault(error, in: text)])
        }
    }

    private static let fileKeys = ["store", "meter_port", "keep_alive", "relay"]
    private static let processorKeys = ["name", "host", "port", "subscriptions", "meters"]

    /// nil: a fault says why.
    private static func processor(_ unit: inout TableReader) -> ProcessorSpec? {
        let name = unit.text("name", example: "Main Bar", refusing: fault(ofName:))
        let host = unit.text("host", example: "192.168.5.101", refusing: fault(ofHost:))
        let port = unit.whole("port", ports, example: Int(ProcessorSpec.defaultPort)).map(UInt16.init)
        unit.require("host", example: "192.168.5.101")
        let subscriptions = subscriptions(&unit)
        guard let host else { return nil }
        return ProcessorSpec(
            name: name ?? host, host: host, controlPort: port ?? ProcessorSpec.defaultPort,
            subscriptions: subscriptions)
    }

    private static func fault(ofHost host: String) -> String? {
        let parts = host.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, !parts[0].isEmpty, let port = UInt16(parts[1]) {
            return "the port is a key of its own; write host = \(Value.quoted(String(parts[0]))) and port = \(port)"
        }
        guard parts.count < 3 else { return "an IPv6 address cannot be used, the units speak IPv4" }
        guard parts.count == 1 else { return "'\(host)' is no host name" }
        return ProcessorSpec.fault(ofHost: host)
    }

    private static func fault(ofName name: String) -> String? {
        guard !name.allSatisfy(\.isWhitespace) else { return "is empty; write a name, or leave the key out" }
        // A line of the log, and of a report, is one line.
        guard !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            return "has a control character, such as a new line or a tab; write a name of one line"
        }
        return nil
    }

    /// A path that depends on where the recorder was started would one day be another file, and a second store.
    static func fault(ofPath path: String, example: String) -> String? {
        guard !path.unicodeScalars.contains(where: \.isControl) else {
            return "has a control character, such as a new line or a tab; write the path on one line"
        }
        guard !path.hasPrefix("~") else {
            return "'~' is nobody's folder here; write the whole path, from / on"
        }
        guard path.hasPrefix("/") else {
            return "'\(path)' depends on where run was started; write the whole path, from / on"
        }
        guard !path.hasSuffix("/") else {
            return "is a folder; name a file in it: \(Value.quoted(path + example))"
        }
        return nil
    }
}

extension TableReader {
    fileprivate mutating func refuse(_ clash: ProcessorSpec.Clash) {
        switch clash {
        case .sameName: refuse("name", "\(clash.reason); give each its own")
        case .sameHost: refuse("host", clash.reason)
        }
    }
}
