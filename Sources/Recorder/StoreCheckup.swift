import AtlasProtocol
import Locks
import Logging
import RecorderStore

/// What a check of the open store found: nil as long as nothing was.
final class StoreVerdict: Sendable {
    private let words = Mutex<String?>(nil)
    var damage: String? { words.withLock { $0 } }
    func isDamaged(_ how: String) { words.withLock { $0 = how } }
}

/// SQLite's look at a store after an unclean end, on a thread and a connection of its own, while the recorder receives and
/// writes already. Reading it whole takes its time: about a second for 200 MB.
struct StoreCheckup: Sendable {
    /// Seconds. A store that takes longer is left to `atlas-recorder check`: while somebody reads, the write-ahead log grows.
    private static let longest: Int64 = 600
    /// How long who ends the recorder waits for it.
    private static let patience = Duration.seconds(2)

    let path: String
    let verdict: StoreVerdict
    let outbox: EntryOutbox
    let clock: RecorderClock
    let logger: Logger
    private let limit = StoreIntegrity.Limit(seconds: longest)
    private let ended: AsyncStream<Void>
    private let ending: AsyncStream<Void>.Continuation

    init(path: String, verdict: StoreVerdict, outbox: EntryOutbox, clock: RecorderClock, logger: Logger) {
        (self.path, self.verdict, self.outbox, self.clock, self.logger) = (path, verdict, outbox, clock, logger)
        (ended, ending) = AsyncStream<Void>.makeStream()
    }

    /// A host without a thread to give still records.
    func start() {
        do throws(ReceiverError) {
            try DedicatedThread.start(named: "atlas-check") { [self] in
                check()
                ending.finish()
            }
        } catch {
            ending.finish()
            notDone(error)
        }
    }

    /// Ends it: as long as it reads, the log cannot be emptied.
    func stop() async {
        limit.raise()
        await withTaskGroup { group in
            group.addTask { for await _ in ended {} }
            group.addTask { try? await Task.sleep(for: Self.patience) }
            await group.next()
            group.cancelAll()
        }
    }

    private func check() {
        let began = clock.now
        do throws(StoreError) {
            switch try StoreIntegrity.check(path, limit) {
            case .sound: told("no fault after the unclean end", since: began)
            case .unfinished: told("no fault so far; the rest: atlas-recorder check", since: began)
            case .faulty(let words): found(words)
            }
        } catch {
            if error.isDamage { found(error.message) } else { notDone(error) }
        }
    }

    private func found(_ words: String) {
        verdict.isDamaged(words)
        outbox.wake()
    }

    private func notDone(_ error: any Error) {
        logger.warning(
            "the store could not be checked after the unclean end; ask atlas-recorder check",
            metadata: ["error": "\(error)"])
    }

    private func told(_ what: String, since began: Instant) {
        let seconds = Double((clock.now - began).microseconds / 100_000) / 10
        outbox.put([
            .event(
                .init(
                    processor: nil, at: clock.wallNow, link: nil, name: .storeChecked,
                    detail: "\(what), looked at for \(seconds) s"))
        ])
    }
}
