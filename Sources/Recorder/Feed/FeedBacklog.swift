import NIOCore
import RecorderStore

/// What was taken from the feed and is to be handed out, a slice at a time: lines take a hundred times the room of what they
/// are made from.
struct FeedBacklog {
    struct Slice {
        var bytes = ByteBuffer()
        var values = 0
        /// What of it is no value, for readers that want no values.
        var news = ByteBuffer()
    }

    /// A slice ends with the frame that reaches this.
    static let sliceBytes = 256 * 1024

    private let items: [Feed.Item]
    private let late: [Feed.Place: Feed.Change]
    private var status: Feed.Status?
    private var next = 0
    private var mark: FrameBlock.Mark?
    /// Values that did not fit on the way.
    let missed: Int
    /// Whether something is in none of the slices: what a reader knows then has holes.
    var hasHoles: Bool { missed > 0 || !late.isEmpty }

    init(_ waiting: Feed.Waiting = Feed.Waiting()) {
        (items, late, missed, status) = (waiting.items, waiting.late, waiting.missed, waiting.status)
    }

    /// Whether all of it is in slices.
    var isEmpty: Bool { next == items.count && status == nil }

    mutating func slice(by text: inout FeedText) -> Slice {
        var slice = Slice()
        if let status { slice.add(text.line(of: status)) }
        status = nil
        while next < items.count, slice.bytes.readableBytes < Self.sliceBytes {
            switch items[next] {
            case .values(let block, let start):
                if mark == nil { text.learn(block.newSlots) }
                var reached = mark ?? start
                if let count = text.write(block, after: &reached, into: &slice.bytes) {
                    slice.values += count
                    mark = reached
                    continue
                }
            case .change(let change): slice.add(text.line(of: change))
            case .knowledge(let knowledge): text.learn(knowledge)
            case .status(let status): slice.add(text.line(of: status))
            }
            (next, mark) = (next + 1, nil)
        }
        if isEmpty { for change in late.values { text.learn(change) } }
        return slice
    }
}

extension FeedBacklog.Slice {
    fileprivate mutating func add(_ line: String) {
        bytes.writeString(line)
        news.writeString(line)
    }
}
