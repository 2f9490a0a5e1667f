import AtlasProtocol
import Glibc
import RecorderStore
import WallTime

/// Why a store takes another one's place, and where that one is now: what the new store says of it first.
struct StoreSuccession: Sendable {
    private let name: LinkEvent.Name
    private let detail: String
    /// Of those that waited for the store before.
    private let samplesLost: Int

    /// Seconds between two stores that are set aside. A disk that damages each new one must not be filled with them.
    private static let pause: Int64 = 60

    private init(_ name: LinkEvent.Name, _ detail: String, samplesLost: Int = 0) {
        (self.name, self.detail, self.samplesLost) = (name, detail, samplesLost)
    }

    /// What follows a store that was left. nil: the recorder ended by itself. Throws if its files cannot be put anywhere, or
    /// if the store before this one was damaged a moment ago.
    static func after(
        _ end: WriterLoop.End, _ departure: StoreDeparture, of path: String, clock: RecorderClock
    ) throws(StoreError) -> StoreSuccession? {
        var words: String
        switch end {
        case .closed: return nil
        case .damaged(let damage): return try damaged(damage, departure, of: path, clock: clock)
        case .displaced(.store):
            words = moved(departure)
            let isReplaced = (try? StoreFile.inspect(path)) != .missing
            words += isReplaced ? "; another one is in its place, and is gone on with" : "; a new one is begun"
        case .displaced(.log):
            words = "somebody deleted its write-ahead log, \(path)-wal: "
            if departure.obstacle != nil, !departure.isWhole {
                return try damaged(
                    words + "what was in it is lost (\(departure.obstacle?.message ?? ""))", departure, of: path,
                    clock: clock)
            }
            words += "what was in it was still at hand, and nothing of it is lost"
        case .displaced(.index):
            words = "somebody deleted its log's index, \(path)-shm: made anew; who had the store open, open it again"
        case .displaced(.lock):
            words = "somebody deleted its lock, \(path).lock: made anew, so that no second recorder writes"
        }
        if let refusal = departure.refusal { words += "; it took no more writes: \(refusal.message)" }
        return StoreSuccession(.storeMoved, words + Self.lost(departure), samplesLost: departure.samplesLeft)
    }

    private static func moved(_ departure: StoreDeparture) -> String {
        guard departure.fate != .deleted else { return "somebody deleted it while it was written" }
        var place = ""
        if case .moved(let path) = departure.fate { place = " to \(path)" }
        let log = departure.log.map { ", which is \($0)" } ?? ""
        return "somebody moved it\(place) while it was written: "
            + (departure.isWhole ? "it is whole, up to here" : "it lacks what its log holds\(log)")
    }

    /// Sets a damaged store aside.
    static func damaged(
        _ words: String, _ departure: StoreDeparture = .init(), of path: String, clock: RecorderClock
    ) throws(StoreError) -> StoreSuccession {
        if let seconds = StoreAside.secondsSinceLast(of: path), seconds < pause {
            throw StoreError(
                .damagedAgain,
                message: "\(words); another one was set aside \(seconds) s ago: look at the disk (dmesg, smartctl -a)",
                doing: "go on recording", path: path)
        }
        let kept = try StoreAside.move(path, stamp: stamp(clock))
        return StoreSuccession(
            .storeSetAside,
            "it was damaged: \(words)\(lost(departure)); kept as \(kept); what can be read of it: "
                + "atlas-recorder rescue '\(kept)' rescued.sqlite",
            samplesLost: departure.samplesLeft)
    }

    private static func lost(_ departure: StoreDeparture) -> String {
        var lost: [String] = []
        if departure.samplesLeft > 0 { lost.append("\(departure.samplesLeft) samples") }
        if departure.entriesLeft > 0 { lost.append("\(departure.entriesLeft) events, states or errors") }
        return lost.isEmpty ? "" : "; \(lost.joined(separator: " and ")) that waited are lost"
    }

    /// Renames a write-ahead log that is there without its store, which SQLite would delete; nil: there is none.
    static func orphanedLog(of path: String, clock: RecorderClock) throws(StoreError) -> StoreSuccession? {
        guard let log = try StoreAside.moveOrphanedLog(of: path, stamp: stamp(clock)) else { return nil }
        return StoreSuccession(
            .storeMoved, "a write-ahead log was there without its store; kept as \(log)")
    }

    func entries(at now: Int64) -> [Entry] {
        let event = Entry.event(.init(processor: nil, at: now, link: nil, name: name, detail: detail))
        guard name == .storeSetAside || samplesLost > 0 else { return [event] }
        return [
            event,
            .loss(
                Loss(
                    processor: nil, reason: name == .storeSetAside ? .storeDamaged : .storeRefused, at: now,
                    datagrams: 0,
                    samples: samplesLost == 0 ? nil : samplesLost)),
        ]
    }

    /// `20261122-163000`, local time.
    static func stamp(_ clock: RecorderClock) -> String {
        let time = LocalTime.text(clock.wallNow).prefix(19)
        return time.filter { $0 != ":" && $0 != "-" }.split(separator: " ").joined(separator: "-")
    }
}

/// Opens the store that a recorder writes, and begins its run. One that is ours and damaged is set aside.
struct StoreOpening {
    let configuration: RecorderConfiguration
    let units: [ProcessorSpec]
    let lock: StoreLock
    let clock: RecorderClock

    func open(
        _ queue: FrameQueue, _ succession: inout StoreSuccession?, committed: @escaping @Sendable ([Entry]) -> Void
    ) async throws -> (StoreWriter, [RegisteredProcessor]) {
        let path = StoreFile.resolved(configuration.store)
        let found = try StoreFile.inspect(path)
        if found == .missing || found == .empty {
            succession = try StoreSuccession.orphanedLog(of: path, clock: clock) ?? succession
        }
        try StoreFile.refuseLinkToEmpty(configuration.store)
        do {
            return try await begin(path, queue, committed)
        } catch let error as StoreError {
            // Of a file that this program did not mark as its own not a byte is touched.
            guard case .store = found, let damage = Self.damage(error, of: path) else { throw error }
            succession = try .damaged(damage, of: path, clock: clock)
        }
        return try await begin(path, queue, committed)
    }

    /// Seconds that a look at the pages may take before anything is recorded.
    private static let checkLimit: Int64 = 30

    /// In SQLite's words; nil: the file is whole, and something in it is not as this program made it.
    private static func damage(_ error: StoreError, of path: String) -> String? {
        if error.isDamage { return error.message }
        guard error.mayBeDamage else { return nil }
        switch Result(catching: { () throws(StoreError) in try StoreIntegrity.check(path, .init(seconds: checkLimit)) })
        {
        case .success(.faulty(let words)): return words
        case .failure(let failure) where failure.isDamage: return failure.message
        default: return nil
        }
    }

    private func begin(
        _ path: String, _ queue: FrameQueue, _ committed: @escaping @Sendable ([Entry]) -> Void
    ) async throws -> (StoreWriter, [RegisteredProcessor]) {
        let writer = try StoreWriter(path: path, lock: lock, queue: queue, committed: committed)
        let start = RunStart(version: configuration.version, pid: getpid(), host: HostName.text)
        return (writer, try await writer.begin(start, processors: units, at: clock.begin()))
    }
}
