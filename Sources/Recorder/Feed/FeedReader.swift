import AtlasProtocol
import Glibc

/// The other end of the feed, for programs of this package: connects and reads lines until the recorder stops.
package struct FeedReader: ~Copyable {
    /// Why the feed cannot be read.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// For poll(2); readable when `read` does not wait.
    package let descriptor: Int32
    private var framer = LineFramer()
    private var chunk = [UInt8](repeating: 0, count: 64 * 1024)

    /// Throws `Failure` if nobody serves the feed of this store, or this user may not read it.
    package init(store: String) throws(Failure) {
        let path = FeedServer.path(forStore: store)
        do throws(UnixSocket.Failure) {
            descriptor = try UnixSocket.connected(to: path)
        } catch {
            throw Failure(description: Self.explanation(path, error.errno))
        }
    }

    deinit { close(descriptor) }

    private static func explanation(_ path: String, _ reason: Int32) -> String {
        let what = "cannot read the feed \(path): \(String(cString: strerror(reason)))"
        return switch reason {
        case ENOENT, ECONNREFUSED:
            "\(what). No recorder writes this store now: start one with 'atlas-recorder run', or name its store with --store."
        case EACCES, EPERM:
            "\(what). Who may read the store may read its feed: be in its group, or ask as the recorder's user."
        case ENAMETOOLONG:
            "\(what). A socket's path has at most 107 bytes: keep the store in a folder with a shorter path."
        default: "\(what)."
        }
    }

    /// Waits for bytes and calls `body` for each line that they end, without its newline. False: the feed has ended.
    package mutating func read(_ body: ([UInt8]) -> Void) -> Bool {
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            framer.feed(chunk[..<count]) { line in if case .complete(let bytes) = line { body(bytes) } }
            return true
        }
    }

    /// Calls `body` for each line until the recorder ends the feed or `body` returns false.
    package mutating func lines(_ body: ([UInt8]) -> Bool) {
        var goesOn = true
        while goesOn, read({ line in if goesOn { goesOn = body(line) } }) {}
    }
}

/// A line of the feed, for whoever shows it. Its members have no objects in them, so a scan finds them.
package struct FeedLine {
    private let text: Substring

    package init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self)[...] }

    /// A text member; nil if it is absent or null.
    package func string(_ name: String) -> String? {
        guard let range = place(of: name), text[range].first == "\"" else { return nil }
        var result = ""
        var isEscaped = false
        for character in text[range].dropFirst() {
            if isEscaped {
                result.append(["n": "\n", "r": "\r", "t": "\t"][character] ?? character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                return result
            } else {
                result.append(character)
            }
        }
        return nil
    }

    /// A number, as it is written.
    package func number(_ name: String) -> String? {
        guard let range = place(of: name) else { return nil }
        let digits = text[range].prefix { $0 != "," && $0 != "}" }
        return digits.first == "\"" || digits == "null" ? nil : String(digits)
    }

    /// From the member's value on. A name inside a text has its quotes escaped, so it is not found.
    private func place(of name: String) -> Range<Substring.Index>? {
        let key = "\"\(name)\":"
        var rest = text
        while let quote = rest.firstIndex(of: "\"") {
            if rest[quote...].hasPrefix(key), quote == text.startIndex || text[text.index(before: quote)] != "\\" {
                return rest.index(quote, offsetBy: key.count)..<text.endIndex
            }
            rest = rest[rest.index(after: quote)...]
        }
        return nil
    }

    /// `16:30:00.123  Main Bar  ZoneMeter_0 (Terrace)  -20.1 dB`; nil for what is nothing to show.
    package var shown: String? {
        if let missed = number("missed") {
            return "(missed \(missed == "0" ? "changes" : "\(missed) values"): this reader was too slow)"
        }
        guard let time = string("time"), let processor = string("processor") else { return string("error") }
        let clock = time.dropFirst(11).prefix(12)
        if let meter = string("meter"), let level = number("level_db") {
            let label = string("label").map { " (\($0))" } ?? ""
            return "\(clock)  \(processor)  \(meter)\(label)  \(level) dB"
        }
        guard let link = string("link"), let state = string("state") else { return nil }
        return "\(clock)  \(processor)  \(link) \(state)" + (string("cause").map { ": \($0)" } ?? "")
    }
}
