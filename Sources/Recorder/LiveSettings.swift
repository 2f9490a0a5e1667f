import AtlasProtocol
import RecorderStore

/// What a recorder can be told anew while it records.
package struct LiveSettings: Sendable, Equatable {
    package var processors: [ProcessorSpec]
    package var keepAlive: Span
    package var relays: Bool
    package var retention: Retention

    package init(processors: [ProcessorSpec], keepAlive: Span, relays: Bool, retention: Retention) {
        (self.processors, self.keepAlive, self.relays, self.retention) = (processors, keepAlive, relays, retention)
    }
}

/// What has to be done to get from one configuration to another. A processor is the same where its name is. Pure.
package struct ReloadPlan: Sendable, Equatable {
    package struct Change: Sendable, Equatable {
        package let old, new: ProcessorSpec
    }
    package private(set) var removed: [ProcessorSpec] = []
    package private(set) var added: [ProcessorSpec] = []
    /// Another host, port or choice of parameters: the link begins anew, the rows go on.
    package private(set) var changed: [Change] = []
    /// nil: as before.
    package private(set) var keepAlive: Span?
    package private(set) var relays: Bool?
    package private(set) var retention: Retention?
    private var retentionChanges = ""

    package init(from old: LiveSettings, to new: LiveSettings) {
        for spec in old.processors {
            guard let next = new.processors.first(where: { $0.name == spec.name }) else {
                removed.append(spec)
                continue
            }
            if next != spec { changed.append(Change(old: spec, new: next)) }
        }
        added = new.processors.filter { spec in !old.processors.contains { $0.name == spec.name } }
        keepAlive = new.keepAlive == old.keepAlive ? nil : new.keepAlive
        relays = new.relays == old.relays ? nil : new.relays
        retention = new.retention == old.retention ? nil : new.retention
        retentionChanges = new.retention.changes(from: old.retention)
    }

    package var isEmpty: Bool {
        removed.isEmpty && added.isEmpty && changed.isEmpty && keepAlive == nil && relays == nil && retention == nil
    }

    /// For the event, and for whoever reloaded.
    package var detail: String {
        var words = removed.map { "removed \($0.name)" }
        words += changed.map { "\($0.new.name): \($0.detail)" }
        words += added.map { "added \($0.name) (\($0.place))" }
        if let keepAlive { words.append("keep_alive \(keepAlive.microseconds / 1_000_000) s") }
        if let relays { words.append("relay \(relays ? "on" : "off")") }
        if retention != nil { words.append("retention: \(retentionChanges)") }
        return words.isEmpty ? "nothing has changed" : words.joined(separator: "; ")
    }
}

extension ReloadPlan.Change {
    fileprivate var detail: String {
        var words: [String] = []
        if old.host != new.host || old.controlPort != new.controlPort { words.append("\(old.place) -> \(new.place)") }
        if old.subscriptions != new.subscriptions { words.append("other subscriptions") }
        return words.joined(separator: ", ")
    }
}

extension ProcessorSpec {
    fileprivate var place: String { "\(host):\(controlPort)" }
}

/// Where new settings come from, and what asks for them.
package struct ReloadSource: Sendable {
    package enum Answer: Sendable {
        case settings(LiveSettings)
        /// Why nothing may change, for the event; whoever reads the file has said it in full.
        case refused(String)
    }
    let requests: AsyncStream<Void>
    let read: @Sendable () -> Answer

    package init(requests: AsyncStream<Void>, read: @escaping @Sendable () -> Answer) {
        (self.requests, self.read) = (requests, read)
    }
}
