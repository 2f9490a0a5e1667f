import AtlasProtocol
import AtlasSimulator
import RecorderStore
import Testing

@testable import Recorder

/// The whole way over real sockets, on a host whose clock is set and that sleeps.
@Suite struct DisturbedTimeTests {
    private static let hour: Int64 = 3_600_000_000
    private static let year: Int64 = 31_557_600_000_000

    private static let noHoles = """
        SELECT count(*) FROM (
            SELECT ended_us, lead(started_us) OVER (PARTITION BY processor_id, link ORDER BY started_us) AS next_us,
                   started_us FROM link_state) WHERE ended_us <> next_us OR ended_us < started_us
        """

    @Test(
        "a clock that is set in the middle of an outage: an event, cut rows, no hole, and samples go on",
        .timeLimit(.minutes(1)), arguments: [1_000_000, -1_000_000, hour, -hour, 50 * year, -50 * year])
    func clockStep(step: Int64) async throws {
        let (host, port) = (TestHost(), freePort())
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port, keepAlive: .seconds(2), clocks: host.clocks)
        await rig.line("meters up")
        try await simulator.inject(.refuse, unit: 0)
        var lines = await rig.line("control down")
        host.setClock(by: step)
        let amount = "\(abs(step) / 1_000_000).00"
        lines = await rig.line(
            "recorder", "clock step (set \(step > 0 ? "forward" : "back") by \(amount)", after: lines)
        try await simulator.inject(.clear, unit: 0)
        await rig.line("meters up", after: lines)
        try await rig.stop()
        try await simulator.shutdown()

        #expect(try rig.integer(Self.noHoles) == 0)
        let unknown = try rig.query(
            "SELECT (ended_us - started_us + 500) / 1000 FROM link_state WHERE cause = 'clock_step' AND link = 'control'"
        )
        #expect(unknown == (step > 0 ? [[.integer(step / 1_000)]] : []))
        // The outage goes on after the step; set back, its beginning may be lived a second time.
        #expect(
            try rig.integer("SELECT count(*) FROM link_states WHERE link = 'control' AND state = 'down'")
                >= (step > 0 ? 2 : 1))
        let set = try rig.integer("SELECT at_us FROM event WHERE event = 'clock_step'")
        #expect(try rig.integer("SELECT count(*) FROM frame WHERE at_us >= \(set)") > 0)
        #expect(
            try rig.integer("SELECT count(*) FROM recorder_passage WHERE until_us < from_us OR until_us IS NULL") == 0)
    }

    @Test("a host that slept: unknown, host_asleep, as long as it slept", .timeLimit(.minutes(1)))
    func asleep() async throws {
        let (host, port) = (TestHost(), freePort())
        let (simulator, specs) = try await simulatedUnits(meterPort: port)
        let rig = Rig(specs, meterPort: port, clocks: host.clocks)
        await rig.line("meters up")
        host.sleep(8 * Self.hour)
        await rig.line("recorder", "the host slept (for 2880")
        try await rig.stop()
        try await simulator.shutdown()
        #expect(try rig.integer(Self.noHoles) == 0)
        let rows = try rig.texts(
            "SELECT link, (ended_us - started_us) / \(Self.hour) FROM link_state WHERE cause = 'host_asleep' ORDER BY link"
        )
        #expect(rows == ["control 8", "meters 8"])
        #expect(
            try rig.integer("SELECT CAST(sum(seconds) AS INTEGER) / 3600 FROM link_states WHERE state = 'up'") == 0)
    }
}
