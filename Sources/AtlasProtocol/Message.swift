/// What a unit said in one line or in one message of a datagram.
package enum Message: Equatable, Sendable {
    /// A subscribed value changed, or its first value.
    case update([ParameterValue])
    /// The answer to `get`; the keep-alive's answer is one, by TCP and by UDP.
    case getResponse([ParameterValue])
    /// The answer to `sub` or `unsub`: "OK", or the first values.
    case result(id: Int?, values: [ParameterValue])
    /// An error, as the member `error` or as `"method":"error"`. -32604: no such parameter.
    case failure(id: Int?, code: Int, message: String)
    /// Well formed, but nothing that a recorder knows.
    case unknown

    /// The values of an update, an answer to `get` or a result.
    package var values: [ParameterValue] {
        switch self {
        case .update(let values), .getResponse(let values), .result(_, let values): values
        case .failure, .unknown: []
        }
    }
}

/// One parameter with the value that came, in the format it was asked for.
package struct ParameterValue: Equatable, Sendable {
    package enum Value: Equatable, Sendable {
        /// `val`: the parameter's own unit (dB, 0/1, an index).
        case number(Double)
        /// `pct`: 0..100. Never a sample: another program on this host asked for it.
        case percent(Double)
        /// `str`.
        case text(String)
    }
    package let name: String
    package let value: Value

    package init(name: String, value: Value) {
        self.name = name
        self.value = value
    }

    /// The meter's reading, if this is a meter's value in dB.
    package var reading: Reading? {
        guard case .number(let level) = value, let meter = Meter(name: name) else { return nil }
        return Reading(meter: meter, level: level)
    }
}

/// A message that was read, with how many of its parameters could not be.
package struct ParsedMessage: Equatable, Sendable {
    package let message: Message
    /// Values that had to be left out: a wrong type, not a number, a meter's beyond `Reading.limit`.
    package let unreadableValues: Int
}
