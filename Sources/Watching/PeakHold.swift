/// The highest level of late: it stands for a while, then falls. Times are steady microseconds, levels dB.
package struct PeakHold: Equatable, Sendable {
    /// How long it stands.
    package static let hold: Int64 = 1_500_000
    /// dB a second, from then on.
    package static let fall = 20.0

    private var level: Double
    private var at: Int64

    package init(_ level: Double, at: Int64) { (self.level, self.at) = (level, at) }

    package mutating func take(_ level: Double, at now: Int64) {
        if level >= shown(at: now) { self = PeakHold(level, at: now) }
    }

    package func shown(at now: Int64) -> Double {
        level - Self.fall * Double(max(0, now - at - Self.hold)) / 1e6
    }

    /// Whether it moves while nothing comes: it falls, and is above the level still.
    package func isFalling(over current: Double, at now: Int64) -> Bool {
        now - at > Self.hold && shown(at: now) > max(current, LevelBar.floor)
    }
}
