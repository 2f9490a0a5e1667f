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
}

/// Which meter of a unit: family and zero-based index, 0...255. A unit has at most 56 of them; the room above is for
/// larger models, and its end keeps a hostile sender from filling memory with meters that do not exist.
package struct Meter: Hashable, Sendable {
    /// `family * 256 + index`, below `Meter.limit`; usable as an array index.
    package let key: UInt16
    package static let limit = 1024

    package var family: ChannelFamily { ChannelFamily(rawValue: UInt8(key >> 8))! }
    package var index: Int { Int(key & 0xFF) }
    /// The device's name, `ZoneMeter_0`.
    package var name: String { "\(family.prefix)Meter_\(index)" }

    package init(_ family: ChannelFamily, _ index: UInt8) { key = UInt16(family.rawValue) << 8 | UInt16(index) }

    /// Reads `ZoneMeter_0`; nil for anything that is no meter's name, `ZoneMeter_00` and `ZoneMeter_256` included.
    @inline(__always)
    package init?(name bytes: UnsafeBufferPointer<UInt8>) {
        // The first letter decides the family, and with it where "Meter_" must stand.
        guard bytes.count >= 10, let base = bytes.baseAddress else { return nil }
        let family: ChannelFamily
        let suffix: Int
        switch base[0] {
        case UInt8(ascii: "S"): (family, suffix) = (.source, 6)
        case UInt8(ascii: "Z"): (family, suffix) = (.zone, 4)
        case UInt8(ascii: "M"): (family, suffix) = (.mix, 3)
        case UInt8(ascii: "G"): (family, suffix) = (.group, 5)
        default: return nil
        }
        let digits = suffix + 6
        guard bytes.count > digits, bytes.count <= digits + 3,
            Self.matches(base, Self.prefix(of: family), count: digits)
        else { return nil }
        var index: UInt16 = 0
        for position in digits..<bytes.count {
            let digit = base[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            index = index * 10 + UInt16(digit)
        }
        guard index < 256, base[digits] != UInt8(ascii: "0") || bytes.count == digits + 1 else { return nil }
        key = UInt16(family.rawValue) << 8 | index
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

    @inline(__always)
    private static func prefix(of family: ChannelFamily) -> StaticString {
        switch family {
        case .source: "SourceMeter_"
        case .zone: "ZoneMeter_"
        case .mix: "MixMeter_"
        case .group: "GroupMeter_"
        }
    }

    @inline(__always)
    private static func matches(_ bytes: UnsafePointer<UInt8>, _ text: StaticString, count: Int) -> Bool {
        for position in 0..<count where bytes[position] != text.utf8Start[position] { return false }
        return true
    }
}

/// A meter's value as it came, in dB (-80..0 by the manual; what a unit sends beyond that is kept, up to `limit`).
package struct Reading: Equatable, Sendable {
    /// dB, either way: no level is beyond it (a 64-bit sample spans 385 dB), and what is summed over any time stays finite.
    package static let limit = 1_000.0

    package let meter: Meter
    package let level: Double

    /// Whether this is a level at all; what is not is counted as unreadable.
    @inline(__always)
    package static func isLevel(_ number: Double) -> Bool { abs(number) <= limit }

    package init(meter: Meter, level: Double) {
        self.meter = meter
        self.level = level
    }
}
