import AtlasProtocol
import NIOCore

/// Writes what the page's script reads: server-sent events (WHATWG HTML, 9.2). Names and numbers travel apart, so that a
/// level costs a few bytes.
extension LiveBoard {
    /// Of which meters a reader hears: of all of them, or of one unit's.
    struct Scope: Hashable {
        let processor: String?
    }

    /// How many meters a reader hears of that has not chosen a unit.
    static let mostMeters = 2_000

    private func hears(_ scope: Scope, of unit: Int) -> Bool {
        scope.processor.map { $0 == units[unit].name } ?? (heard <= Self.mostMeters)
    }

    /// The first that a reader gets, and again when names are new: units with their meters' numbers, names and labels.
    func names(for scope: Scope) -> String {
        let parts = units.indices.map { unit in
            let heard = hears(scope, of: unit) ? units[unit].meters.sorted { meters[$0].rank < meters[$1].rank } : []
            let list = heard.map { "[\($0),\(meters[$0].name.jsonQuoted),\(label(of: $0))]" }
            return "{\"name\":\(units[unit].name.jsonQuoted),\"count\":\(units[unit].meters.count),"
                + "\"meters\":[\(list.joined(separator: ","))]}"
        }
        return "event: names\ndata: [\(parts.joined(separator: ","))]\n\n"
    }

    private func label(of meter: Int) -> String { meters[meter].label?.jsonQuoted ?? "null" }

    func links() -> String {
        units.map { unit in
            unit.links.sorted { $0.key < $1.key }.map { Self.event($0.key, of: unit.name, shown($0.value)) }.joined()
        }.joined()
    }

    static func event(_ link: String, of processor: String, _ state: Link) -> String {
        "event: link\ndata: {\"processor\":\(processor.jsonQuoted),\"link\":\(link.jsonQuoted),"
            + "\"state\":\(state.state.jsonQuoted),\"cause\":\(state.cause?.jsonQuoted ?? "null"),"
            + "\"since_us\":\(state.since)}\n\n"
    }

    /// Numbers of meters and their levels in tenths of dB, in turn. nil: nothing that this reader hears of.
    func levels(of chosen: [Int], for scope: Scope) -> ByteBuffer? {
        var buffer = ByteBuffer(string: "event: levels\ndata: [")
        let empty = buffer.readableBytes
        for meter in chosen where hears(scope, of: meters[meter].unit) {
            if buffer.readableBytes > empty { buffer.writeStaticString(",") }
            buffer.writeString("\(meter),\(meters[meter].tenths)")
        }
        guard buffer.readableBytes > empty else { return nil }
        buffer.writeStaticString("]\n\n")
        return buffer
    }
}

extension LiveBoard.Meter {
    fileprivate var rank: Int { AtlasProtocol.Meter(name: name)?.readingRank ?? .max }
}
