import AtlasProtocol
import Locks
import RecorderStore

/// How many links are up, in one line for whoever asks the service manager: `systemctl status`.
final class LinkOverview: Sendable {
    private struct Key: Hashable {
        let processor: Int32
        let link: Link
    }
    private let states = Mutex<[Key: LinkState]>([:])
    private let count: Mutex<Int>

    /// `count`: of processors.
    init(count: Int) { self.count = Mutex(count) }

    func set(count: Int) { self.count.withLock { $0 = count } }

    /// The new line where one of these changes a link's state; else nil.
    func line(after entries: [Entry]) -> String? {
        states.withLock { states in
            var isChanged = false
            for case .change(let processor, let link, let state, _) in entries {
                isChanged =
                    states.updateValue(state, forKey: Key(processor: processor, link: link)) != state || isChanged
            }
            guard isChanged else { return nil }
            let up = states.filter { $0.value == .up }.keys
            let count = count.withLock { $0 }
            let processors = count == 1 ? "1 processor" : "\(count) processors"
            return "recording \(processors): control \(up.count { $0.link == .control }) up, "
                + "meters \(up.count { $0.link == .meters }) up"
        }
    }
}
