import Reporting
import WallTime

/// What is said where nothing can be drawn: a line a second for each unit.
package enum PlainLine {
    /// `16:30:05  Main Bar  control up  meters down EADDRINUSE  380 samples/s  38 meters, 19 silent, loudest ZoneMeter_0
    /// (Terrace) -12.3 dB`; `time`: microseconds since 1970 UTC.
    package static func text(_ unit: FeedPicture.Unit, at time: Int64) -> String {
        var text = "\(LocalTime.text(time).dropFirst(11).prefix(8))  \(unit.name.replacingControls())"
        for (name, link) in [("control", unit.control), ("meters", unit.meters)] {
            text += "  \(name) \(link.map { "\($0.state)\($0.cause.map { " \($0)" } ?? "")" } ?? "unknown")"
        }
        text += "  \(unit.rate) samples/s"
        guard unit.isCurrent, !unit.channels.isEmpty else { return text }
        let silent = unit.channels.count { $0.level <= LevelBar.floor }
        text += "  \(unit.channels.count) meters, \(silent) silent"
        if let loudest = unit.channels.max(by: { $0.level < $1.level }), loudest.level > LevelBar.floor {
            let label = loudest.label.map { " (\($0.replacingControls()))" } ?? ""
            text += ", loudest \(loudest.name.replacingControls())\(label) \(LevelBar.text(loudest.level)) dB"
        }
        return text
    }
}
