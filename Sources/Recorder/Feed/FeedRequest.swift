/// What a reader of the feed may say, as a line: `{"values":false}`, to hear only of the links and of the recorder, and
/// `{"values":true}`, to hear of the meters again; `{"meters":true}`, to be told what meters there are and where in the
/// memory of levels, which came with the feed's first line. It costs the recorder nothing to tell nobody of values.
package enum FeedRequest: Equatable, Sendable {
    case values(Bool)
    case meters

    /// nil: something else.
    init?(line: [UInt8]) {
        let text = line.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\r") }
        guard let request = [Self.values(true), .values(false), .meters].first(where: { Array($0.text.utf8) == text })
        else { return nil }
        self = request
    }

    package var line: String { text + "\n" }

    private var text: String {
        switch self {
        case .values(let wanted): "{\"values\":\(wanted)}"
        case .meters: "{\"meters\":true}"
        }
    }
}
