/// What a reader of the feed may say, as a line: `{"values":false}`, to hear only of the links and of the recorder, and
/// `{"values":true}`, to hear of the meters again. It costs the recorder nothing to tell nobody of values.
package enum FeedRequest {
    package static func line(values: Bool) -> String { "{\"values\":\(values)}\n" }

    /// nil: something else.
    static func values(_ line: [UInt8]) -> Bool? {
        let text = line.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\r") }
        return if text == Array(#"{"values":true}"#.utf8) {
            true
        } else if text == Array(#"{"values":false}"#.utf8) {
            false
        } else {
            nil
        }
    }
}
