import AtlasProtocol

@testable import RecorderStore

/// One unit, one or two meters, told as it happens. Times are seconds after `start`.
protocol MinuteBench {
    var folder: TemporaryFolder { get }
}

extension MinuteBench {
    func at(_ seconds: Double) -> Int64 { start + Int64((seconds * 1e6).rounded()) }

    func begin(at seconds: Double = 0, _ specs: [ProcessorSpec] = [mainBar]) async throws -> Recording {
        try await Recording(folder.store, specs, at: at(seconds))
    }

    func up(_ seconds: Double) -> Entry { change(.up, seconds) }
    func down(_ seconds: Double) -> Entry { change(.down(.notArriving), seconds) }
    func change(_ state: LinkState, _ seconds: Double) -> Entry {
        .change(processor: 1, link: .meters, state: state, since: at(seconds))
    }

    /// The view's minutes of a meter: from when, samples, low, mean, high, silent seconds, seconds.
    func minutes(_ meter: String = "ZoneMeter_0", of view: String = "meter_minutes") throws -> [String] {
        try lines(
            folder.store,
            """
            SELECT (start_us - \(start)) / 1000000, samples, low_db, mean_db, high_db, silent_seconds, seconds
              FROM \(view) WHERE meter = '\(meter)' ORDER BY start_us
            """)
    }
}
