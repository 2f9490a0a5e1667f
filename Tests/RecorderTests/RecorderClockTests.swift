import AtlasProtocol
import Synchronization
import Testing

@testable import Recorder

/// The recorder's time, on clocks that stand until they are moved. Microseconds.
@Suite struct RecorderClockTests {
    private final class Clocks: Sendable {
        let wall = Atomic<Int64>(1_000_000_000_000)
        let boot = Atomic<Int64>(5_000_000)
        let awake = Atomic<Int64>(4_000_000)
        var host: HostClocks {
            HostClocks(
                wall: { self.wall.load(ordering: .relaxed) }, boot: { self.boot.load(ordering: .relaxed) },
                awake: { self.awake.load(ordering: .relaxed) })
        }
        func pass(_ time: Int64, asleep: Bool = false) {
            wall.add(time, ordering: .relaxed)
            boot.add(time, ordering: .relaxed)
            if !asleep { awake.add(time, ordering: .relaxed) }
        }
        func set(by step: Int64) { wall.add(step, ordering: .relaxed) }
    }
    private let clocks = Clocks()
    private let begin: Int64 = 1_000_000_000_000
    private static let year: Int64 = 31_557_600_000_000

    @Test("time goes on: nothing is found, and a small correction of the wall clock is none")
    func undisturbed() {
        let clock = RecorderClock(clocks.host)
        for _ in 0..<10 {
            clocks.pass(1_000_000)
            clocks.set(by: 9_000)
            #expect(clock.look() == [])
        }
        #expect(clock.wallNow == begin + 10_000_000)
    }

    @Test(
        "a step of the wall clock is found once, and time goes on from what it shows",
        arguments: [1_000_000, -1_000_000, 3_600_000_000, -3_600_000_000, 50 * year, -50 * year])
    func step(by step: Int64) {
        let clock = RecorderClock(clocks.host)
        clocks.pass(1_000_000)
        let before = clock.now
        clocks.pass(400_000)
        clocks.set(by: step)
        #expect(clock.wallNow == begin + 1_400_000)  // not looked yet
        clocks.pass(600_000)
        #expect(clock.look() == [.clockSet(at: begin + 2_000_000 + step, by: step)])
        #expect(clock.wallNow == begin + 2_000_000 + step)
        // What was seen before the step was seen at the time that was shown then, but not after the time it was set to.
        #expect(clock.wall(of: before) == min(begin + 1_000_000, begin + 2_000_000 + step))
        clocks.pass(1_000_000)
        #expect(clock.look() == [])
        #expect(clock.wall(of: clock.now) == clock.wallNow)
    }

    @Test("a host that slept is told from a recorder that was held up")
    func pauses() {
        let clock = RecorderClock(clocks.host)
        clocks.pass(1_000_000)
        _ = clock.look()
        clocks.pass(8 * 3_600_000_000, asleep: true)
        #expect(
            clock.look() == [.paused(from: begin + 1_000_000, until: begin + 28_801_000_000, .hostAsleep)])
        clocks.pass(5_000_000)
        #expect(clock.look() == [])
        clocks.pass(5_000_001)
        let from = begin + 28_806_000_000
        #expect(clock.look() == [.paused(from: from, until: from + 5_000_001, .recorderStalled)])
    }

    @Test("what was before a run began is no pause of it")
    func beginning() {
        let clock = RecorderClock(clocks.host)
        clocks.pass(20_000_000)
        #expect(clock.begin() == begin + 20_000_000)
        clocks.pass(1_000_000)
        #expect(clock.look() == [])
        clocks.pass(6_000_000)
        #expect(clock.look() == [.paused(from: begin + 21_000_000, until: begin + 27_000_000, .recorderStalled)])
    }

    @Test("a clock that was set while the host slept is both, in this order")
    func both() {
        let clock = RecorderClock(clocks.host)
        clocks.pass(60_000_000, asleep: true)
        clocks.set(by: -3_600_000_000)
        #expect(
            clock.look() == [
                .paused(from: begin, until: begin + 60_000_000, .hostAsleep),
                .clockSet(at: begin - 3_540_000_000, by: -3_600_000_000),
            ])
    }

    @Test("a kernel's stamp is the time, but for one that a step has made impossible")
    func stamps() {
        let clock = RecorderClock(clocks.host)
        let began = clock.now
        clocks.pass(200_000)
        func wall(_ stamp: Int64) -> Int64 { Stamps(clock, clock.now, since: began).wall(of: stamp) }
        #expect(wall(begin + 150_000) == begin + 150_000)
        #expect(wall(begin + 200_400) == begin + 200_400)  // clocks are not read at one instant
        #expect(wall(begin + 3_600_000_000) == begin + 200_000)
        #expect(wall(begin - 3_600_000_000) == begin + 200_000)
        clocks.set(by: 3_600_000_000)  // and nobody has looked yet
        #expect(wall(begin + 3_600_150_000) == begin + 150_000)
        #expect(wall(begin + 150_000) == begin + 200_000)
        _ = clock.look()
        #expect(wall(begin + 3_600_150_000) == begin + 3_600_150_000)
    }

    @Test("a datagram that waited while the recorder was held up keeps its time")
    func waited() {
        let clock = RecorderClock(clocks.host)
        let began = clock.now
        clocks.pass(60_000_000)
        #expect(Stamps(clock, clock.now, since: began).wall(of: begin + 10_000_000) == begin + 10_000_000)
    }
}
