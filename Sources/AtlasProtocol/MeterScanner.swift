/// Reads the one shape that carries meters, straight from the datagram's bytes and without allocating:
///
///     {"jsonrpc":"2.0","method":"update","params":[{"param":"ZoneMeter_0","val":-20.1},…]}
///
/// White space, the order of members, one object instead of an array, and `pct` for `val` are read too. Whatever else
/// comes (escapes, a non-meter, a number as a string or no level, an unknown member, no value at all) is declined whole and left to
/// `FallbackDecoder`; so the two never differ, one only knows less.
package enum MeterScanner {
    package struct Scan: Equatable, Sendable {
        /// How many readings were written.
        package var readings: Int
        /// Meter values in `pct`: another program's subscription, never samples.
        package var otherFormat: Int
    }

    /// Scans one line without its newline. nil: declined, and what was written to `readings` means nothing.
    @inline(__always)
    package static func scan(
        _ line: UnsafeBufferPointer<UInt8>, into readings: UnsafeMutableBufferPointer<Reading>
    ) -> Scan? {
        guard let base = line.baseAddress else { return nil }
        var cursor = Cursor(at: base, end: base + line.count)
        var scan = Scan(readings: 0, otherFormat: 0)
        var seen: (version: Bool, method: Bool, parameters: Bool) = (false, false, false)
        guard cursor.take("{") else { return nil }
        repeat {
            guard let key = cursor.string(), cursor.take(":") else { return nil }
            if key.equals("params"), !seen.parameters {
                seen.parameters = true
                guard cursor.parameters(into: readings, &scan) else { return nil }
            } else if key.equals("method"), !seen.method {
                seen.method = true
                guard let method = cursor.string(), method.equals("update") else { return nil }
            } else if key.equals("jsonrpc"), !seen.version {
                seen.version = true
                guard cursor.string() != nil else { return nil }
            } else {
                return nil
            }
        } while cursor.take(",")
        guard cursor.take("}"), cursor.isAtEnd(), seen.method, seen.parameters else { return nil }
        return scan
    }
}

/// A place in the bytes of one line. Each `take` skips white space before what it looks for.
private struct Cursor {
    private var position: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>

    init(at start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) { (position, self.end) = (start, end) }

    @inline(__always)
    mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < end, position.pointee == UInt8(truncatingIfNeeded: wanted.value) else { return false }
        position += 1
        return true
    }

    @inline(__always)
    mutating func isAtEnd() -> Bool {
        skipSpace()
        return position == end
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < end, position.pointee <= UInt8(ascii: " ") {
            switch position.pointee {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): position += 1
            default: return
            }
        }
    }

    /// The bytes between two quotes; nil for anything with an escape, a control character or beyond ASCII.
    @inline(__always)
    mutating func string() -> UnsafeBufferPointer<UInt8>? {
        guard take("\"") else { return nil }
        let start = position
        while position < end {
            let byte = position.pointee
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return UnsafeBufferPointer(start: start, count: position - start)
            }
            guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { return nil }
            position += 1
        }
        return nil
    }

    @inline(__always)
    mutating func parameters(into readings: UnsafeMutableBufferPointer<Reading>, _ scan: inout MeterScanner.Scan)
        -> Bool
    {
        guard take("[") else { return parameter(into: readings, &scan) }
        repeat {
            guard parameter(into: readings, &scan) else { return false }
        } while take(",")
        return take("]")
    }

    @inline(__always)
    private mutating func parameter(
        into readings: UnsafeMutableBufferPointer<Reading>, _ scan: inout MeterScanner.Scan
    ) -> Bool {
        guard take("{") else { return false }
        var meter: Meter?
        var level: Double?
        var percent: Double?
        repeat {
            guard let key = string(), take(":") else { return false }
            if key.equals("param"), meter == nil {
                guard let name = string(), let read = Meter(name: name) else { return false }
                meter = read
            } else if key.equals("val"), level == nil {
                guard let read = number(), Reading.isLevel(read) else { return false }
                level = read
            } else if key.equals("pct"), percent == nil {
                guard let read = number() else { return false }
                percent = read
            } else {
                return false
            }
        } while take(",")
        guard take("}"), let meter else { return false }
        if let level {
            guard scan.readings < readings.count else { return false }
            readings[scan.readings] = Reading(meter: meter, level: level)
            scan.readings += 1
        } else if percent != nil {
            scan.otherFormat += 1
        } else {
            return false
        }
        return true
    }

    /// A JSON number of at most 15 significant digits and a power of ten within 22: then one multiplication or division
    /// of two exact doubles gives the nearest double (W. D. Clinger, "How to read floating point numbers accurately").
    @inline(__always)
    private mutating func number() -> Double? {
        skipSpace()
        let negative = position < end && position.pointee == UInt8(ascii: "-")
        if negative { position += 1 }
        let start = position
        var mantissa: Int64 = 0
        var digits = digitRun(&mantissa)
        guard digits > 0, digits == 1 || start.pointee != UInt8(ascii: "0") else { return nil }
        var power = 0
        if position < end, position.pointee == UInt8(ascii: ".") {
            position += 1
            let fraction = digitRun(&mantissa)
            guard fraction > 0 else { return nil }
            digits += fraction
            power = -fraction
        }
        guard digits <= 15 else { return nil }
        if position < end, position.pointee | 0x20 == UInt8(ascii: "e") {
            position += 1
            // Foundation's decoder takes a zero with an exponent for underflow; so that the two agree, it decides.
            guard let exponent = exponent(), mantissa != 0 || exponent == 0 else { return nil }
            power += exponent
        }
        guard power >= -22, power <= 22 else { return nil }
        let magnitude = Double(mantissa)
        let value = power < 0 ? magnitude / powersOfTen[-power] : magnitude * powersOfTen[power]
        return negative ? -value : value
    }

    /// Adds digits to `value` and says how many; beyond 15 the value means nothing, and the caller declines.
    @inline(__always)
    private mutating func digitRun(_ value: inout Int64) -> Int {
        let start = position
        while position < end {
            let digit = position.pointee &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value &* 10 &+ Int64(digit)
            position += 1
        }
        return position - start
    }

    private mutating func exponent() -> Int? {
        var negative = false
        if position < end, position.pointee == UInt8(ascii: "-") || position.pointee == UInt8(ascii: "+") {
            negative = position.pointee == UInt8(ascii: "-")
            position += 1
        }
        var value: Int64 = 0
        let digits = digitRun(&value)
        guard digits > 0, digits <= 3 else { return nil }
        return negative ? -Int(value) : Int(value)
    }
}

private let powersOfTen: InlineArray<23, Double> = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]

extension UnsafeBufferPointer<UInt8> {
    @inline(__always)
    fileprivate func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != text.utf8Start[index] { return false }
        return true
    }
}
