import AtlasProtocol

/// How a level is written as one character of a frame: code point 832 + tenths of a dB. So -80.0 dB (silence) is U+0020
/// and takes one byte of UTF-8, 0.0 dB is U+0340 and takes two, +121.5 dB is the last that takes two.
///
///     U+0001  no value
///     U+0002  the value is in the column `exact`
///     U+0020…U+07FF  -80.0…+121.5 dB in tenths
///
/// Built, compared and bound as UTF-8 bytes only: as Swift Strings "\u{340}" == "\u{300}".
enum LevelCode {
    static let none: UInt16 = 1
    static let exact: UInt16 = 2
    /// -80.0 dB.
    static let silence: UInt16 = 0x20
    private static let zero: Int16 = 832

    /// The code point for a level that whole tenths hold to the bit, else `exact`. -0.0 and 0.0 are one value to SQLite, too.
    @inline(__always)
    static func code(for reading: Reading) -> UInt16 { code(tenths: reading.tenths) }
    static func code(for level: Double) -> UInt16 { code(tenths: Reading.tenths(of: level)) }

    @inline(__always)
    private static func code(tenths: Int16) -> UInt16 {
        guard tenths >= -800, tenths <= 1215 else { return exact }
        return UInt16(truncatingIfNeeded: tenths + zero)
    }

    /// Tenths of a dB behind a code point of a level.
    static func tenths(_ code: UInt16) -> Int64 { Int64(code) - Int64(zero) }

    /// Writes the code point as UTF-8 into room for two bytes; returns how many it takes.
    @inline(__always)
    static func write(_ code: UInt16, to bytes: UnsafeMutableBufferPointer<UInt8>, at place: Int) -> Int {
        if code < 0x80 {
            bytes[place] = UInt8(truncatingIfNeeded: code)
            return 1
        }
        bytes[place] = UInt8(truncatingIfNeeded: 0xC0 | code >> 6)
        bytes[place + 1] = UInt8(truncatingIfNeeded: 0x80 | code & 0x3F)
        return 2
    }
}
