/// Takes one table apart, key by key. What is wrong is collected, and the rest is read on.
struct TableReader {
    let path: String
    /// What it is called in a message: `the file`, `a processor`.
    let title: String
    var faults: [ConfigurationFault] = []
    private let table: TOMLTable
    private var asked: [String] = []

    init(_ table: TOMLTable, path: String, of title: String) {
        (self.table, self.path, self.title) = (table, path, title)
    }

    /// Why a value cannot be used, for behind its key.
    struct Refusal: Error { let reason: String }

    func has(_ key: String) -> Bool { table[key] != nil }

    /// `refusing`: why this text cannot be used; nil: it can.
    mutating func text(_ key: String, example: String, refusing: (String) -> String?) -> String? {
        read(key, example: example) { text throws(Refusal) in
            if let reason = refusing(text) { throw Refusal(reason: reason) }
            return text
        }
    }

    /// What `body` makes of a text.
    mutating func read<T>(_ key: String, example: String, _ body: (String) throws(Refusal) -> T) -> T? {
        guard let value = take(key) else { return nil }
        let sample = "\(key) = \(Value.quoted(example))"
        guard case .text(let text) = value.content else {
            return refuse(key, "is \(value); write text in quotes: \(sample)")
        }
        guard !text.isEmpty else { return refuse(key, "is empty; for example: \(sample)") }
        do throws(Refusal) { return try body(text) } catch { return refuse(key, error.reason) }
    }

    /// A list of texts, each with its number from 1.
    mutating func texts(_ key: String, example: String, refusing: (String) -> String?) -> [String]? {
        guard let value = take(key) else { return nil }
        let right = "write a list of texts: \(key) = [\(Value.quoted(example))]"
        guard case .list(let items) = value.content else { return refuse(key, "is \(value); \(right)") }
        guard !items.isEmpty else { return refuse(key, "is an empty list; leave the key out, or \(right)") }
        var texts: [String] = []
        for (index, item) in items.enumerated() {
            let place = "\(key)[\(index + 1)]"
            guard case .text(let text) = item.content else {
                refuse(place, "is \(item); \(right)", at: item.position)
                continue
            }
            if let reason = refusing(text) { refuse(place, reason, at: item.position) }
            texts.append(text)
        }
        return texts
    }

    /// One table. `header` is how it begins in the file.
    mutating func table(_ key: String, header: String) -> TableReader? {
        guard let value = take(key) else { return nil }
        guard case .table(let table) = value.content else {
            return refuse(key, "is \(value); begin it with the line \(header), in one pair of brackets")
        }
        return TableReader(table, path: "\(full(key)).", of: full(key))
    }

    mutating func whole(_ key: String, _ range: ClosedRange<Int>, of unit: String = "", example: Int) -> Int? {
        guard let value = take(key) else { return nil }
        let right =
            "write a whole number \(unit.isEmpty ? "" : "of \(unit)")from \(range.lowerBound) to \(range.upperBound)"
        switch value.content {
        case .whole(let number) where range.contains(number): return number
        case .whole: return refuse(key, "is \(value); \(right)")
        case .text(let text):
            let meant = Int(text.prefix { $0.isNumber }).flatMap { range.contains($0) ? $0 : nil }
            return refuse(key, "is \(value); \(right), without quotes: \(key) = \(meant ?? example)")
        case .decimal, .flag, .moment, .list, .table: return refuse(key, "is \(value); \(right): \(key) = \(example)")
        }
    }

    mutating func flag(_ key: String) -> Bool? {
        guard let value = take(key) else { return nil }
        guard case .flag(let flag) = value.content else {
            return refuse(key, "is \(value); write true or false, without quotes")
        }
        return flag
    }

    /// The tables of a list of them. `header` is how each begins in the file.
    mutating func tables(_ key: String, header: String) -> [TableReader] {
        guard let value = take(key) else { return [] }
        let right = "begin each with the line \(header), in two pairs of brackets"
        switch value.content {
        case .list(let items):
            return items.enumerated().compactMap { index, item in
                let place = "\(key)[\(index + 1)]"
                guard case .table(let table) = item.content else {
                    refuse(place, "is \(item); \(right)", at: item.position)
                    return nil
                }
                return TableReader(table, path: "\(full(place)).", of: "a \(key)")
            }
        case .table: return refuse(key, "is one table; \(right)") ?? []
        case .text, .whole, .decimal, .flag, .moment: return refuse(key, "is \(value); \(right)") ?? []
        }
    }

    mutating func require(_ key: String, example: String) {
        if table[key] == nil { refuse(key, "is missing; write \(key) = \(Value.quoted(example))") }
    }

    /// Whatever nobody asked for. `elsewhere` are keys that are right in another place, `synonyms` what ours are called
    /// by others.
    mutating func refuseOthers(elsewhere: [String], where place: String, synonyms: [String: String]) {
        let known = asked
        for key in table.entries.map(\.key) where !known.contains(key.text) {
            let message =
                if elsewhere.contains(key.text) {
                    place
                } else if let meant = synonyms[key.text.lowercased()] ?? Guess.of(key.text, among: known) {
                    "there is no such key. Did you mean '\(meant)'?"
                } else if let meant = Guess.of(key.text, among: elsewhere) {
                    "there is no such key. Did you mean '\(meant)'? That \(place)"
                } else {
                    "there is no such key; the keys of \(title) are \(known.joined(separator: ", "))"
                }
            refuse(key.text, message, at: key.position)
        }
    }

    mutating func refuse<T>(_ key: String, _ message: String, _: T.Type = T.self) -> T? {
        refuse(key, message)
        return nil
    }

    /// Without a place it is that of the key's value, or of the table where the key is not there.
    mutating func refuse(_ key: String, _ message: String, at position: Position? = nil) {
        faults.append(
            ConfigurationFault(
                at: position ?? table[key]?.value.position ?? table.position, key: full(key), message))
    }

    /// As it would be written in the file: quotes round whatever is no bare key.
    private func full(_ key: String) -> String {
        let isBare = !key.isEmpty && key.unicodeScalars.allSatisfy { $0.isWord || "_-[]".unicodeScalars.contains($0) }
        return path + (isBare ? key : Value.quoted(Value.shortened(key)))
    }

    private mutating func take(_ key: String) -> Value? {
        asked.append(key)
        return table[key]?.value
    }
}
