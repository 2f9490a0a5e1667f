/// One of the four families of channels that have a level (maker's manual ATS006993, "Parameters").
package enum ChannelFamily: UInt8, CaseIterable, Sendable {
    case source, zone, mix, group

    /// As it begins a parameter's name: `Zone` of `ZoneMeter_0`.
    package var prefix: String {
        switch self {
        case .source: "Source"
        case .zone: "Zone"
        case .mix: "Mix"
        case .group: "Group"
        }
    }

    /// As people look for them: zones first, which is what they hear, then what comes in.
    package static let inReadingOrder: [ChannelFamily] = [.zone, .source, .mix, .group]
}

/// Which meter of a unit: family and zero-based index, 0...255. A unit has at most 56 of them; the room above is for
/// larger models, and its end keeps a hostile sender from filling memory with meters that do not exist.
package struct Meter: Hashable, Sendable {
    /// `family * 256 + index`, below `Meter.limit`; usable as an array index.
    package let key: UInt16
    package static let limit = 1024

    package var family: ChannelFamily { ChannelFamily(rawValue: UInt8(key >> 8))! }
    package var index: Int { Int(key & 0xFF) }
    /// Its place among a unit's meters as people look for them.
    package var readingRank: Int { ChannelFamily.inReadingOrder.firstIndex(of: family)! * 256 + index }
    /// The device's name, `ZoneMeter_0`.
    package var name: String { "\(family.prefix)Meter_\(index)" }

    package init(_ family: ChannelFamily, _ index: UInt8) { key = UInt16(family.rawValue) << 8 | UInt16(index) }

    /// Reads `ZoneMeter_0`; nil for anything that is no meter's name, `ZoneMeter_00` and `ZoneMeter_256` included.
    package init?(name bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.baseAddress, let name = Self.name(at: start, end: start + bytes.count),
            name.length == bytes.count
        else { return nil }
        self = name.meter
    }

    /// The meter whose name begins here, and how long the name is; nil: none begins here.
    @inline(__always)
    static func name(at start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> (meter: Meter, length: Int)? {
        guard start < end else { return nil }
        switch start.pointee {  // the first letter decides
        case UInt8(ascii: "S"): return name(of: .source, "SourceMeter_", at: start, end: end)
        case UInt8(ascii: "Z"): return name(of: .zone, "ZoneMeter_", at: start, end: end)
        case UInt8(ascii: "M"): return name(of: .mix, "MixMeter_", at: start, end: end)
        case UInt8(ascii: "G"): return name(of: .group, "GroupMeter_", at: start, end: end)
        default: return nil
        }
    }

    @inline(__always)
    private static func name(
        of family: ChannelFamily, _ prefix: StaticString, at start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>
    ) -> (meter: Meter, length: Int)? {
        guard prefix.begins(at: start, end: end) else { return nil }
        let digits = start + prefix.utf8CodeUnitCount
        var position = digits
        var index = 0
        while position < end, position < digits + 3 {
            let digit = position.pointee &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            index = index &* 10 &+ Int(digit)
            position += 1
        }
        guard position > digits, index < 256, digits.pointee != UInt8(ascii: "0") || position == digits + 1
        else { return nil }
        return (Meter(family, UInt8(truncatingIfNeeded: index)), position - start)
    }

    package init?(name: String) {
        var name = name
        guard let meter = name.withUTF8({ Meter(name: $0) }) else { return nil }
        self = meter
    }

    /// The meter that a channel's name belongs to: `ZoneName_3` is `ZoneMeter_3`'s.
    package init?(namedBy parameter: String) {
        for family in ChannelFamily.allCases where parameter.hasPrefix(family.prefix + "Name_") {
            self.init(name: "\(family.prefix)Meter_\(parameter.dropFirst(family.prefix.count + 5))")
            return
        }
        return nil
    }
}

extension StaticString {
    /// Whether the bytes from `start` on, none of them behind `end`, are this text of eight bytes or more. Compares eight at
    /// a time, the last of them maybe for the second time: with a literal the compiler makes a few words of it.
    @inline(__always)
    func begins(at start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> Bool {
        let count = utf8CodeUnitCount
        guard end - start >= count else { return false }
        let (bytes, text) = (UnsafeRawPointer(start), UnsafeRawPointer(utf8Start))
        @inline(__always) func difference(_ offset: Int) -> UInt64 {
            bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                ^ text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
        var differences = difference(count - 8)
        var offset = 0
        while offset + 8 < count {
            differences |= difference(offset)
            offset += 8
        }
        return differences == 0
    }
}

/// A meter's value as it came, in dB (-80..0 by the manual; what a unit sends beyond that is kept, up to `limit`).
package struct Reading: Equatable, Sendable {
    /// dB, either way: no level is beyond it (a 64-bit sample spans 385 dB), and what is summed over any time stays finite.
    package static let limit = 1_000.0

    package let meter: Meter
    /// The level in tenths of a dB, where these hold it to the bit (0.0 and -0.0 are one here); else `notTenths`.
    package let tenths: Int16
    package static let notTenths = Int16.min
    package let level: Double

    /// Whether this is a level at all; what is not is counted as unreadable.
    @inline(__always)
    package static func isLevel(_ number: Double) -> Bool { abs(number) <= limit }

    package init(meter: Meter, level: Double) {
        (self.meter, self.level, tenths) = (meter, level, Self.tenths(of: level))
    }

    /// As `tenths`.
    package static func tenths(of level: Double) -> Int16 {
        guard isLevel(level) else { return notTenths }
        let nearest = Int16((level * 10).rounded())
        return Double(nearest) / 10 == level ? nearest : notTenths
    }

    /// A level of so many tenths of a dB.
    @inline(__always)
    init(meter: Meter, tenths: Int16) {
        (self.meter, self.tenths, level) = (meter, tenths, Double(tenths) / 10)
    }
}
