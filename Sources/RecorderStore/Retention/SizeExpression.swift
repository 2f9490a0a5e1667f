/// Sizes in bytes: `20GB`, `500MB`, `1.5TB`, `512MiB`, `1000000`. KB, MB, GB and TB are powers of 1,000, with an i of 1,024.
package enum SizeExpression {
    package static let forms = "500MB, 20GB, 1.5TB, 512MiB"

    package struct Failure: Error, CustomStringConvertible, Equatable {
        package let given, reason: String
        package var description: String { "'\(given)' is no size: \(reason); use \(SizeExpression.forms)" }
    }

    private static let units: [String: Int64] = [
        "": 1, "b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000, "kib": 1 << 10,
        "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
    ]

    /// Bytes, at least `Retention.smallestSize`, at most 281 TB, SQLite's own limit.
    package static func parse(_ text: String) throws(Failure) -> Int64 {
        func failure(_ reason: String) -> Failure { Failure(given: String(text.prefix(40)), reason: reason) }
        guard text.utf8.count <= 40 else { throw failure("it is too long to be one") }
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
        guard let factor = units[unit] else { throw failure("the units are KB, MB, GB, TB, KiB, MiB, GiB, TiB") }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }), let amount = Double(String(number)) else {
            throw failure("it does not begin with a number")
        }
        let bytes = (amount * Double(factor)).rounded()
        guard bytes <= 281e12 else { throw failure("a store cannot be larger than 281 TB") }
        guard bytes >= Double(Retention.smallestSize) else {
            throw failure("a store needs 10 MB at least, 5 of them for its write-ahead log")
        }
        return Int64(bytes)
    }

    /// `20.0 GB`; a power of 1,000, one decimal place.
    package static func text(_ bytes: Int64) -> String {
        var (value, units) = (Double(bytes), ["bytes", "kB", "MB", "GB", "TB"][...])
        while abs(value) >= 999.95, units.count > 1 { (value, units) = (value / 1_000, units.dropFirst()) }
        guard let unit = units.first, unit != "bytes" else { return "\(bytes) bytes" }
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10)) \(unit)"
    }
}
