import AtlasProtocol
import Glibc
import RecorderStore
import WallTime

/// Why a store takes another one's place, and where that one is now: what the new store says of it first.
struct StoreSuccession: Sendable {
    private let name: LinkEvent.Name
    private let detail: String
    private let samplesLost: Int
    /// When it was decided.
    private let at: Instant

    /// Between two stores that are set aside. A disk that damages each new one must not be filled with them.
    private static let pause = Span.seconds(60)

    private init(_ name: LinkEvent.Name, _ detail: String, samplesLost: Int = 0, at: Instant) {
        (self.name, self.detail, self.samplesLost, self.at) = (name, detail, samplesLost, at)
    }

    /// Puts the files of a store that is to be left where they are safe. nil: the recorder ended by itself. Throws if they
    /// cannot be put anywhere, or if the store before this one was damaged a moment ago.
    /// `samplesLost`: those that waited for a damaged store.
    static func after(
        _ end: WriterLoop.End, of path: String, samplesLost: Int, former: StoreSuccession?, clock: RecorderClock
    ) throws(StoreError) -> StoreSuccession? {
        let moved: String
        switch end {
        case .closed: return nil
        case .damaged(let words):
            if let former, former.name == .storeSetAside, clock.now - former.at < pause {
                throw StoreError(
                    .damaged, message: "\(words); so was the one before it, look at the disk: dmesg, smartctl -a",
                    doing: "go on recording", path: path)
            }
            return try damaged(words, samplesLost: samplesLost, of: path, clock: clock)
        case .displaced(.store):
            let log = try StoreAside.moveOrphanedLog(of: path, stamp: stamp(clock))
            let left = log.map { "; what it had not taken up yet is in \($0)" } ?? ""
            moved = "somebody moved or deleted it while it was written: a moved one is whole, up to here\(left)"
        case .displaced(.log):
            moved =
                "somebody deleted its write-ahead log, \(path)-wal: what was in it was still at hand, and is in the store now"
        case .displaced(.lock):
            moved = "somebody deleted its lock, \(path).lock: made anew, so that no second recorder writes"
        }
        return StoreSuccession(.storeMoved, moved, at: clock.now)
    }

    /// Sets a damaged store aside.
    static func damaged(
        _ words: String, samplesLost: Int, of path: String, clock: RecorderClock
    ) throws(StoreError) -> StoreSuccession {
        let kept = try StoreAside.move(path, stamp: stamp(clock))
        let lost = samplesLost == 0 ? "" : "; \(samplesLost) samples that waited are lost"
        return StoreSuccession(
            .storeSetAside,
            "it was damaged: \(words)\(lost); kept as \(kept); what can be read of it: "
                + "atlas-recorder rescue '\(kept)' rescued.sqlite",
            samplesLost: samplesLost, at: clock.now)
    }

    /// Renames a write-ahead log that is there without its store, which SQLite would delete; nil: there is none.
    static func orphanedLog(of path: String, clock: RecorderClock) throws(StoreError) -> StoreSuccession? {
        guard let log = try StoreAside.moveOrphanedLog(of: path, stamp: stamp(clock)) else { return nil }
        return StoreSuccession(
            .storeMoved, "a write-ahead log was there without its store; kept as \(log)", at: clock.now)
    }

    func entries(at now: Int64) -> [Entry] {
        let event = Entry.event(.init(processor: nil, at: now, link: nil, name: name, detail: detail))
        guard name == .storeSetAside else { return [event] }
        return [
            event,
            .loss(
                Loss(
                    processor: nil, reason: .storeDamaged, at: now, datagrams: 0,
                    samples: samplesLost == 0 ? nil : samplesLost)),
        ]
    }

    /// `20261122-163000`, local time.
    private static func stamp(_ clock: RecorderClock) -> String {
        let time = LocalTime.text(clock.wallNow).prefix(19)
        return time.filter { $0 != ":" && $0 != "-" }.split(separator: " ").joined(separator: "-")
    }
}

/// Opens the store that a recorder writes, and begins its run. One that is ours and damaged is set aside.
struct StoreOpening {
    let configuration: RecorderConfiguration
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
        do {
            return try await begin(path, queue, committed)
        } catch let error as StoreError {
            // Of a file that this program did not mark as its own not a byte is touched.
            guard case .store = found, error.isDamage else { throw error }
            succession = try .damaged(error.message, samplesLost: 0, of: path, clock: clock)
        }
        return try await begin(path, queue, committed)
    }

    private func begin(
        _ path: String, _ queue: FrameQueue, _ committed: @escaping @Sendable ([Entry]) -> Void
    ) async throws -> (StoreWriter, [RegisteredProcessor]) {
        let writer = try StoreWriter(path: path, lock: lock, queue: queue, committed: committed)
        let start = RunStart(version: configuration.version, pid: getpid(), host: HostName.text)
        return (writer, try await writer.begin(start, processors: configuration.processors, at: clock.begin()))
    }
}
