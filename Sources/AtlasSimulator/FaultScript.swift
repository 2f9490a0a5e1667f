/// Faults at times counted from the start of a simulation. One step is written
///
///     [unit N] at TIME FAULT [for TIME]
///
/// where N counts from 0 (without it: every unit), TIME is like `500ms`, `10s`, `2m`, `1.5h`, and FAULT is a name of
/// `Fault.named`, in any case, hyphens allowed, or one of `Fault.withArguments` (a last NAME or VALUE is the rest of the
/// text, quotes optional).
package struct FaultScript: Sendable, Equatable {
    package struct Step: Sendable, Equatable {
        package let unit: Int?
        package let at: Duration
        package let fault: Fault
        package let lasting: Duration?
    }
    package var steps: [Step] = []

    package init() {}

    /// One step from each text.
    package static func parse(_ texts: [String]) throws(FaultScriptError) -> FaultScript {
        var script = FaultScript()
        for text in texts { script.steps += try parse(text).steps }
        return script
    }

    package static func parse(_ text: String) throws(FaultScriptError) -> FaultScript {
        var parser = Parser(text: text)
        var script = FaultScript()
        script.steps = [try parser.step()]
        return script
    }

    private struct Parser {
        let text: String
        private var rest: Substring
        init(text: String) {
            self.text = text
            rest = text[...]
        }

        mutating func step() throws(FaultScriptError) -> Step {
            var word = next()
            var unit: Int?
            if word == "unit" {
                let number = next()
                guard let index = number.flatMap({ Int($0) }), index >= 0 else {
                    throw error("'unit' needs a number, counted from 0", found: number)
                }
                unit = index
                word = next()
            }
            guard word == "at" else {
                throw error("a step begins with 'at TIME' or 'unit N at TIME'", found: word)
            }
            let start = try duration(after: "at")
            let fault = try fault()
            guard let keyword = next() else { return Step(unit: unit, at: start, fault: fault, lasting: nil) }
            guard keyword == "for" else { throw error("only 'for TIME' may follow the fault", found: keyword) }
            guard fault.isLasting else {
                throw error("this fault happens and is over, so it takes no 'for TIME'", found: keyword)
            }
            let lasting = try duration(after: "for")
            if let extra = next() { throw error("nothing may follow 'for TIME'", found: extra) }
            return Step(unit: unit, at: start, fault: fault, lasting: lasting)
        }

        private mutating func next() -> String? {
            rest = rest.drop(while: \.isWhitespace)
            let word = rest.prefix { !$0.isWhitespace }
            rest = rest.dropFirst(word.count)
            return word.isEmpty ? nil : String(word)
        }

        private mutating func fault() throws(FaultScriptError) -> Fault {
            let word = next()
            let name = Self.plain(word ?? "")
            switch name {
            case "rename":
                let zone = try number(of: "zone", after: "rename")
                return .rename(zone: zone, name: try remainder("'rename \(zone)' needs the new name"))
            case "renumber": return .renumber(withoutZone: try number(of: "zone", after: "renumber"))
            case "recall": return try recall()
            case "gain":
                let zone = try number(of: "zone", after: "gain")
                let level = next()
                guard let gain = level.flatMap({ Double($0) }), (-80...0).contains(gain) else {
                    throw error("'gain \(zone)' needs dB from -80 to 0", found: level)
                }
                return .set(parameter: "ZoneGain_\(zone)", value: .number(gain))
            case "mute":
                let zone = try number(of: "zone", after: "mute")
                let state = next()
                guard let isMuted = ["on": 1, "off": 0][state ?? ""] else {
                    throw error("'mute \(zone)' needs 'on' or 'off'", found: state)
                }
                return .set(parameter: "ZoneMute_\(zone)", value: .number(Double(isMuted)))
            case "set":
                guard let parameter = next() else { throw error("'set' needs a parameter and a value", found: nil) }
                return .set(parameter: parameter, value: .text(try remainder("'set \(parameter)' needs a value")))
            default:
                if let fault = Fault.named.first(where: { Self.plain($0.name) == name })?.fault { return fault }
                let names = (Fault.named.map(\.name) + Fault.withArguments.map(\.usage)).joined(separator: ", ")
                throw error("the fault is one of \(names)", found: word)
            }
        }

        private mutating func recall() throws(FaultScriptError) -> Fault {
            let actions = [
                "scene": "RecallScene", "routine": "RecallRoutine", "message": "PlayMessage", "gpo": "RecallGpoPreset",
            ]
            let kind = next()
            guard let action = actions[kind ?? ""] else {
                throw error("'recall' needs scene, routine, message or gpo", found: kind)
            }
            return .set(parameter: "\(action)_\(try number(of: kind ?? "", after: "recall"))", value: 1)
        }

        private mutating func number(of what: String, after keyword: String) throws(FaultScriptError) -> Int {
            let word = next()
            guard let number = word.flatMap({ Int($0) }), number >= 0 else {
                throw error("'\(keyword)' needs the \(what)'s number, counted from 0", found: word)
            }
            return number
        }

        /// All that follows.
        private mutating func remainder(_ rule: String) throws(FaultScriptError) -> String {
            var text = rest.drop(while: \.isWhitespace)
            while text.last?.isWhitespace == true { text.removeLast() }
            if text.count >= 2, let quote = text.first, quote == "\"" || quote == "'", text.last == quote {
                text = text.dropFirst().dropLast()
            }
            rest = ""
            guard !text.isEmpty else { throw error(rule, found: nil) }
            return String(text)
        }

        /// At most a year, in whole microseconds.
        private mutating func duration(after keyword: String) throws(FaultScriptError) -> Duration {
            let word = next()
            let digits = (word ?? "").prefix { ("0"..."9").contains($0) || $0 == "." }
            let unit = (word ?? "").dropFirst(digits.count)
            let seconds: [Substring: Double] = ["ms": 0.001, "s": 1, "m": 60, "h": 3600]
            guard let value = Double(digits), let factor = seconds[unit], value * factor <= 31_536_000 else {
                throw error("'\(keyword)' needs a time like 500ms, 10s, 2m or 1h", found: word)
            }
            return .microseconds(Int64((value * factor * 1e6).rounded()))
        }

        private static func plain(_ name: String) -> String {
            name.lowercased().filter { $0 != "-" && $0 != "_" }
        }

        private func error(_ rule: String, found: String?) -> FaultScriptError {
            FaultScriptError(text: text, rule: rule, found: found)
        }
    }
}

/// A step that cannot be read: the rule it breaks, and the word that breaks it (nil: the text ended there).
package struct FaultScriptError: Error, Equatable, CustomStringConvertible {
    package let text: String
    package let rule: String
    package let found: String?
    package var description: String {
        let place = found.map { "found '\($0)'" } ?? "the text ends there"
        return "cannot read the fault '\(text)': \(rule); \(place). Example: 'unit 2 at 10s wedge for 30s'"
    }
}
