/// Takes one table apart, key by key. What is wrong is collected, and the rest is read on.
struct TableReader {
    let path: String
    /// What it is called in a message: `the file`, `a processor`.
    let title: String
    var faults: [ConfigurationFault] = []
    private let values: [String: Value]
    private var asked: [String] = []

    init(_ values: [String: Value], path: String, of title: String) {
        (self.values, self.path, self.title) = (values, path, title)
    }

    /// `refusing`: why this text cannot be used; nil: it can.
    mutating func text(_ key: String, example: String, refusing: (String) -> String?) -> String? {
        guard let value = take(key) else { return nil }
        let sample = "\(key) = \(Value.quoted(example))"
        guard case .text(let text) = value else { return refuse(key, "is \(value); write text in quotes: \(sample)") }
        guard !text.isEmpty else { return refuse(key, "is empty; for example: \(sample)") }
        if let reason = refusing(text) { return refuse(key, reason) }
        return text
    }

    mutating func whole(_ key: String, _ range: ClosedRange<Int>, of unit: String = "", example: Int) -> Int? {
        guard let value = take(key) else { return nil }
        let right =
            "write a whole number \(unit.isEmpty ? "" : "of \(unit)")from \(range.lowerBound) to \(range.upperBound)"
        switch value {
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
        guard case .flag(let flag) = value else {
            return refuse(key, "is \(value); write true or false, without quotes")
        }
        return flag
    }

    /// The tables of a list of them. `header` is how each begins in the file.
    mutating func tables(_ key: String, header: String) -> [TableReader] {
        let right = "begin each with the line \(header), in two pairs of brackets"
        switch take(key) {
        case nil: return []
        case .list(let items)?:
            return items.enumerated().compactMap { index, item in
                guard case .table(let values) = item else {
                    return refuse("\(key)[\(index + 1)]", "is \(item); \(right)")
                }
                return TableReader(values, path: "\(full(key))[\(index + 1)].", of: "a \(key)")
            }
        case .table?: return refuse(key, "is one table; \(right)") ?? []
        case let value?: return refuse(key, "is \(value); \(right)") ?? []
        }
    }

    mutating func require(_ key: String, example: String) {
        if values[key] == nil { refuse(key, "is missing; write \(key) = \(Value.quoted(example))") }
    }

    /// Whatever nobody asked for. `elsewhere` are keys that are right in another place, `synonyms` what ours are called
    /// by others.
    mutating func refuseOthers(elsewhere: [String], where place: String, synonyms: [String: String]) {
        for key in values.keys.filter({ !asked.contains($0) }).sorted() {
            let known = "the keys of \(title) are \(asked.joined(separator: ", "))"
            if elsewhere.contains(key) {
                refuse(key, place)
            } else if let meant = synonyms[key.lowercased()] ?? Guess.of(key, among: asked) {
                refuse(key, "there is no such key. Did you mean '\(meant)'?")
            } else if let meant = Guess.of(key, among: elsewhere) {
                refuse(key, "there is no such key. Did you mean '\(meant)'? That \(place)")
            } else {
                refuse(key, "there is no such key; \(known)")
            }
        }
    }

    @discardableResult
    mutating func refuse<T>(_ key: String, _ message: String, _: T.Type = T.self) -> T? {
        refuse(key, message)
        return nil
    }

    mutating func refuse(_ key: String, _ message: String) {
        faults.append(ConfigurationFault(place: .key(full(key)), message: message))
    }

    /// As it would be written in the file: quotes round whatever is no bare key.
    private func full(_ key: String) -> String {
        let isBare =
            !key.isEmpty
            && key.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic || $0.properties.numericType != nil
                        || "_-[]".unicodeScalars.contains($0))
            }
        return path + (isBare ? key : Value.quoted(key))
    }

    private mutating func take(_ key: String) -> Value? {
        asked.append(key)
        return values[key]
    }
}
