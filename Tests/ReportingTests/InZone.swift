import Glibc
import Synchronization
import Testing

@testable import Reporting
@testable import WallTime

/// TZ belongs to the whole process: suites that set it are nested in here, one after another.
@Suite(.serialized) enum TimeSuite {}

private let zoneInUse = Mutex<Void>(())

/// Runs `body` with `zone` as the local zone. Tests outside `TimeSuite` may use it too; calls do not nest.
func inZone<Value>(_ zone: String, _ body: () throws -> Value) rethrows -> Value {
    try zoneInUse.withLock { _ in
        let previous = getenv("TZ").map { String(cString: $0) }
        setenv("TZ", zone, 1)
        LocalTime.readZone()
        defer {
            if let previous { setenv("TZ", previous, 1) } else { unsetenv("TZ") }
            LocalTime.readZone()
        }
        return try body()
    }
}

/// The instant that an ISO 8601 time with an offset names, microseconds since 1970 UTC.
func instant(_ iso8601: String) throws -> Int64 {
    guard case .instant(let microseconds) = try TimeExpression(iso8601, flag: "test") else {
        throw NoInstant(text: iso8601)
    }
    return microseconds
}

struct NoInstant: Error { let text: String }

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
