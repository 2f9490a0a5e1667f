import AtlasProtocol
import RecorderStore

/// What a unit told, on its way to the store and to the feed.
extension ProcessorLink {
    func store(_ values: [ParameterValue], _ told: Telling) {
        let now = plane.clock.wallNow
        let readings = values.compactMap(\.reading)
        if !readings.isEmpty { plane.receiver.send(.readings(processor: processor.id, readings, at: now)) }
        for value in values {
            if let meter = Meter(namedBy: value.name), case .text(let label) = value.value {
                plane.feed.put(.label(processor.id, meter, label))
            }
        }
        plane.outbox.put(
            values.compactMap { value in
                guard Meter(name: value.name) == nil, value.name.utf8.count <= Self.nameLimit,
                    let stored = Self.stored(value.value)
                else { return nil }
                return .parameter(processor: processor.id, at: now, name: value.name, value: stored, told: told)
            })
    }

    /// Bytes. A unit's names have some 20; what is longer is made up.
    private static let nameLimit = 128
    /// Bytes of a text that are kept; the longest a unit sends are a message's or a schedule's name.
    private static let textLimit = 1_024

    private static func stored(_ value: ParameterValue.Value) -> SQLValue? {
        switch value {
        case .number(let number): Int64(exactly: number).map { .integer($0) } ?? .real(number)
        case .text(let text): .text(String(decoding: text.utf8.prefix(textLimit), as: UTF8.self))
        case .percent: nil  // another program's format; ours never asks for it
        }
    }
}
