import AtlasProtocol
import RecorderStore
import WallTime

extension Feed {
    /// How the recorder does: once a second, for those who watch over it. The counts are this process's.
    struct Status: Sendable {
        let at: Int64  // microseconds since 1970 UTC
        let totals: StoreTotals
        /// Microseconds of the longest commit since the last status.
        let longestCommit: Int64
        /// What waits for a store: bytes of samples, and events.
        let queueBytes, entriesWaiting: Int

        init(_ writer: isolated StoreWriter, _ queue: FrameQueue, at: Int64) {
            longestCommit = writer.totals.takeLongest()
            (totals, self.at) = (writer.totals, at)
            (queueBytes, entriesWaiting) = (queue.footprint, writer.backlog)
        }

        /// With its end.
        var line: String {
            let errors = totals.errors.sorted { ($0.key.code, $0.key.socket) < ($1.key.code, $1.key.socket) }
                .map { "\"\($0.key.socket) \($0.key.operation) \($0.key.code)\":\($0.value)" }
            return "{\"time\":\"\(LocalTime.iso8601(at))\",\"at_us\":\(at),\"samples\":\(totals.samples),"
                + "\"duplicates\":\(totals.duplicates),\"lost_samples\":\(totals.lostSamples),"
                + "\"lost_datagrams\":\(totals.lostDatagrams),\"commits\":\(totals.commits),"
                + "\"commit_us\":\(totals.commitTime),\"longest_commit_us\":\(longestCommit),"
                + "\"queue_bytes\":\(queueBytes),\"entries_waiting\":\(entriesWaiting),"
                + "\"errors\":{\(errors.joined(separator: ","))}}\n"
        }
    }
}
