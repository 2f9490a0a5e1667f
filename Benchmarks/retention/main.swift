import AtlasProtocol
import Glibc
import RecorderStore

// A store that is written and pruned by the writer itself, faster than time: the clock is told. Benchmarks/retention/run
// starts it.
//   retention-bench year FILE [FRAMES A MINUTE]   a year of one unit with 38 meters
//   retention-bench load FILE [UNITS]             ten frames a second of each unit, for 20 minutes, 5 of them kept

let arguments = CommandLine.arguments
guard arguments.count > 2, let mode = Mode(rawValue: arguments[1]) else {
    say("usage: retention-bench year|load FILE [NUMBER]")
    exit(64)
}
let file = arguments[2]
let number = arguments.count > 3 ? Int(arguments[3]) : nil

enum Mode: String { case year, load }

let second: Int64 = 1_000_000
let minute = 60 * second
let begin: Int64 = 1_735_689_600_000_000  // 2025-01-01 00:00 UTC

/// Prints at once, also into a file.
func say(_ text: String) {
    print(text)
    fflush(nil)
}

func elapsed(_ clock: clockid_t = CLOCK_MONOTONIC) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * second + Int64(time.tv_nsec) / 1_000
}

func size(_ path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : 0
}

/// How long something took, each time: microseconds.
struct Times {
    private var all: [Int64] = []
    var count: Int { all.count }
    mutating func add(_ time: Int64) { all.append(time) }
    func text(_ name: String) -> String {
        let sorted = all.sorted()
        func at(_ share: Double) -> String {
            guard !sorted.isEmpty else { return "-" }
            let tenths = sorted[Int(Double(sorted.count - 1) * share)] / 10
            return "\(Double(tenths) / 100)"
        }
        return "\(name): \(count), ms each: median \(at(0.5)), 99 % \(at(0.99)), 99.9 % \(at(0.999)), most \(at(1))"
    }
}

/// Frames of one unit: 38 meters, half of them silent.
struct Unit {
    var assembler: FrameAssembler
    let meters = (0..<38).map { Meter(.zone, UInt8($0)) }
    var walk: Int64

    init(_ processor: RegisteredProcessor) {
        assembler = FrameAssembler(processor: processor.id, slots: processor.slots)
        walk = Int64(processor.id) &* 2_654_435_761
    }

    mutating func frame(at: Int64, into block: inout FrameBlock) {
        for (index, meter) in meters.enumerated() {
            walk = walk &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let level = index < 19 ? -80 : Double(-((walk >> 40) & 511)) / 10
            _ = assembler.take(Reading(meter: meter, level: level), at: at, into: &block)
        }
        assembler.close(into: &block)
    }
}

struct Bench {
    let writer: StoreWriter
    let queue: FrameQueue
    var units: [Unit]
    var (commits, counts, steps, work) = (Times(), Times(), Times(), Times())
    /// How long the recorder has run before, as the plan sees it.
    private let life: Int64

    init(_ file: String, units count: Int, _ retention: Retention, life: Int64 = 0) async throws {
        self.life = life
        queue = FrameQueue(limit: 256 << 20)
        writer = try StoreWriter(path: file, holder: "bench", queue: queue) { _ in }
        let specs = (1...count).map {
            ProcessorSpec(
                name: "Unit \($0)", host: "10.\($0 / 65_536).\($0 / 256 % 256).\($0 % 256)", controlPort: 5321)
        }
        let start = RunStart(version: "bench", pid: getpid(), host: "bench")
        let registered = try await writer.begin(start, processors: specs, at: begin)
        units = registered.map { Unit($0) }
        let up = registered.map { Entry.change(processor: $0.id, link: .meters, state: .up, since: begin) }
        try await writer.commit(up, samples: false, at: begin)
        await writer.retain(retention, lived: 0)
    }

    /// What the writer's loop does between two commits, on its thread; of the time until the next one it takes half at most.
    mutating func turn(at now: Int64, room: Int64) async throws {
        let life = life
        let turn = await writer.occupy { writer in Turn(writer, at: now, lived: now - begin + life, room: room) }
        if let failure = turn.failure { throw failure }
        commits.add(turn.commit)
        counts.add(turn.count)
        for step in turn.steps {
            steps.add(step.wall)
            work.add(step.processor)
        }
    }

    private struct Turn: Sendable {
        var (commit, count) = (Int64(0), Int64(0))
        var steps: [(wall: Int64, processor: Int64)] = []
        var failure: StoreError?

