import WebServer

/// Any head of a request: the first line its method and target, then fields. Whoever is let in asked by GET or HEAD, named one
/// host, and where a token is asked for, gave it.
private let gates = [
    Gate(isLoopback: true, hosts: ["atlas.example"], token: nil),
    Gate(isLoopback: false, hosts: [], token: "0123456789abcdef"),
]

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let words = (lines.first ?? "").split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let fields = lines.dropFirst().map { line -> (name: String, value: String) in
        let halves = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return (halves[0].lowercased(), halves.count > 1 ? String(halves[1].drop { $0 == " " }) : "")
    }
    let head = Gate.Head(
        method: String(words.first ?? ""), target: words.count > 1 ? String(words[1]) : "", fields: fields)
    for (index, gate) in gates.enumerated() {
        switch gate.judge(head) {
        case .admitted(let target):
            precondition(head.method == "GET" || head.method == "HEAD")
            precondition(head.values("host").count == 1)
            precondition(index == 0 || target.path == "/healthz" || text.contains("0123456789abcdef"))
            // What was read is read again from what would be sent on.
            precondition(RequestTarget(target.without(""))?.query == target.query.filter { $0.key != "" })
        case .signsIn(let location):
            precondition(index == 1 && RequestTarget(location)?.query["token"] == nil)
            precondition(RequestTarget(location) != nil && location.utf8.allSatisfy { 0x20 < $0 && $0 < 0x7F })
        case .refused(let refusal): precondition((400..<500).contains(refusal.status))
        }
    }
    return 0
}
