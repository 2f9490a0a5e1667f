import NIOCore

/// A value as tests and controllers give it.
package enum ParameterValue: Sendable, Hashable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringLiteral
{
    case number(Double)
    case text(String)

    package init(floatLiteral value: Double) { self = .number(value) }
    package init(integerLiteral value: Int) { self = .number(Double(value)) }
    package init(stringLiteral value: String) { self = .text(value) }

    /// Finite, and small enough for integer arithmetic.
    var number: Double? {
        let number: Double? =
            switch self {
            case .number(let number): number
            case .text(let text): Double(text)
            }
        return number.flatMap { abs($0) <= 1e9 ? $0 : nil }
    }

    var text: String {
        switch self {
        case .text(let text): text
        case .number(let number): number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
        }
    }
}

/// One named parameter of a unit.
struct Parameter {
    enum Kind: Equatable {
        /// -80...0 dB, read only, by UDP.
        case meter
        /// -80...0 dB.
        case gain
        /// A whole number within the range; -1 of a zone's source is none.
        case choice(ClosedRange<Int>)
        /// Says that something was fired: each `set` is told, whatever the value.
        case action(ClosedRange<Int>)
        /// A string that only the unit changes.
        case label
        case keepAlive
    }
    /// As stored: a level in units of 10^-decimals dB.
    enum Value: Equatable {
        case level(Int)
        case whole(Int)
        case text(String)
    }

    let name: String
    let kind: Kind
    var value: Value

    /// Whether a client may `set` or `bmp` it.
    var isWritable: Bool {
        switch kind {
        case .gain, .choice, .action: true
        case .meter, .label, .keepAlive: false
        }
    }
}

/// How levels are counted: whole units of 10^-decimals dB, from `floor` (-80 dB) to 0.
struct LevelScale: Equatable {
    let decimals: Int
    let unitsPerDB: Int
    var floor: Int { -80 * unitsPerDB }

    init(decimals: Int) {
        self.decimals = decimals
        unitsPerDB = (0..<decimals).reduce(1) { units, _ in units * 10 }
    }

    func level(dB: Double) -> Int { min(0, max(floor, Int((dB * Double(unitsPerDB)).rounded()))) }

    func sum(_ level: Int, _ gain: Int) -> Int { level <= floor ? floor : max(floor, level + gain) }

    func level(percent: Double) -> Int { level(dB: percent * 0.8 - 80) }

    /// `"val":-20.1`, `"pct":74.875` or `"str":"-20.1"`.
    func write(_ value: Parameter.Value, as format: Request.Format, to buffer: inout ByteBuffer) {
        switch (value, format) {
        case (.text(let text), _):
            buffer.writeStaticString("\"str\":")
            buffer.writeJSONString(text)
        case (.level(let level), .val):
            buffer.writeStaticString("\"val\":")
            buffer.writeDecimal(level, decimals: decimals)
        case (.level(let level), .pct):
            buffer.writeStaticString("\"pct\":")
            buffer.writeShortDecimal((level - floor) * 125, decimals: decimals + 2)
        case (.level(let level), .str):
            buffer.writeStaticString("\"str\":\"")
            buffer.writeDecimal(level, decimals: decimals)
            buffer.writeStaticString("\"")
        case (.whole(let number), .str):
            buffer.writeStaticString("\"str\":\"")
            buffer.writeDecimal(number, decimals: 0)
            buffer.writeStaticString("\"")
        case (.whole(let number), .val), (.whole(let number), .pct):
            buffer.writeString("\"\(format.rawValue)\":")
            buffer.writeDecimal(number, decimals: 0)
        }
    }
}