        init(_ writer: isolated StoreWriter, at now: Int64, lived: Int64, room: Int64) {
            do throws(StoreError) {
                var start = elapsed()
                try writer.commit([], samples: true, at: now)
                commit = elapsed() - start
                start = elapsed()
                while try writer.countMinutes() {}
                count = elapsed() - start
                var left = room / 2
                while left > 0 {
                    let (wall, processor) = (elapsed(), elapsed(CLOCK_THREAD_CPUTIME_ID))
                    let outcome = try writer.prune(at: now, lived: lived) { elapsed() }
                    steps.append((elapsed() - wall, elapsed(CLOCK_THREAD_CPUTIME_ID) - processor))
                    left -= elapsed() - wall
                    guard outcome == .more else { break }
                }
            } catch {
                failure = error
            }
        }
    }

    func report(_ file: String) throws {
        say(commits.text("commits"))
        say(counts.text("counts of minutes"))
        say(steps.text("steps of pruning"))
        say(work.text("their time on a processor"))
        let invariants = try StoreInvariants(path: file)
        say("integrity_check: \(try invariants.faults().isEmpty ? "ok" : "DAMAGED")")
        // Nothing was received here: what came is not counted.
        for invariant in StoreInvariants.all where invariant.subject != "balance" {
            let found = try invariants.violations(of: invariant)
            say("\(invariant.rule): \(found.count == 0 ? "yes" : "NO, \(found.count) times")")
        }
    }
}

func query(_ sql: String) throws -> [SQLValue] { try StoreReader(path: file).query(sql).rows.first ?? [] }

func year() async throws {
    let rate = number ?? 6
    let retention = Retention(
        samples: 90 * Retention.day, minutes: 180 * Retention.day, events: nil, size: nil)
    var bench = try await Bench(file, units: 1, retention)
    let days = 365
    say("one unit, 38 meters, \(rate) frames a minute, 365 days; samples are kept 90 days, minutes 180")
    say("day  samples stored       left  file MB  of it free  log MB  steps")
    for day in 0..<days {
        for index in 0..<1_440 {
            let start = begin + (Int64(day) * 1_440 + Int64(index)) * minute
            var block = FrameBlock()
            for frame in 0..<rate {
                bench.units[0].frame(at: start + Int64(frame) * minute / Int64(rate), into: &block)
            }
            bench.units[0].assembler.summarize(into: &block)
            _ = bench.queue.exchange(block)
            try await bench.turn(at: start + minute + 4 * second, room: minute)
        }
        guard (day + 1) % 30 == 0 || day == days - 1 else { continue }
        let row = try query(
            """
            SELECT (SELECT sum(stored) FROM sample_hour),
                   (SELECT sum(stored) FROM sample_minute WHERE start_us >= coalesce(
                       (SELECT before_us FROM retained WHERE kind = 'samples'), 0)),
                   page_count * 4096, freelist_count * 4096 FROM pragma_page_count, pragma_freelist_count
            """)
        let numbers = row.map { value -> Int64 in if case .integer(let number) = value { number } else { 0 } }
        say(
            "\(day + 1)  \(numbers[0])  \(numbers[1])  \(Double(numbers[2] / 10_000) / 100)  "
                + "\(Double(numbers[3] / 10_000) / 100)  \(Double(size(file + "-wal") / 10_000) / 100)  \(bench.steps.count)"
        )
    }
    try await bench.writer.finish([], at: begin + Int64(days) * Retention.day)
    try bench.report(file)
}

func load() async throws {
    let count = number ?? 1_000
    let retention = Retention(samples: 5 * minute, minutes: nil, events: nil, size: nil)
    var bench = try await Bench(file, units: count, retention, life: Retention.day)
    say("\(count) units, 38 meters, 10 frames a second each; samples are kept 5 minutes")
    say("minute  frames written  left  file MB  log MB")
    for half in 0..<2_400 {
        let start = begin + Int64(half) * second / 2
        var block = FrameBlock()
        for frame in 0..<5 {
            for index in bench.units.indices {
                bench.units[index].frame(at: start + Int64(frame) * second / 10 + Int64(index), into: &block)
            }
        }
        _ = bench.queue.exchange(block)
        try await bench.turn(at: start + second / 2, room: second / 2)
        guard (half + 1) % 120 == 0 else { continue }
        let frames = try query("SELECT count(*) FROM frame")
        var left: Int64 = 0
        if case .integer(let number)? = frames.first { left = number }
        say(
            "\((half + 1) / 120)  \((half + 1) * 5 * count)  \(left)  \(size(file) / 1_000_000)  \(size(file + "-wal") / 1_000_000)"
        )
    }
    say(bench.commits.text("commits"))
    say(bench.counts.text("counts of minutes"))
    say(bench.steps.text("steps of pruning"))
    say(bench.work.text("their time on a processor"))
}

switch mode {
case .year: try await year()
case .load: try await load()
}
