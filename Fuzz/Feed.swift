import Recorder

/// Any line of the feed, twice by one decoder: what a memo answers is what was read with care.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    var decoder = FeedDecoder()
    for line in bytes.split(separator: 10) {
        let first = decoder.decode(Array(line))
        precondition(decoder.decode(Array(line)) == first)
        var fresh = FeedDecoder()
        guard case .value(let meter, let level, let at) = first else {
            precondition(fresh.decode(Array(line)) == first)
            continue
        }
        guard case .value(let other, level, at) = fresh.decode(Array(line)) else {
            preconditionFailure("another message")
        }
        precondition(fresh.meters[other] == decoder.meters[meter])
    }
    return 0
}
