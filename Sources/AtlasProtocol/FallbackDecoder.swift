import FoundationEssentials

/// Reads every message of the protocol, in any order of members and any spelling that PROTOCOL.md's sources report.
/// Costs some 60 us a message: the meters' usual shape goes by `MeterScanner`, and a fuzz test holds the two to the
/// same answer.
package struct FallbackDecoder: Sendable {
    package init() {}

    /// nil if the bytes are no JSON object. What does not read whole is tried once more as `JSONRepair` leaves it, so that
    /// one `NaN` costs its own value only. Bytes that are no UTF-8 become U+FFFD. Nesting beyond 512 levels is refused by
    /// the decoder. (Its JSON5 would read more, but ends the process over the number `1e-`.)
    package func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> ParsedMessage? {
        let text = Array(String(decoding: bytes, as: UTF8.self).utf8)
        let plain = parse(text)
        if let plain, plain.unreadableValues == 0 { return plain }
        return JSONRepair.repaired(text).flatMap { parse($0) } ?? plain
    }

    private func parse(_ text: [UInt8]) -> ParsedMessage? {
        (try? JSONDecoder().decode(WireMessage.self, from: Data(text)))?.parsed
    }
}

/// A message's members as they may come; what is not as expected is nil, not an error.
private struct WireMessage: Decodable {
    let method: String?
    let id: Int?
    let parameters: [WireParameter]
    let hasResult: Bool
    let error: WireError?

    enum Key: String, CodingKey { case method, params, id, result, error }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        method = try? members.decode(String.self, forKey: .method)
        id = (try? members.decode(WireNumber.self, forKey: .id))?.integer
        hasResult = members.holds(.result)
        let list = hasResult ? Key.result : .params
        if (try? members.decode(String.self, forKey: list)) != nil {
            parameters = []  // "OK"
        } else {
            parameters =
                (try? members.decode([WireParameter].self, forKey: list))
                ?? (try? members.decode(WireParameter.self, forKey: list)).map { [$0] } ?? []
        }
        if members.holds(.error) {
            error = members.error(.error)
        } else if method == "error" {
            error = members.error(.params)
        } else {
            error = nil
        }
    }

    var parsed: ParsedMessage {
        if let error {
            let failure = Message.failure(id: id, code: error.code ?? 0, message: error.message ?? "")
            return ParsedMessage(message: failure, unreadableValues: 0)
        }
        let values = parameters.compactMap(\.value)
        let unreadable = parameters.count - values.count
        let message: Message
        switch method {
        case _ where hasResult: message = .result(id: id, values: values)
        case "update": message = .update(values)
        case "getResp": message = .getResponse(values)
        default: return ParsedMessage(message: .unknown, unreadableValues: 0)
        }
        return ParsedMessage(message: message, unreadableValues: unreadable)
    }
}

extension KeyedDecodingContainer<WireMessage.Key> {
    /// JSON-RPC 1.0 sends both members, the one that does not apply as null.
    fileprivate func holds(_ key: Key) -> Bool { contains(key) && (try? decodeNil(forKey: key)) != true }

    /// An error in whatever form, one in an array included.
    fileprivate func error(_ key: Key) -> WireError {
        (try? decode(WireError.self, forKey: key)) ?? (try? decode([WireError].self, forKey: key))?.first
            ?? WireError(code: nil, message: nil)
    }
}

private struct WireParameter: Decodable {
    let value: ParameterValue?

    enum Key: String, CodingKey { case param, val, pct, str }

    init(from decoder: any Decoder) throws {
        guard let members = try? decoder.container(keyedBy: Key.self),
            let name = try? members.decode(String.self, forKey: .param)
        else {
            value = nil
            return
        }
        if members.contains(.val) {
            // A text under `val` is the value all the same: `"val":"Main Bar"` for a name.
            if let number = (try? members.decode(WireNumber.self, forKey: .val))?.double {
                let isValue = Meter(name: name) == nil || Reading.isLevel(number)
                value = isValue ? ParameterValue(name: name, value: .number(number)) : nil
            } else if let text = try? members.decode(String.self, forKey: .val), Meter(name: name) == nil {
                value = ParameterValue(name: name, value: .text(text))
            } else {
                value = nil
            }
        } else if let number = (try? members.decode(WireNumber.self, forKey: .pct))?.double {
            value = ParameterValue(name: name, value: .percent(number))
        } else if let text = try? members.decode(String.self, forKey: .str) {
            value = ParameterValue(name: name, value: .text(text))
        } else if let number = (try? members.decode(WireNumber.self, forKey: .str))?.double {
            value = ParameterValue(name: name, value: .text(Self.text(of: number)))
        } else {
            value = nil
        }
    }

    private static func text(of number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }
}

/// `-20`, `-20.0`, `-2.01e1` or the same as a string; true and false as 1 and 0. Finite.
private struct WireNumber: Decodable {
    let double: Double
    var integer: Int? { Int(exactly: double) }

    init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        let number: Double?
        if let value = try? single.decode(Double.self) {
            number = value
        } else if let text = try? single.decode(String.self) {
            number = Self.isPlainNumber(text) ? Double(text) : nil
        } else if let flag = try? single.decode(Bool.self) {
            number = flag ? 1 : 0
        } else {
            number = nil
        }
        guard let number, number.isFinite else {
            throw DecodingError.dataCorruptedError(in: single, debugDescription: "not a finite number")
        }
        double = number
    }

    /// Swift's `Double("0x1p3")` and `Double("nan")` read more than a unit would mean by a numeric string.
    private static func isPlainNumber(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
                UInt8(ascii: "e"), UInt8(ascii: "E"):
                true
            default: false
            }
        }
    }
}

private struct WireError: Decodable {
    let code: Int?
    let message: String?

    enum Key: String, CodingKey { case code, message }

    init(code: Int?, message: String?) {
        self.code = code
        self.message = message
    }

    init(from decoder: any Decoder) throws {
        if let members = try? decoder.container(keyedBy: Key.self) {
            code = (try? members.decode(WireNumber.self, forKey: .code))?.integer
            message = try? members.decode(String.self, forKey: .message)
            return
        }
        // A string, which some firmware fills with the error object's own JSON.
        let text = try decoder.singleValueContainer().decode(String.self)
        if text.utf8.first == UInt8(ascii: "{"), text.utf8.count <= LineFramer.lineLimit,
            let inner = try? JSONDecoder().decode(WireError.self, from: Data(text.utf8))
        {
            (code, message) = (inner.code, inner.message)
        } else {
            (code, message) = (nil, text)
        }
    }
}
