/// A key as it stands in the text; a dotted one is several.
struct TOMLKey {
    let text: String
    let position: Position
}

/// One table of a text, in the text's order, and what may still be added to it.
final class TOMLTable {
    /// What made it decides what may follow (TOML 1.0, "Keys" and "Table").
    enum Origin: Equatable {
        /// On the way to another's header: one of its own may follow.
        case path
        case header
        /// By dotted keys: no header may follow, and only the same section goes on with it.
        case keys(section: Int)
        /// In braces: it is whole.
        case inline
    }
    struct Entry {
        let key: TOMLKey
        var value: Value
    }
    /// What is there already.
    struct Conflict: Error {
        let name: String
        let position, earlier: Position
    }

    private var origin: Origin
    let position: Position
    private(set) var entries: [Entry] = []
    /// By bytes: for Swift's String, é and e with an accent behind it are the same key; for TOML they are two.
    private var places: [[UInt8]: Int] = [:]

    init(_ origin: Origin, at position: Position) { (self.origin, self.position) = (origin, position) }

    subscript(key: String) -> Entry? { places[Array(key.utf8)].map { entries[$0] } }

    /// `[a.b.c]`
    func open(_ path: [TOMLKey]) throws(Conflict) -> TOMLTable {
        let parent = try parent(of: path)
        let key = path[path.count - 1]
        guard let entry = parent[key.text] else {
            return parent.add(key, TOMLTable(.header, at: key.position))
        }
        guard case .table(let table) = entry.value.content, table.origin == .path else { throw conflict(key, entry) }
        table.origin = .header
        return table
    }

    /// `[[a.b.c]]`
    func append(_ path: [TOMLKey]) throws(Conflict) -> TOMLTable {
        let parent = try parent(of: path)
        let key = path[path.count - 1]
        let table = TOMLTable(.header, at: key.position)
        let item = Value(.table(table), at: key.position)
        guard let entry = parent[key.text] else {
            parent.add(key, Value(.list([item]), at: key.position))
            return table
        }
        guard case .list(let items) = entry.value.content, Self.lastOpen(items) != nil else {
            throw conflict(key, entry)
        }
        parent.entries[parent.places[Array(key.text.utf8)]!].value = Value(
            .list(items + [item]), at: entry.value.position)
        return table
    }

    /// `a.b.c = value`, in this table. `section` is the header, or the brace, that this stands below.
    func set(_ path: [TOMLKey], _ value: Value, section: Int) throws(Conflict) {
        var table = self
        for key in path.dropLast() {
            guard let entry = table[key.text] else {
                table = table.add(key, TOMLTable(.keys(section: section), at: key.position))
                continue
            }
            guard case .table(let next) = entry.value.content,
                next.origin == .path || next.origin == .keys(section: section)
            else { throw conflict(key, entry) }
            next.origin = .keys(section: section)
            table = next
        }
        let key = path[path.count - 1]
        if let entry = table[key.text] { throw conflict(key, entry) }
        table.add(key, value)
    }

    private func parent(of path: [TOMLKey]) throws(Conflict) -> TOMLTable {
        var table = self
        for key in path.dropLast() {
            switch table[key.text]?.value.content {
            case nil: table = table.add(key, TOMLTable(.path, at: key.position))
            case .table(let next)? where next.origin != .inline: table = next
            case .list(let items)?:
                guard let last = Self.lastOpen(items) else { throw conflict(key, table[key.text]!) }
                table = last
            default: throw conflict(key, table[key.text]!)
            }
        }
        return table
    }

    /// Of a list that `[[headers]]` make; one in brackets is whole.
    private static func lastOpen(_ items: [Value]) -> TOMLTable? {
        guard case .table(let table)? = items.last?.content, table.origin != .inline else { return nil }
        return table
    }

    private func add(_ key: TOMLKey, _ table: TOMLTable) -> TOMLTable {
        add(key, Value(.table(table), at: key.position))
        return table
    }

    private func add(_ key: TOMLKey, _ value: Value) {
        places[Array(key.text.utf8)] = entries.count
        entries.append(Entry(key: key, value: value))
    }

    private func conflict(_ key: TOMLKey, _ entry: Entry) -> Conflict {
        Conflict(name: key.text, position: key.position, earlier: entry.key.position)
    }
}
