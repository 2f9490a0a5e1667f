/// Reads the one shape that carries meters, straight from the datagram's bytes and without allocating:
///
///     {"jsonrpc":"2.0","method":"update","params":[{"param":"ZoneMeter_0","val":-20.1},…]}
///
/// White space, the order of members, one object instead of an array, and `pct` for `val` are read too; what is written just
/// as above is compared eight bytes at a time. Whatever else comes (escapes, a non-meter, a number as a string or no level, an
/// unknown member, no value at all) is declined whole and left to `FallbackDecoder`; so the two never differ, one only knows
/// less.
package enum MeterScanner {
    package struct Scan: Equatable, Sendable {
        /// How many readings were written.
        package var readings = 0
        /// Meter values in `pct`: another program's subscription, never samples.
        package var otherFormat = 0
        /// The line's bytes, without its newline.
        package var length = 0
    }

    /// Scans the first line of these bytes. nil: declined, and what was written to `readings` means nothing.
    @inline(__always)
    package static func scan(
        _ bytes: UnsafeBufferPointer<UInt8>, into readings: UnsafeMutableBufferPointer<Reading>
    ) -> Scan? {
        guard let base = bytes.baseAddress else { return nil }
        var cursor = Cursor(at: base, end: base + bytes.count)
        var scan = Scan()
        if cursor.take(text: #"{"jsonrpc":"2.0","method":"update","params":"#) {
            guard cursor.parameters(into: readings, &scan), cursor.take("}") else { return nil }
        } else {
            guard cursor.members(into: readings, &scan) else { return nil }
        }
        guard cursor.isAtEnd() else { return nil }
        scan.length = cursor.position - base
        return scan
    }
}

/// A place in the bytes of one line and what follows it. Each `take` skips white space before what it looks for; a newline is
/// none, for it ends the line.
private struct Cursor {
    private(set) var position: UnsafePointer<UInt8>
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
        return position == end || position.pointee == UInt8(ascii: "\n")
    }

    /// This text of eight bytes or more, with nothing before it.
    @inline(__always)
    mutating func take(text: StaticString) -> Bool {
        guard text.begins(at: position, end: end) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < end, position.pointee <= UInt8(ascii: " ") {
            switch position.pointee {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
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

    /// A whole message, its members in any order.
    @inline(never)
    mutating func members(into readings: UnsafeMutableBufferPointer<Reading>, _ scan: inout MeterScanner.Scan) -> Bool {
        var seen: (version: Bool, method: Bool, parameters: Bool) = (false, false, false)
        guard take("{") else { return false }
        repeat {
            guard let key = string(), take(":") else { return false }
            if key.equals("params"), !seen.parameters {
                seen.parameters = true
                guard parameters(into: readings, &scan) else { return false }
            } else if key.equals("method"), !seen.method {
                seen.method = true
                guard let method = string(), method.equals("update") else { return false }
            } else if key.equals("jsonrpc"), !seen.version {
                seen.version = true
                guard string() != nil else { return false }
            } else {
                return false
            }
        } while take(",")
        return take("}") && seen.method && seen.parameters
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
        guard let reading = usualReading() else { return anyParameter(into: readings, &scan) }
        guard scan.readings < readings.count else { return false }
        readings[scan.readings] = reading
        scan.readings += 1
        return true
    }

    /// `{"param":"ZoneMeter_0","val":-20.1}`; nil: not written just so, and nothing is taken.
    @inline(__always)
    private mutating func usualReading() -> Reading? {
        var ahead = self
        guard ahead.take(text: #"{"param":""#), let name = Meter.name(at: ahead.position, end: end) else { return nil }
        ahead.position += name.length
        guard ahead.take(text: #"","val":"#) else { return nil }
        let reading: Reading
        if let tenths = ahead.tenths() {
            reading = Reading(meter: name.meter, tenths: tenths)
        } else if let level = ahead.level() {
            reading = Reading(meter: name.meter, level: level)
        } else {
            return nil
        }
        guard ahead.take("}") else { return nil }
        self = ahead
        return reading
    }

    /// `-20.1`: up to three digits, and one behind the point; nil: not written just so, and nothing is taken.
    @inline(__always)
    private mutating func tenths() -> Int16? {
        var ahead = self
        let negative = ahead.next == UInt8(ascii: "-")
        if negative { ahead.position += 1 }
        let start = ahead.position
        var value: Int64 = 0
        let whole = ahead.digitRun(&value)
        guard whole > 0, whole <= 3, whole == 1 || start.pointee != UInt8(ascii: "0"), ahead.next == UInt8(ascii: ".")
        else { return nil }
        ahead.position += 1
        // -0.0 is itself as a double only.
        guard ahead.digitRun(&value) == 1, ahead.next == UInt8(ascii: "}"), value > 0 || !negative else { return nil }
        self = ahead
        return Int16(truncatingIfNeeded: negative ? -value : value)
    }

    /// Any number that is a level.
    @inline(never)
    private mutating func level() -> Double? { number().flatMap { Reading.isLevel($0) ? $0 : nil } }

    /// The byte that comes, whatever it is; nil: none does.
    @inline(__always)
    private var next: UInt8? { position < end ? position.pointee : nil }

    /// Its members in any order.
    @inline(never)
    private mutating func anyParameter(
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
                guard let read = self.level() else { return false }
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
        let whole = digitRun(&mantissa)
        guard whole > 0, whole == 1 || start.pointee != UInt8(ascii: "0") else { return nil }
        var fraction = 0
        if position < end, position.pointee == UInt8(ascii: ".") {
            position += 1
            fraction = digitRun(&mantissa)
            guard fraction > 0 else { return nil }
        }
        guard whole + fraction <= 15 else { return nil }
        var magnitude = Double(mantissa)
        if position < end, position.pointee | 0x20 == UInt8(ascii: "e") {
            position += 1
            // Foundation's decoder takes a zero with an exponent for underflow; so that the two agree, it decides.
            guard let exponent = exponent(), mantissa != 0 || exponent == 0, abs(exponent - fraction) <= 22
            else { return nil }
            let power = exponent - fraction
            magnitude = power < 0 ? magnitude / powersOfTen[-power] : magnitude * powersOfTen[power]
        } else {
            magnitude /= powersOfTen[fraction]
        }
        return negative ? -magnitude : magnitude
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

    @inline(never)
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
